// Peers that end, reset and talk nonsense in every state, against the server program on each
// runtime: it goes on serving, complains about nothing, and keeps nothing of them.

import { Buffer } from "node:buffer";
import { connect as tlsConnect, type TLSSocket } from "node:tls";
import type { ServeOptions } from "sansws";
import { describe, expect, it } from "vitest";
import { frame } from "../core/support.ts";
import { RUNTIMES } from "../processes.ts";
import { hasOpenssl, makeCertificates } from "./certificates.ts";
import type { RunningProgram } from "./processes.ts";
import { expectEcho, expectWell, openFiles, startServer } from "./processes.ts";
import { rawConnect, rawOpen, type RawPeer, request } from "./raw.ts";
import { bytes, sleep, until } from "./suite.ts";

const flood = Array.from({ length: 400 }, () => frame("client", 0x82, bytes(60_000)));

/** What a peer does, and then resets the connection or ends it in the way that is tried. */
const ATTACKS: Readonly<Record<string, (server: RunningProgram) => Promise<RawPeer>>> = {
  "before it has said anything": ({ port }) => rawConnect(port),
  "within its request": async ({ port }) => {
    const peer = await rawConnect(port);
    peer.write(request().slice(0, 60));
    return peer;
  },
  "behind its request": async ({ port }) => {
    const peer = await rawConnect(port);
    peer.write(request());
    return peer;
  },
  "behind a request that is refused": async ({ port }) => {
    const peer = await rawConnect(port);
    peer.write("BAD\r\n\r\n");
    return peer;
  },
  "behind a request for a page": async ({ port }) => {
    const peer = await rawConnect(port);
    peer.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    return peer;
  },
  "within the body of a request": async ({ port }) => {
    const peer = await rawConnect(port);
    peer.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx");
    return peer;
  },
  "when it is open": ({ port }) => rawOpen(port),
  "within a frame": async ({ port }) => {
    const peer = await rawOpen(port);
    peer.write(frame("client", 0x82, bytes(100_000)).slice(0, 50_000));
    return peer;
  },
  "behind a message": async ({ port }) => {
    const peer = await rawOpen(port);
    peer.write(frame("client", 0x82, bytes(100_000)));
    return peer;
  },
  "behind a Close frame": async ({ port }) => {
    const peer = await rawOpen(port);
    peer.write(frame("client", 0x88, Uint8Array.of(3, 232)));
    return peer;
  },
  "behind a violation": async ({ port }) => {
    const peer = await rawOpen(port);
    peer.write(new Uint8Array(1000).fill(0xff));
    return peer;
  },
  "while it floods and does not read": async ({ port }) => {
    const peer = await rawOpen(port);
    peer.socket.pause();
    peer.write(...flood);
    await sleep(200);
    return peer;
  },
};

const WAYS: Readonly<Record<string, (peer: RawPeer) => void>> = {
  resets: (peer) => void peer.socket.resetAndDestroy(),
  "ends and goes": (peer) => void peer.socket.destroy(),
  "ends its side only": (peer) => peer.end(),
};

// Who is gone must be found out without a ping; who only ends its side while it is not read cannot.
function timeouts(way: string): NonNullable<ServeOptions["timeouts"]> {
  const pings = way === "ends its side only"
    ? { pingInterval: 500, pongTimeout: 500 }
    : { pingInterval: 600_000 };
  return { handshake: 1000, close: 1000, ...pings };
}

