// Frames that crashed servers, filled their memory, or were taken for what they are not: each with
// the close code it gets.

import { describe, expect, it } from "vitest";
import { closing, rawOpen, type RawPeer } from "../contract/raw.ts";
import { sleep, until } from "../contract/suite.ts";
import { frame, hex, join } from "../core/support.ts";
import { flood, hasProc, MIB, onEachRuntime, repeat, trickle } from "./target.ts";

/** A frame of a client with the length that is said, and none of the payload; the key is zero. */
function announced(first: number, length: string): Uint8Array {
  return join([Uint8Array.of(first), hex(length), hex("00000000")]);
}

const text = (content: string): Uint8Array => frame("client", 0x81, content);
const close = (code: number, reason = ""): Uint8Array =>
  frame(
    "client",
    0x88,
    join([Uint8Array.of(code >> 8, code & 0xff), new TextEncoder().encode(reason)]),
  );

onEachRuntime({
  echo: { behaviour: "echo" },
  deflate: { behaviour: "echo", options: { deflate: true } },
  small: { behaviour: "echo", options: { limits: { maxMessageSize: 1000 } } },
  size: { behaviour: "size" },
  inbox: { behaviour: "inbox", options: { timeouts: { pingInterval: 60_000 } } },
  closing: { behaviour: "closing", options: { timeouts: { close: 400 } } },
}, (target) => {
  /**
   * What the server says to the bytes until it ends: the answers to good messages, and the code of
   * its Close frame.
   */
  async function endOf(server: string, fields: string, ...bytes: Uint8Array[]): Promise<string> {
    const peer = await rawOpen(target().port(server), fields);
    peer.write(...bytes);
    const frames = await peer.takeFrames();
    await until(() => peer.ended || peer.closed, "the server ended its side");
    peer.socket.destroy();
    return frames.map((each) => each.first === 0x88 ? closing(each).split(" ", 1)[0] : "answer")
      .join(", ");
  }

  describe("a violation ends its connection alone:", () => {
    it.each([
      ["CVE-2022-21676 (engine.io): RSV1 without an extension", frame("client", 0xc1, "x"), "1002"],
      ["RSV2", frame("client", 0xa1, "x"), "1002"],
      ["RSV3", frame("client", 0x91, "x"), "1002"],
      ["a frame without a mask", frame("server", 0x81, "x"), "1002"],
      ["a reserved opcode of data", frame("client", 0x83, "x"), "1002"],
      ["a reserved opcode of control", frame("client", 0x8b, "x"), "1002"],
      ["a ping in fragments", frame("client", 0x09, "x"), "1002"],
      ["a ping of 126 bytes", frame("client", 0x89, "x".repeat(126)), "1002"],
      ["a length in two bytes that fits in seven bits", announced(0x82, "fe007d"), "1002"],
      ["a length in eight bytes that fits in two", announced(0x82, "ff000000000000ffff"), "1002"],
      [
        "CVE-2026-43678 (swift-nio): a length of 2^64-1",
        announced(0x82, "ffffffffffffffffff"),
        "1002",
      ],
      ["a length of 2^63", announced(0x82, "ff8000000000000000"), "1002"],
      ["CVE-2026-1528 (undici): a length of 2^63-1", announced(0x82, "ff7fffffffffffffff"), "1009"],
      ["a length of 2^53", announced(0x82, "ff0020000000000000"), "1009"],
      ["a length of 2^32-1", announced(0x82, "ff00000000ffffffff"), "1009"],
      ["a length of 2^31", announced(0x82, "ff0000000080000000"), "1009"],
      [
        "the CVE-2020-27813 (gorilla) overflow: a fragment, then 2^63-1",
        join([frame("client", 0x02, "x"), announced(0x80, "ff7fffffffffffffff")]),
        "1009",
      ],
      [
        "bun#33010: a message within a fragmented one",
        join([frame("client", 0x01, "x"), text("y")]),
        "1002",
      ],
      ["a continuation of nothing", frame("client", 0x80, "x"), "1002"],
      [
        "a continuation after the end",
        join([text("x"), frame("client", 0x80, "x")]),
        "answer, 1002",
      ],
      ["text that is not UTF-8", frame("client", 0x81, hex("ff")), "1007"],
      [
        "fastwebsockets#122: a character in two fragments, without its end",
        join([frame("client", 0x01, hex("e2")), frame("client", 0x80, hex("82"))]),
        "1007",
      ],
      ["a surrogate", frame("client", 0x81, hex("eda080")), "1007"],
      ["an overlong NUL", frame("client", 0x81, hex("c080")), "1007"],
      ["a Close of one byte", frame("client", 0x88, "x"), "1002"],
      ["a Close whose reason is not UTF-8", frame("client", 0x88, hex("03e8ff")), "1007"],
    ])("%s", async (_, bytes, expected) => {
      expect(await endOf("echo", "", bytes)).toBe(expected);
    });

    it.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])(
      "wsproto#182: a Close with %i, which must not be sent",
      async (code) => {
        expect(await endOf("echo", "", close(code))).toBe("1002");
      },
    );

    it.each([
      [
        "bun PR 33395: RSV1 on a continuation",
        join([frame("client", 0x41, "x"), frame("client", 0xc0, "x")]),
        "1002",
      ],
      ["RSV1 on a ping", frame("client", 0xc9, ""), "1002"],
    ])("%s, where compression is agreed on", async (_, bytes, expected) => {
      expect(await endOf("deflate", "Sec-WebSocket-Extensions: permessage-deflate\r\n", bytes))
        .toBe(expected);
    });

    it.each([
      ["a frame of 1001 bytes", frame("client", 0x82, new Uint8Array(1001)), "1009"],
      [
        "fastwebsockets#100: fragments of 1001 bytes in all",
        join(
          [0x02, 0x00, 0x00, 0x80].map((first, i) =>
            frame("client", first, new Uint8Array(i < 3 ? 333 : 2))
          ),
        ),
        "1009",
      ],
      [
        "fragments of 1000 bytes in all, and then one too many",
        join([
          frame("client", 0x02, new Uint8Array(1000)),
          frame("client", 0x80),
          frame("client", 0x02, new Uint8Array(1000)),
          announced(0x00, "81"),
        ]),
        "answer, 1009",
      ],
    ])("%s, where messages may have 1000", async (_, bytes, expected) => {
      expect(await endOf("small", "", bytes)).toBe(expected);
    });
  });

  it("bun PR 42511: messages with lengths of 7, 16 and 64 bits, byte by byte, are heard", async () => {
    const peer = await rawOpen(target().port("size"));
    const sizes = [5, 200, 70_000];
    await trickle(peer.socket, sizes.map((size) => frame("client", 0x82, new Uint8Array(size))));
    await until(async () => (await target().notes("size")).length === 3, "all came");
    expect(await target().notes("size")).toEqual(sizes.map((size) => `binary of ${size}`));
  });

  describe("the Close of the peer", () => {
    it.each([
      [
        "bun PR 33457: without a code is echoed without one",
        frame("client", 0x88),
        "none",
        "closed 1005 peer",
      ],
      ["bun PR 35529: is echoed as it is", close(4711, "why"), "4711 \"why\"", "closed 4711 peer"],
    ])("%s", async (_, bytes, echoed, noted) => {
      const peer = await rawOpen(target().port("closing"));
      peer.write(bytes);
      expect((await peer.takeFrames()).map(closing)).toEqual([echoed]);
      peer.end();
      await until(async () => (await target().notes("closing")).includes(noted), "it was told");
    });

    it("bun PR 42511: byte by byte is the same", async () => {
      const peer = await rawOpen(target().port("closing"));
      for (const byte of close(4711, "why")) {
        peer.write(Uint8Array.of(byte));
        await sleep(2);
      }
      expect((await peer.takeFrames()).map(closing)).toEqual(["4711 \"why\""]);
    });

    it("ends what is heard: messages behind it are not", async () => {
      const peer = await rawOpen(target().port("closing"));
      peer.write(text("before"), close(1000), text("behind"));
      await peer.takeFrames();
      peer.end(text("later"));
      await until(
        async () => (await target().notes("closing")).includes("closed 1000 peer"),
        "it was told",
      );
      expect(await target().notes("closing")).toEqual(["heard before", "closed 1000 peer"]);
    });

    it.runIf(hasProc)("megabytes behind it cost no memory", async () => {
      const grown = await target().growth(async () => {
        const peer = await rawOpen(target().port("closing"));
        peer.write(close(1000));
        await flood(peer, 256);
        peer.socket.destroy();
      });
      expect(grown).toBeLessThan(100 * MIB);
    });
  });

  describe("a peer that does not close TCP", () => {
    it("after its own Close is dropped in time", async () => {
      const peer = await rawOpen(target().port("closing"));
      peer.write(close(1000));
      await until(() => peer.ended, "the server ended its side");
      await until(() => dropped(peer), "the server dropped the connection");
      expect(await target().notes("closing")).toEqual(["closed 1000 peer"]);
      expect((await target().state()).sockets["closing"]).toBe(0);
    });

    it("and never answers a Close is dropped in time", async () => {
      const peer = await rawOpen(target().port("closing"));
      peer.write(text("now"));
      expect((await peer.takeFrames(1)).map(closing)).toEqual(["3000 \"by the server\""]);
      await until(() => dropped(peer), "the server dropped the connection");
      expect(await target().notes("closing")).toEqual(["heard now", "closed 1006 timeout"]);
    });

    it("after a violation is dropped in time", async () => {
      const peer = await rawOpen(target().port("closing"));
      peer.write(frame("client", 0xf1));
      await until(() => dropped(peer), "the server dropped the connection");
      expect(await target().notes("closing")).toEqual(["closed 1002 violation"]);
    });
  });

  describe.runIf(hasProc)("the memory of a server:", () => {
    const COUNT = 1_000_000;

    it.each([
      ["CVE-2026-48779 (ws): a million fragments of one byte", "61", COUNT],
      ["ws PR 2329: a million fragments of no byte", "", 0],
    ])("%s cost what their bytes do, and make one message", async (_, byte, size) => {
      const fragments = repeat(frame("client", 0x00, hex(byte)), 1000);
      const grown = await target().growth(async () => {
        const peer = await rawOpen(target().port("size"));
        peer.write(frame("client", 0x02));
        for (let i = 0; i < COUNT / 1000; i++) await taken(peer, fragments);
        peer.write(frame("client", 0x80));
        await until(async () => (await target().notes("size")).length > 0, "the message came");
      });
      expect(await target().notes("size")).toEqual([`binary of ${size}`]);
      expect(grown).toBeLessThan(100 * MIB);
    });

    it("ws#2331: 131072 fragments of one byte on each of 40 connections, none of them finished", async () => {
      const fragments = repeat(frame("client", 0x00, "a"), 4096);
      const grown = await target().growth(async () => {
        const peers = await Promise.all(
          Array.from({ length: 40 }, () => rawOpen(target().port("size"))),
        );
        await Promise.all(peers.map(async (peer) => {
          peer.write(frame("client", 0x02));
          for (let i = 0; i < 32; i++) await taken(peer, fragments);
          peer.write(frame("client", 0x89));
          await peer.takeFrames(1);
        }));
      });
      expect(grown).toBeLessThan(150 * MIB);
    });

    it("CVE-2026-48779 (ws): 16 MiB announced on each of 50 connections, and sent a byte at a time", async () => {
      const grown = await target().growth(async () => {
        const peers = await Promise.all(
          Array.from({ length: 50 }, () => rawOpen(target().port("size"))),
        );
        for (const peer of peers) peer.write(announced(0x82, "ff0000000001000000"));
        for (let i = 0; i < 1000; i++) {
          for (const peer of peers) peer.write("x");
          await sleep(1);
        }
      });
      expect(grown).toBeLessThan(64 * MIB);
    });

    it("16 MiB announced on each of 200 connections, and never sent", async () => {
      const grown = await target().growth(async () => {
        const peers = await Promise.all(
          Array.from({ length: 200 }, () => rawOpen(target().port("size"))),
        );
        for (const peer of peers) {
          peer.write(frame("client", 0x89), announced(0x82, "ff0000000001000000"), "x");
        }
        for (const peer of peers) await peer.takeFrames(1);
      });
      expect(grown).toBeLessThan(64 * MIB);
    });

    it("messages that nobody asks for: reading stops", async () => {
      const empty = repeat(frame("client", 0x82), 10_000);
      const grown = await target().growth(async () => {
        const peer = await rawOpen(target().port("inbox"));
        for (let i = 0; i < 1000 && !peer.socket.writableNeedDrain; i++) peer.socket.write(empty);
        await sleep(300);
        expect(peer.socket.writableNeedDrain).toBe(true);
      });
      expect(grown).toBeLessThan(100 * MIB);
    });
  });
});

/** Writes the bytes, no faster than they are taken. */
async function taken({ socket }: RawPeer, bytes: Uint8Array): Promise<void> {
  if (!socket.write(bytes)) {
    await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
  }
}

/**
 * Whether the other end is gone: then, and not while it has only ended its side, what is written is
 * answered by a reset.
 */
function dropped(peer: RawPeer): boolean {
  if (!peer.closed) peer.socket.write(frame("client", 0x8a));
  return peer.closed;
}
