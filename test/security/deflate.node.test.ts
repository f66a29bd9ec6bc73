// Compression as a weapon: little that becomes much, and what no inflater should be asked for.

import { Buffer } from "node:buffer";
import { constants, deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { closing, rawConnect, rawOpen, request } from "../contract/raw.ts";
import { until } from "../contract/suite.ts";
import { frame, hex, join } from "../core/support.ts";
import { hasProc, MIB, onEachRuntime, repeat } from "./target.ts";

const OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

/** A body of RFC 7692 §7.2.1, without the tail that every receiver adds. */
function compressed(content: Uint8Array): Buffer {
  return deflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH, level: 9 }).subarray(0, -4);
}

/** 1 GiB of zeros in a megabyte: blocks that refer to nothing before them, one behind the other. */
function gibibyte(): Uint8Array {
  const block = deflateRawSync(new Uint8Array(16 * MIB), {
    finishFlush: constants.Z_SYNC_FLUSH,
    level: 9,
  });
  return repeat(block, 64).subarray(0, -4);
}

/** The body as one message of fragments of so many bytes. */
function fragments(body: Uint8Array, size: number): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += size) {
    const opcode = at === 0 ? 0x42 : at + size < body.length ? 0x00 : 0x80;
    frames.push(frame("client", opcode, body.subarray(at, at + size)));
  }
  return join(frames);
}

const BOMB = gibibyte();
const limits = { maxMessageSize: 4 * MIB };