describe.each(RUNTIMES)("a server on %s", (runtime) => {
  it.each(Object.keys(WAYS))("outlives a peer that %s, in every state", async (way) => {
    const server = await startServer(runtime, "echo", { timeouts: timeouts(way) });
    await expectEcho(server.url);
    const files = openFiles(server.program);
    for (const attack of Object.values(ATTACKS)) {
      const peers = await Promise.all(Array.from({ length: 9 }, () => attack(server)));
      for (const [i, peer] of peers.entries()) {
        if (i % 3 === 2) await sleep(5);
        WAYS[way]!(peer);
      }
    }
    await expectEcho(server.url);
    await until(async () => (await server.status()).sockets === 0, "it had forgotten them all");
    await until(() => openFiles(server.program) <= files, "it had let go of their connections");
    expect((await server.status()).errors).toEqual([]);
    expectWell(server.program);
  });

  it("outlives 50 peers that reset at once while it writes to them", async () => {
    const server = await startServer(runtime, "flood");
    // More than once: where a reset is noticed is a matter of luck.
    for (let round = 0; round < 8; round++) {
      const peers = await Promise.all(Array.from({ length: 50 }, () => rawOpen(server.port)));
      for (const peer of peers) peer.socket.resetAndDestroy();
      await until(async () => (await server.status()).sockets === 0, "it had forgotten them all");
    }
    expectWell(server.program);
  });

  it("keeps a socket whose handler fails from hurting others", async () => {
    const server = await startServer(runtime, "fail");
    const witness = await rawOpen(server.port);
    for (const word of ["throw", "reject"]) {
      const peer = await rawOpen(server.port);
      peer.write(frame("client", 0x81, "good"), frame("client", 0x81, word));
      const [echo, close] = await peer.takeFrames(2);
      expect(new TextDecoder().decode(echo!.payload)).toBe("good");
      expect(close).toMatchObject({ first: 0x88, payload: Uint8Array.of(0x03, 0xf3) });
      peer.end();
    }
    witness.write(frame("client", 0x81, "unharmed"));
    expect(new TextDecoder().decode((await witness.takeFrames(1))[0]!.payload)).toBe("unharmed");
    expect((await server.status()).errors).toEqual(["Error: thrown", "Error: rejected"]);
    expectWell(server.program);
  });
});

describe.runIf(hasOpenssl).each(RUNTIMES)("a TLS server on %s", (runtime) => {
  const { ca, server: tls } = hasOpenssl ? makeCertificates() : { ca: "", server: undefined };

  /** A peer after its TLS handshake, and after that of WebSocket. */
  async function openTls(port: number): Promise<{ socket: TLSSocket; reset: () => void; }> {
    const { socket: tcp } = await rawConnect(port);
    const socket = tlsConnect({ socket: tcp, host: "localhost", ca });
    socket.on("error", () => {});
    socket.write(request());
    await new Promise((resolve) => socket.once("data", resolve).once("close", resolve));
    return { socket, reset: () => void tcp.resetAndDestroy() };
  }

  it("outlives peers that break off, before, within and after the TLS handshake", async () => {
    const server = await startServer(runtime, "echo", { tls, timeouts: timeouts("resets") });
    const files = openFiles(server.program);
    const hello = "16030100c2010000be0303";
    for (
      const data of [
        "",
        "GET / HTTP/1.1\r\n\r\n",
        "nonsense".repeat(1000),
        Buffer.from(hello, "hex"),
      ]
    ) {
      for (const way of Object.values(WAYS)) {
        const peer = await rawConnect(server.port);
        if (data.length > 0) peer.write(data);
        await sleep(10);
        way(peer);
      }
    }
    (await openTls(server.port)).reset();
    (await openTls(server.port)).socket.destroy();
    (await openTls(server.port)).socket.end();
    (await openTls(server.port)).socket.end(frame("client", 0x81, "last words"));
    (await openTls(server.port)).socket.end(frame("client", 0x88, Uint8Array.of(3, 232)));
    const flooding = await openTls(server.port);
    flooding.socket.pause();
    for (const message of flood) flooding.socket.write(message);
    await sleep(200);
    flooding.reset();
    const url = server.url.replace("ws:", "wss:");
    await expectEcho(url, { tls: { ca } });
    await until(() => openFiles(server.program) <= files, "it had let go of their connections");
    expectWell(server.program);
    expect(await server.program.stop("SIGINT")).toBe(0);
    expect(server.program.complaints).toBe("");
  });

  it("answers a peer that ends its side behind a message", async () => {
    const server = await startServer(runtime, "echo", { tls });
    const { socket } = await openTls(server.port);
    const received: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => received.push(chunk));
    socket.end(frame("client", 0x81, "last words"));
    await new Promise((resolve) => socket.once("end", resolve));
    expect(Buffer.concat(received).toString()).toContain("last words");
    expectWell(server.program);
  });
});
