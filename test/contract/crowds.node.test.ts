// Many peers, peers that do not read, and what they cost, measured at the server program on each
// runtime; and its end.

import { connect, type Socket } from "sansws";
import { describe, expect, it, onTestFinished } from "vitest";
import { frame } from "../core/support.ts";
import { COMMANDS, RUNTIMES } from "../processes.ts";
import { startTool } from "../programs.ts";
import { hasOpenssl, makeCertificates } from "./certificates.ts";
import { expectEcho, expectWell, running, startServer } from "./processes.ts";
import { rawConnect, rawOpen } from "./raw.ts";
import { bytes, Mailbox, settled, sleep, until } from "./suite.ts";

const MIB = 2 ** 20;

describe.each(RUNTIMES)("a server on %s", (runtime) => {
  it("serves 1,000 connections at once, and forgets them", async () => {
    const server = await startServer(runtime);
    const echoes = new Mailbox<unknown>();
    const sockets: Socket[] = [];
    while (sockets.length < 1000) {
      const batch = Array.from(
        { length: 100 },
        () => connect(server.url, { message: (_, data) => echoes.put(data) }),
      );
      sockets.push(...await Promise.all(batch));
    }
    expect((await server.status()).sockets).toBe(1000);
    for (const [i, socket] of sockets.entries()) socket.send(`message ${i}`);
    const expected = sockets.map((_, i) => `message ${i}`);
    expect(new Set(await echoes.takeAll(1000))).toEqual(new Set(expected));
    for (const [i, socket] of sockets.entries()) i % 2 === 0 ? socket.close() : socket.abort();
    await Promise.all(sockets.map((socket) => socket.closed));
    await until(async () => (await server.status()).sockets === 0, "it had forgotten them");
    expectWell(server.program);
  });

  it("keeps its memory while 8 peers flood it and do not read", async () => {
    const server = await startServer(runtime);
    await expectEcho(server.url);
    const before = (await server.status()).memory;
    const message = frame("client", 0x82, bytes(1_000_000));
    const peers = await Promise.all(Array.from({ length: 8 }, () => rawOpen(server.port)));
    for (const peer of peers) {
      peer.socket.pause();
      for (let i = 0; i < 64; i++) peer.socket.write(message);
    }
    const waiting = await settled(
      () => peers.reduce((sum, { socket }) => sum + socket.writableLength, 0),
      500,
    );
    expect(waiting).toBeGreaterThan(8 * 30 * MIB);
    const { memory, bufferedAmount, sockets } = await server.status();
    expect(sockets).toBe(8);
    expect(bufferedAmount).toBeLessThan(8 * 3 * MIB);
    expect(memory - before).toBeLessThan(100 * MIB);
    await expectEcho(server.url);
    expectWell(server.program);
  });

  it("keeps its memory while it sends to 8 peers that do not read, as fast as ready() lets it", async () => {
    const server = await startServer(runtime, "flood", { timeouts: { pingInterval: 600_000 } });
    const before = (await server.status()).memory;
    const peers = await Promise.all(Array.from({ length: 8 }, () => rawConnect(server.port)));
    for (const peer of peers) {
      peer.socket.pause();
      peer.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n");
      peer.write(
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
    }
    await until(async () => (await server.status()).sockets === 8, "all were open");
    await sleep(500);
    const { memory, bufferedAmount } = await server.status();
    expect(bufferedAmount).toBeLessThan(8 * MIB);
    expect(memory - before).toBeLessThan(100 * MIB);
    expectWell(server.program);
  });

  it("serves again when it had no files left for connections", async () => {
    const server = await running(
      startTool([
        "sh",
        "-c",
        `ulimit -n 80; exec "$@"`,
        "sh",
        ...COMMANDS[runtime],
        "test/contract/server.ts",
      ]),
    );
    const peers = await Promise.all(Array.from({ length: 120 }, () => rawConnect(server.port)));
    await sleep(500);
    for (const peer of peers) peer.socket.destroy();
    await until(
      () => server.status().then(({ sockets }) => sockets === 0, () => false),
      "it accepted again",
    );
    await expectEcho(server.url);
    expect(server.program.status).toBeUndefined();
  });
});

describe.each(RUNTIMES)("a server on %s, told to close,", (runtime) => {
  it("says 1001 to everybody, and its process ends by itself", async () => {
    const server = await startServer(runtime);
    const sockets = [await connect(server.url), await connect(server.url)];
    const silent = await rawConnect(server.port);
    await fetch(`http://127.0.0.1:${server.port}/close`);
    for (const socket of sockets) {
      expect(await socket.closed).toMatchObject({ code: 1001, clean: true });
    }
    expect(await server.program.exited).toBe(0);
    expect(server.program.complaints).toBe("");
    await until(() => silent.ended || silent.closed, "the silent peer was dropped");
  });

  it("drops peers that do not answer, do not read or do not end, and its process ends by itself", async () => {
    const server = await startServer(runtime);
    const mute = await rawOpen(server.port);
    const blocked = await rawOpen(server.port);
    blocked.socket.pause();
    for (let i = 0; i < 400; i++) blocked.write(frame("client", 0x82, bytes(60_000)));
    const half = await rawConnect(server.port);
    half.write("GET / HTTP/1.1\r\nHost: a\r\n");
    const clinging = await rawConnect(server.port);
    clinging.write("BAD\r\n\r\n");
    await sleep(100);
    expect(await server.program.stop("SIGINT")).toBe(0);
    expect(server.program.complaints).toBe("");
    expect(mute.ended || mute.closed).toBe(true);
  });

  it.runIf(hasOpenssl)(
    "ends by itself over TLS, although a peer has not shaken hands",
    async () => {
      const { ca, server: tls } = makeCertificates();
      const server = await startServer(runtime, "echo", { tls });
      const socket = await connect(server.url.replace("ws:", "wss:"), { tls: { ca } });
      onTestFinished(() => socket.abort());
      await rawConnect(server.port);
      await sleep(50);
      const begun = Date.now();
      expect(await server.program.stop("SIGINT")).toBe(0);
      // The handshake may take ten seconds.
      expect(Date.now() - begun).toBeLessThan(8000);
      expect(await socket.closed).toMatchObject({ code: 1001, clean: true });
      expect(server.program.complaints).toBe("");
    },
  );
});