onEachRuntime({
  deflate: { behaviour: "size", options: { deflate: true, limits } },
  fresh: { behaviour: "size", options: { deflate: { peerTakeover: false }, limits } },
  unlimited: { behaviour: "size", options: { deflate: true } },
  echo: { behaviour: "echo", options: { deflate: true } },
}, (target) => {
  /** What a connection with compression is closed with, after what it is sent. */
  async function endOf(server: string, bytes: Uint8Array): Promise<string> {
    const peer = await rawOpen(target().port(server), OFFER);
    peer.write(bytes);
    const [close] = await peer.takeFrames();
    await until(() => peer.ended || peer.closed, "the server ended its side");
    peer.socket.destroy();
    return closing(close!).split(" ", 1)[0]!;
  }

  describe.runIf(hasProc)(
    "CVE-2026-1526 (undici), CVE-2018-1000518 (websockets): a bomb of 1 GiB",
    () => {
      it.each([
        ["in one frame", () => frame("client", 0xc2, BOMB)],
        ["in fragments of a kilobyte", () => fragments(BOMB, 1024)],
        [
          "in fragments of a byte, as far as it takes",
          () => fragments(BOMB.subarray(0, 20_000), 1),
        ],
        ["of text", () => frame("client", 0xc1, BOMB)],
      ])("%s is closed with 1009, and costs no more than the limit", async (_, bytes) => {
        const attack = bytes();
        const grown = await target().growth(async () => {
          expect(await endOf("deflate", attack)).toBe("1009");
        });
        expect(grown).toBeLessThan(64 * MIB);
        await until(
          async () => (await target().notes("deflate")).includes("closed 1009 violation"),
          "it was told",
        );
      });

      it("on each of 20 connections at once costs no more than the limit on each", async () => {
        const attack = frame("client", 0xc2, BOMB);
        const grown = await target().growth(async () => {
          const ends = await Promise.all(
            Array.from({ length: 20 }, () => endOf("deflate", attack)),
          );
          expect(ends).toEqual(Array(20).fill("1009"));
        });
        expect(grown).toBeLessThan(250 * MIB);
      });

      it("within a bomb inflates once: what is in the message is the application's affair", async () => {
        const inner = frame("client", 0xc2, BOMB);
        const peer = await rawOpen(target().port("deflate"), OFFER);
        peer.write(frame("client", 0xc2, compressed(inner)));
        await until(async () => (await target().notes("deflate")).length > 0, "the message came");
        expect(await target().notes("deflate")).toEqual([`binary of ${inner.length}`]);
      });
    },
  );

  it.runIf(hasProc)(
    "bombs within the limit, a hundred on each of 3 connections, are inflated in turns",
    async () => {
      const attack = repeat(frame("client", 0xc2, compressed(new Uint8Array(MIB))), 100);
      const grown = await target().growth(async () => {
        const peers = await Promise.all(
          Array.from({ length: 3 }, () => rawOpen(target().port("deflate"), OFFER)),
        );
        for (const peer of peers) peer.write(attack, frame("client", 0x88));
        await Promise.all(peers.map((peer) => peer.takeFrames(1)));
      });
      // Not the hundred of a connection at once: they may come in one chunk.
      expect(grown).toBeLessThan(100 * MIB);
      expect((await target().notes("deflate")).filter((note) => note === `binary of ${MIB}`))
        .toHaveLength(300);
    },
  );

  it("ends at the limit to the byte: 4 MiB pass, and one more does not", async () => {
    const peer = await rawOpen(target().port("deflate"), OFFER);
    peer.write(frame("client", 0xc2, compressed(new Uint8Array(4 * MIB))));
    await until(async () => (await target().notes("deflate")).length > 0, "the message came");
    expect(await target().notes("deflate")).toEqual([`binary of ${4 * MIB}`]);
    expect(await endOf("deflate", frame("client", 0xc2, compressed(new Uint8Array(4 * MIB + 1)))))
      .toBe("1009");
  });

  it.runIf(hasProc)("megabytes that inflate to nothing cost nothing", async () => {
    const empty = repeat(hex("000000ffff"), 2_000_000);
    const grown = await target().growth(async () => {
      const peer = await rawOpen(target().port("unlimited"), OFFER);
      peer.write(frame("client", 0xc2, empty.subarray(0, -4)));
      await until(async () => (await target().notes("unlimited")).length > 0, "the message came");
    });
    expect(await target().notes("unlimited")).toEqual(["binary of 0"]);
    expect(grown).toBeLessThan(100 * MIB);
  });

  describe("what does not inflate is closed with 1007:", () => {
    it.each([
      ["a block of no type", hex("06")],
      ["a stored block whose length has no complement", hex("00ffffffff")],
      ["a distance to before the beginning", hex("020200")],
      ["codes that are too many", hex("04ffffffffffffff")],
      ["noise", Uint8Array.from({ length: 500 }, (_, i) => (i * 167 + 5) & 0xff)],
    ])("%s", async (_, body) => {
      expect(await endOf("deflate", frame("client", 0xc2, body))).toBe("1007");
    });

    it("permessage-deflate-node#1: while a thousand good messages wait behind it", async () => {
      const good = frame("client", 0xc2, compressed(Buffer.from("hello")));
      const attack = join([good, frame("client", 0xc2, hex("06")), repeat(good, 1000)]);
      expect(await endOf("fresh", attack)).toBe("1007");
      await until(
        async () => (await target().notes("fresh")).includes("closed 1007 violation"),
        "it was told",
      );
      expect(await target().notes("fresh")).toEqual(["binary of 5", "closed 1007 violation"]);
    });
  });

  it("ws#2294: a last block that says so is inflated as any", async () => {
    const peer = await rawOpen(target().port("deflate"), OFFER);
    const body = join([deflateRawSync(Buffer.from("hello")), hex("00")]);
    peer.write(frame("client", 0xc2, body), frame("client", 0xc2, body));
    await until(async () => (await target().notes("deflate")).length === 2, "both messages came");
    expect(await target().notes("deflate")).toEqual(["binary of 5", "binary of 5"]);
  });

  describe("uWS#1347 (Safari): a client that refers to earlier messages although the answer said not to", () => {
    const content = Buffer.from("a sentence that is said more than once");
    const again = deflateRawSync(content, {
      finishFlush: constants.Z_SYNC_FLUSH,
      dictionary: content,
    }).subarray(0, -4);
    const messages = [frame("client", 0xc2, compressed(content)), frame("client", 0xc2, again)];

    it("is understood", async () => {
      const peer = await rawOpen(target().port("fresh"), OFFER);
      peer.write(...messages);
      await until(async () => (await target().notes("fresh")).length === 2, "both messages came");
      expect(await target().notes("fresh")).toEqual(Array(2).fill(`binary of ${content.length}`));
    });

    it("is closed with 1007 when it had promised not to", async () => {
      const peer = await rawOpen(
        target().port("fresh"),
        "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n",
      );
      peer.write(...messages);
      expect((await peer.takeFrames()).map(closing)).toEqual([expect.stringMatching(/^1007 /)]);
      peer.end();
      await until(
        async () => (await target().notes("fresh")).includes("closed 1007 violation"),
        "it was told",
      );
    });
  });

  it.runIf(hasProc)(
    "node#8871, ws#1202, engine.io#559: 500 connections that talk at once cost little each",
    async () => {
      const COUNT = 500;
      const content = Buffer.from(Array.from({ length: 400 }, (_, i) => `{"id":${i * i}}`).join());
      const message = frame("client", 0xc1, compressed(content));
      const grown = await target().growth(async () => {
        const peers = await Promise.all(
          Array.from({ length: COUNT }, () => rawOpen(target().port("echo"), OFFER)),
        );
        for (let round = 0; round < 5; round++) {
          for (const peer of peers) peer.write(message);
          for (const peer of peers) {
            expect((await peer.takeFrames(1)).map(({ first }) => first)).toEqual([0xc1]);
          }
        }
      });
      expect(grown / COUNT).toBeLessThan(400 * 1024);
    },
  );

  describe("CVE-2026-2229 (undici): an offer with a window that", () => {
    it.each([
      "server_max_window_bits=1000",
      "server_max_window_bits=7",
      "server_max_window_bits=16",
      "server_max_window_bits=08",
      "server_max_window_bits=-9",
      "server_max_window_bits",
      "client_max_window_bits=99999999999999999999",
      "client_max_window_bits=0",
      "server_max_window_bits=10; server_max_window_bits=10",
      "server_no_context_takeover=1",
      "unknown",
    ])("is %s is declined", async (param) => {
      const peer = await rawConnect(target().port("deflate"));
      peer.write(request(`Sec-WebSocket-Extensions: permessage-deflate; ${param}\r\n`));
      const answer = await peer.takeHead();
      expect(answer).toMatch(/^HTTP\/1\.1 101 /);
      expect(answer).not.toMatch(/sec-websocket-extensions/i);
    });

    it("is 8, which zlib cannot deflate with, is declined or kept to", async () => {
      const peer = await rawConnect(target().port("deflate"));
      peer.write(
        request("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\n"),
      );
      const answer = await peer.takeHead();
      expect(answer).toMatch(/^HTTP\/1\.1 101 /);
      expect(answer).not.toMatch(/server_max_window_bits=(?!8)/);
    });
  });
});
