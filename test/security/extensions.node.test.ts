// A client with compression in the hands of a hostile server: what it must not agree to, what it
// can be made to hold, and what it asks for in a way that every server understands.

import { Buffer } from "node:buffer";
import { constants, deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { acceptance, closing, rawListen } from "../contract/raw.ts";
import { sleep } from "../contract/waiting.ts";
import { frame, hex, join } from "../core/support.ts";
import type { Errand, Outcome } from "./server.ts";
import { flood, hasProc, MIB, onEachRuntime, opening, repeat } from "./target.ts";

const options = {
  deflate: true,
  limits: { maxMessageSize: 4 * MIB },
  timeouts: { handshake: 2000, close: 1000 },
};

const answer = (extensions: string): string => `Sec-WebSocket-Extensions: ${extensions}\r\n`;
const AGREED = answer("permessage-deflate");

/** A body of RFC 7692 §7.2.1, made with the smallest window that zlib has. */
function compressed(content: string): Buffer {
  const flush = { finishFlush: constants.Z_SYNC_FLUSH, windowBits: 9 };
  return deflateRawSync(Buffer.from(content), flush).subarray(0, -4);
}

onEachRuntime({}, (target) => {
  async function connect(url: string, more: Partial<Errand> = {}): Promise<Outcome> {
    return await target().connect({ url, options, ...more });
  }

  describe("CVE-2026-2229 (undici): an answer that cannot be kept to is a HandshakeError:", () => {
    it.each([
      "permessage-deflate; server_max_window_bits=1000",
      "permessage-deflate; server_max_window_bits=7",
      "permessage-deflate; server_max_window_bits=16",
      "permessage-deflate; server_max_window_bits=08",
      "permessage-deflate; server_max_window_bits=-9",
      "permessage-deflate; server_max_window_bits",
      "permessage-deflate; client_max_window_bits",
      "permessage-deflate; client_max_window_bits=99999999999999999999",
      "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
      "permessage-deflate; server_no_context_takeover=1",
      "permessage-deflate; constructor",
      "permessage-deflate; a=\"\\",
      "permessage-deflate, permessage-deflate",
      "x-webkit-deflate-frame",
      "constructor",
      "",
    ])("%s", async (extensions) => {
      const url = await opening((peer) => peer.end(), answer(extensions));
      expect((await connect(url)).error).toBe("HandshakeError");
    });
  });

  describe("a violation of the server is told and answered:", () => {
    it.each([
      [
        "bun PR 33395: RSV1 on a continuation",
        join([frame("server", 0x41, "x"), frame("server", 0xc0, "x")]),
        1002,
      ],
      ["RSV1 on a ping", frame("server", 0xc9), 1002],
      ["a block of no type", frame("server", 0xc2, hex("06")), 1007],
      ["a message that ends within a block", frame("server", 0xc2, hex("003200cdff68")), 1007],
      [
        "text that inflates to what is no UTF-8",
        frame("server", 0xc1, hex("000100feffff00")),
        1007,
      ],
    ])("%s", async (_, bytes, code) => {
      const said: string[] = [];
      const url = await opening(async (peer) => {
        peer.write(bytes);
        said.push(...(await peer.takeFrames()).map(closing));
        peer.end();
      }, AGREED);
      expect((await connect(url)).closed).toBe(`${code} violation`);
      expect(said).toEqual([expect.stringMatching(new RegExp(`^${code} `))]);
    });
  });

  describe.runIf(hasProc)("a message without end costs what the limit says, and is 1009:", () => {
    it.each([
      ["undici#4899: in fragments that are not compressed", 0x02, new Uint8Array(1024)],
      [
        "in fragments that are compressed",
        0x42,
        Buffer.concat([compressed("x".repeat(4096)), hex("0000ffff")]),
      ],
    ])("%s", async (_, first, content) => {
      const fragments = repeat(frame("server", 0x00, content), 1000);
      const url = await opening(async (peer) => {
        peer.write(frame("server", first));
        for (let i = 0; i < 200 && !peer.ended && !peer.closed; i++) {
          if (!peer.socket.write(fragments)) await sleep(2);
        }
        peer.end();
      }, AGREED);
      let outcome: Outcome = {};
      const grown = await target().growth(async () => {
        outcome = await connect(url);
      });
      expect(outcome).toEqual({ closed: "1009 violation", received: [] });
      expect(grown).toBeLessThan(64 * MIB);
    });

    it("and so do megabytes behind it", async () => {
      const url = await opening(async (peer) => {
        peer.write(frame("server", 0x82, new Uint8Array(4 * MIB + 1)));
        await flood(peer, 256);
      }, AGREED);
      let outcome: Outcome = {};
      const grown = await target().growth(async () => {
        outcome = await connect(url);
      });
      expect(outcome).toEqual({ closed: "1009 violation", received: [] });
      expect(grown).toBeLessThan(100 * MIB);
    });
  });

  describe("madler/zlib#171: a window of 8", () => {
    it("that the server has is one to inflate with", async () => {
      const url = await opening((peer) => {
        peer.write(frame("server", 0xc1, compressed("hello hello hello")), frame("server", 0x88));
      }, answer("permessage-deflate; server_max_window_bits=8"));
      expect(await connect(url)).toEqual({ closed: "1005 peer", received: [17] });
    });

    it("that the server wants of the client is kept to: nothing is compressed", async () => {
      const firsts: number[] = [];
      const url = await opening(async (peer) => {
        const [message] = await peer.takeFrames(1);
        firsts.push(message!.first, message!.payload.length);
        peer.write(frame("server", 0x88));
      }, answer("permessage-deflate; client_max_window_bits=8"));
      await connect(url, { send: ["x".repeat(1000)] });
      expect(firsts).toEqual([0x81, 1000]);
    });
  });

  it("beast#2671: is offered without parameters, too, for servers that decline any", async () => {
    const offers: string[] = [];
    const url = await rawListen(async (peer) => {
      const head = await peer.takeHead();
      offers.push(...(/^sec-websocket-extensions: *(.*)$/im.exec(head)?.[1] ?? "").split(/ *, */));
      peer.write(
        acceptance(head).replace(/\r\n$/, `${AGREED}\r\n`),
        frame("server", 0xc1, compressed("hello")),
      );
      peer.write(frame("server", 0x88));
    });
    expect(await connect(url)).toEqual({ closed: "1005 peer", received: [5] });
    expect(offers.at(-1)).toBe("permessage-deflate");
  });
});
