// Peers that are many, slow, silent, or do not read: what they cost is bounded, and it ends.

import { connect, type Socket as NetSocket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { closing, rawConnect, rawOpen, type RawPeer, request } from "../contract/raw.ts";
import { sleep, until } from "../contract/suite.ts";
import { frame } from "../core/support.ts";
import { hasProc, MIB, onEachRuntime, repeat, type Target } from "./target.ts";

const soon = { handshake: 400, close: 400 };

onEachRuntime({
  echo: { behaviour: "echo" },
  half: { behaviour: "echo", options: { timeouts: { handshake: 60_000 } } },
  slow: { behaviour: "echo", options: { timeouts: { handshake: 400, idle: 400 } } },
  hanging: { behaviour: "hanging", options: { timeouts: soon } },
  silent: {
    behaviour: "closing",
    options: { timeouts: { pingInterval: 250, pongTimeout: 250, close: 250 } },
  },
  web: {
    behaviour: "web",
    options: { timeouts: { ...soon, pingInterval: 300, pongTimeout: 300 } },
  },
  news: {
    behaviour: "news",
    options: { timeouts: soon, backpressure: { maxBufferedAmount: MIB } },
  },
  max: { behaviour: "echo", options: { connections: { max: 20 } } },
  address: { behaviour: "echo", options: { connections: { maxPerAddress: 10 } } },
  handshakes: { behaviour: "hanging", options: { connections: { maxHandshakes: 10 } } },
}, (target) => {
  describe("connections beyond a limit get a clear 503:", () => {
    it.each([
      ["in all", "max", 20, "there are too many connections\n"],
      ["of one address", "address", 10, "there are too many connections from this address\n"],
    ])("%s", async (_, server, limit, reason) => {
      const port = target().port(server);
      const peers = await Promise.all(Array.from({ length: limit }, () => rawOpen(port)));
      expect(await refusalOf(port)).toMatch(refused(reason));
      peers[0]!.socket.destroy();
      await until(async () => (await rawTry(port)) === "101", "there was room again");
    });

    it("but other addresses come in", async () => {
      const port = target().port("address");
      const peers = await Promise.all(Array.from({ length: 10 }, () => rawOpen(port)));
      const stranger = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.9" });
      stranger.write(request());
      const answer = await new Promise((resolve) => stranger.once("data", resolve));
      expect(String(answer)).toMatch(/^HTTP\/1\.1 101 /);
      for (const socket of [stranger, ...peers.map((peer) => peer.socket)]) socket.destroy();
    });

    it("of handshakes under way", async () => {
      const port = target().port("handshakes");
      const peers = await Promise.all(Array.from({ length: 10 }, () => rawConnect(port)));
      for (const peer of peers) peer.write(request());
      expect(await refusalOf(port)).toMatch(refused("there are too many handshakes under way\n"));
    });
  });

  describe.runIf(hasProc)("half-open connections:", () => {
    it("10,000 take little, keep nobody else out, and leave nothing", async () => {
      const sockets: NetSocket[] = [];
      onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
      const count = crowd(target());
      const grown = await target().growth(async () => {
        await openHalf(sockets, target().port("half"), count);
        await until(() => target().descriptors >= count, "all were accepted");
        await rawOpen(target().port("half"));
      });
      expect(grown).toBeLessThan(200 * MIB);
      for (const socket of sockets) socket.destroy();
      await until(() => target().descriptors < 200, "they were gone");
    }, 60_000);

    it("1,000 that do not go by themselves are dropped in time", async () => {
      const sockets: NetSocket[] = [];
      onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
      await openHalf(sockets, target().port("slow"), 1000);
      await until(() => target().descriptors < 200, "they were gone");
    }, 60_000);
  });

  describe("a slow peer", () => {
    it("that sends its handshake byte by byte has the time of one", async () => {
      const peer = await rawConnect(target().port("slow"));
      await dribble(peer, request(`X: ${"x".repeat(2000)}\r\n`));
      expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 408 /);
    });

    it("that sends its frame byte by byte is idle", async () => {
      const peer = await rawOpen(target().port("slow"));
      await dribble(peer, frame("client", 0x82, "x".repeat(2000)));
      expect((await peer.takeFrames()).map(closing)).toEqual([expect.stringMatching(/^1001 /)]);
    });

    it.each([["GET", 200], ["POST", 405]])(
      "that sends a body of %s byte by byte is answered before it, and dropped in time",
      async (method, status) => {
        const peer = await rawConnect(target().port("web"));
        peer.write(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n`);
        await dribble(peer, "x".repeat(2000));
        expect(await peer.takeAll()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
        const patience = performance.now() + 8000;
        while (!peer.closed && performance.now() < patience) {
          peer.socket.write("x");
          await sleep(10);
        }
        expect(peer.closed).toBe(true);
      },
    );

    it("is heard all the same when it is in time", async () => {
      const peer = await rawOpen(target().port("echo"));
      await dribble(peer, frame("client", 0x82, "x".repeat(300)));
      expect((await peer.takeFrames(1))[0]!.payload).toHaveLength(300);
    });
  });

  describe("a silent peer", () => {
    it("that answers no ping is told 1011 and dropped", async () => {
      const peer = await rawOpen(target().port("silent"));
      await until(() => peer.ended, "the server ended its side");
      expect((await peer.takeFrames()).map(({ first }) => first)).toEqual([0x89, 0x88]);
      await until(
        async () => (await target().notes("silent")).includes("closed 1011 timeout"),
        "it was dropped",
      );
    });

    it("of an application that never decides hears 503", async () => {
      const peer = await rawConnect(target().port("hanging"));
      peer.write(request());
      expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 503 /);
    });
  });

  describe.runIf(hasProc)("a peer that does not read", () => {
    it("the news is dropped at the limit, and the others get them all", async () => {
      const [slow, good, publisher] = await Promise.all(
        [0, 1, 2].map(() => rawOpen(target().port("news"))),
      );
      slow!.socket.pause();
      let received = 0;
      good!.socket.on("data", (chunk: Uint8Array) => received += chunk.length);
      const grown = await target().growth(async () => {
        publisher!.write(frame("client", 0x81, "500 65532"));
        await until(() => received >= 500 * 65536, "the others got them all");
        await until(
          async () => (await target().notes("news")).includes("closed 1006 timeout"),
          "it was dropped",
        );
      });
      expect(grown).toBeLessThan(128 * MIB);
      expect(await target().notes("news")).toHaveLength(1);
    });

    it.each([
      ["and floods with pings", repeat(frame("client", 0x89, "x".repeat(125)), 1000)],
      [
        "and floods with messages that are answered",
        repeat(frame("client", 0x82, "x".repeat(125)), 1000),
      ],
    ])("%s is not read, until it reads", async (_, frames) => {
      const peer = await rawOpen(target().port("echo"));
      peer.socket.pause();
      const grown = await target().growth(async () => {
        await until(() => stuck(peer, frames), "the server stopped reading");
        await sleep(200);
      });
      expect(grown).toBeLessThan(64 * MIB);
      peer.socket.resume();
      peer.write(frame("client", 0x89, "last"));
      let end = "";
      await until(() => {
        end = (end + new TextDecoder().decode(peer.take())).slice(-MIB);
        return end.includes("last");
      }, "it was read again");
    });

    it("its answer of HTTP is dropped in time", async () => {
      const peer = await rawConnect(target().port("web"));
      peer.socket.pause();
      peer.write("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
      await sleep(1500);
      peer.socket.resume();
      await until(() => peer.closed || peer.ended, "it was dropped");
      expect(peer.take().length).toBeLessThan(30 * MIB);
    });

    it("its answer of HTTP, but slowly, is served", async () => {
      const peer = await rawConnect(target().port("web"));
      peer.write("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
      let received = 0;
      peer.socket.on("data", (chunk: Uint8Array) => {
        received += chunk.length;
        peer.socket.pause();
        setTimeout(() => peer.socket.resume(), 1);
      });
      await until(() => peer.ended, "it was served");
      expect(received).toBeGreaterThan(32 * MIB);
    });
  });

  it("CVE-2016-10544 (uws) and other floods of pings: a peer that reads gets an answer to each of 10,000", async () => {
    const peer = await rawOpen(target().port("echo"));
    peer.write(repeat(frame("client", 0x89, "x".repeat(8)), 10_000));
    let received = 0;
    await until(() => (received += peer.take().length) >= 100_000, "all were answered");
    expect(received).toBe(100_000);
  });
});

function refused(reason: string): RegExp {
  return new RegExp(
    `^HTTP/1.1 503 Service Unavailable\r\n(?=.*Retry-After: \\d)(?=.*Connection: close).*\r\n\r\n${reason}$`,
    "s",
  );
}

/** The answer to a connection that says nothing. */
async function refusalOf(port: number): Promise<string> {
  const peer = await rawConnect(port);
  const answer = await peer.takeAll();
  peer.end();
  return answer;
}

/** The status of the answer to a handshake. */
async function rawTry(port: number): Promise<string | undefined> {
  const peer = await rawConnect(port);
  peer.write(request());
  const head = await peer.takeHead();
  peer.socket.destroy();
  return head.split(" ")[1];
}

/** 10,000, or as many as this system has descriptors for, at both ends. */
function crowd(target: Target): number {
  const room = target.mostDescriptors - 500;
  if (room >= 10_000) return 10_000;
  console.warn(
    `with ${target.mostDescriptors} descriptors for a process, ${room} half-open connections stand for 10,000`,
  );
  return room;
}

/**
 * Opens connections from several addresses: every other one says nothing, and the rest half of a
 * head.
 */
async function openHalf(sockets: NetSocket[], port: number, count: number): Promise<void> {
  while (sockets.length < count) {
    await Promise.all(Array.from({ length: 250 }, () => {
      const localAddress = `127.0.0.${2 + sockets.length % 8}`;
      const socket = connect({ port, host: "127.0.0.1", localAddress });
      if (sockets.push(socket) % 2 === 0) socket.write("GET / HTTP/1.1\r\nHost: ");
      return new Promise((resolve) =>
        socket.resume().once("connect", resolve).on("error", resolve)
      );
    }));
  }
}

/** Sends byte by byte, until the other end has ended. */
async function dribble(peer: RawPeer, data: Uint8Array | string): Promise<void> {
  for (const byte of typeof data === "string" ? new TextEncoder().encode(data) : data) {
    if (peer.ended || peer.closed) return;
    peer.write(Uint8Array.of(byte));
    await sleep(1);
  }
}

/** Writes, and tells whether it stays: nobody takes it any more. */
async function stuck({ socket }: RawPeer, bytes: Uint8Array): Promise<boolean> {
  for (let i = 0; i < 100 && !socket.writableNeedDrain; i++) socket.write(bytes);
  await sleep(100);
  return socket.writableNeedDrain;
}
