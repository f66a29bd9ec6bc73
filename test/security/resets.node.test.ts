// Connections that are reset at every stage of their life, and a system without descriptors:
// nothing is told to the application that is not its affair, nothing stays counted, and the next
// connection is served.

import { Buffer } from "node:buffer";
import { connect, type Socket as NetSocket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { rawConnect, rawOpen, type RawPeer, request } from "../contract/raw.ts";
import { sleep, until } from "../contract/suite.ts";
import { frame, hex } from "../core/support.ts";
import { hasProc, onEachRuntime, type Target } from "./target.ts";

/**
 * So many may be in at once, on each server; if one of those that were reset stayed counted, too
 * few could come in afterwards.
 */
const ROOM = 20;
const OFFER = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
const options = { connections: { max: ROOM }, timeouts: { close: 1000, handshake: 5000 } };

interface Stage {
  readonly name: string;
  readonly server: string;
  /** Brings a connection to the stage. */
  readonly reach: (port: number) => Promise<RawPeer>;
  /** What is told of its end, if it was a socket by then. */
  readonly told?: string;
}

async function send(peer: RawPeer, ...data: (Uint8Array | string)[]): Promise<RawPeer> {
  peer.write(...data);
  await sleep(30);
  return peer;
}

const STAGES: readonly Stage[] = [
  { name: "accepted", server: "echo", reach: rawConnect },
  {
    name: "in the head",
    server: "echo",
    reach: async (port) => send(await rawConnect(port), "GET / HTTP/1.1\r\nHo"),
  },
  {
    name: "while the application decides",
    server: "gate",
    reach: async (port) => send(await rawConnect(port), request("", "/in")),
  },
  {
    name: "refused",
    server: "echo",
    reach: async (port) => send(await rawConnect(port), "\x16no HTTP"),
  },
  {
    name: "in the body of a request",
    server: "web",
    reach: async (port) =>
      send(await rawConnect(port), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"),
  },
  {
    name: "in the answer of HTTP",
    server: "web",
    reach: async (port) => reading(await rawConnect(port), "GET /big HTTP/1.1\r\nHost: a\r\n\r\n"),
  },
  { name: "open", server: "echo", reach: rawOpen, told: "closed 1006 lost" },
  {
    name: "in the header of a frame",
    server: "echo",
    reach: async (port) => send(await rawOpen(port), Uint8Array.of(0x82)),
    told: "closed 1006 lost",
  },
  {
    name: "in the payload of a frame",
    server: "echo",
    reach: async (port) =>
      send(await rawOpen(port), frame("client", 0x82, "x".repeat(99)).slice(0, 50)),
    told: "closed 1006 lost",
  },
  {
    name: "between fragments",
    server: "echo",
    reach: async (port) => send(await rawOpen(port), frame("client", 0x01, "x")),
    told: "closed 1006 lost",
  },
  {
    name: "in a compressed message (permessage-deflate-node#1, ws#628)",
    server: "squeezed",
    reach: async (port) =>
      send(await rawOpen(port, OFFER), frame("client", 0x42, hex("003200cdff68"))),
    told: "closed 1006 lost",
  },
  {
    name: "in a message it does not read",
    server: "flooding",
    reach: async (port) => reading(await rawConnect(port), request()),
    told: "closed 1006 lost",
  },
  {
    name: "after its Close",
    server: "echo",
    reach: async (port) => send(await rawOpen(port), frame("client", 0x88)),
    told: "closed 1005 peer",
  },
  {
    name: "after the Close of the server",
    server: "closing",
    reach: async (port) => send(await rawOpen(port), frame("client", 0x81, "now")),
    told: "closed 1006 lost",
  },
  {
    name: "after its violation",
    server: "echo",
    reach: async (port) => send(await rawOpen(port), frame("client", 0xff)),
    told: "closed 1002 violation",
  },
];

/** Sends, and stops reading when the answer has begun. */
async function reading(peer: RawPeer, data: string): Promise<RawPeer> {
  peer.write(data);
  await until(() => peer.take().length > 0, "the answer began");
  peer.socket.pause();
  return peer;
}

const names = ["echo", "gate", "web", "flooding", "closing"];

onEachRuntime(
  {
    ...Object.fromEntries(names.map((behaviour) => [behaviour, { behaviour, options }])),
    squeezed: { behaviour: "echo", options: { ...options, deflate: true } },
    lean: { behaviour: "echo" },
  },
  (target) => {
    describe("reset", () => {
      it.each(STAGES.map((stage) => [stage.name, stage] as const))(
        "%s, a connection is gone, and told of once",
        async (_, { server, reach, told }) => {
          const port = target().port(server);
          const peers = await Promise.all(Array.from({ length: ROOM }, () => reach(port)));
          for (const { socket } of peers) socket.resetAndDestroy();
          await until(
            async () => (await target().state()).sockets[server] === 0,
            "the sockets were gone",
          );
          await until(() => hasRoom(port), "there was room for as many again");
          const ends = (await target().notes(server)).filter((line) => line.startsWith("closed"));
          expect(ends).toEqual(told === undefined ? [] : Array(ROOM).fill(told));
        },
      );
    });

    it("ended by the peer at every byte of a handshake and a message, a connection is gone", async () => {
      const port = target().port("lean");
      const bytes = Buffer.concat([
        Buffer.from(request()),
        frame("client", 0x81, "hello"),
        frame("client", 0x88),
      ]);
      await Promise.all(Array.from({ length: bytes.length }, async (_, cut) => {
        const peer = await rawConnect(port);
        peer.end(bytes.subarray(0, cut));
        await until(() => peer.closed, "it was gone");
      }));
      await until(
        async () => (await target().state()).sockets["lean"] === 0,
        "the sockets were gone",
      );
    });

    it.runIf(hasProc)(
      "without descriptors for more, the server serves again when there are some",
      async () => {
        await exhaust(target());
        const peer = await rawOpen(target().port("lean"));
        peer.write(frame("client", 0x81, "hello"));
        expect(await peer.takeFrames(1)).toHaveLength(1);
        // Deno tells of it, Node and Bun do not.
        const { errors } = await target().state();
        expect(errors.filter((error) => !error.includes("Too many open files"))).toEqual([]);
        await target().forget();
      },
    );
  },
);

/**
 * Whether as many come in as may: each is refused for what it says, and none for being one too
 * many.
 */
async function hasRoom(port: number): Promise<boolean> {
  const peers = await Promise.all(Array.from({ length: ROOM }, () => rawConnect(port)));
  for (const peer of peers) peer.write("\x16no HTTP");
  const answers = await Promise.all(peers.map((peer) => peer.takeAll()));
  for (const { socket } of peers) socket.destroy();
  return answers.every((answer) => answer.startsWith("HTTP/1.1 400 "));
}

/** Uses up the descriptors of the program, and gives them back. */
async function exhaust(target: Target): Promise<void> {
  const sockets: NetSocket[] = [];
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  target.limitDescriptors(target.descriptors + 20);
  for (let i = 0; i < 60; i++) {
    const socket = connect({ port: target.port("lean"), host: "127.0.0.1" });
    socket.on("error", () => {});
    sockets.push(socket);
  }
  await sleep(500);
  for (const socket of sockets) socket.destroy();
  await sleep(300);
}
