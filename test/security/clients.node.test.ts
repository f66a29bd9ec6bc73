// A client in the hands of a hostile server: what it is told, what it gives away, and what it can
// be made to hold.

import { Buffer } from "node:buffer";
import { constants, deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { acceptance, closing, rawListen } from "../contract/raw.ts";
import { sleep, until } from "../contract/suite.ts";
import { frame, join, utf8 } from "../core/support.ts";
import type { Outcome } from "./server.ts";
import { flood, hasProc, MIB, onEachRuntime, opening, repeat } from "./target.ts";

const text = (content: string): Uint8Array => frame("server", 0x81, content);
const close = (code: number): Uint8Array =>
  frame("server", 0x88, Uint8Array.of(code >> 8, code & 0xff));

const options = { timeouts: { handshake: 500, close: 400 } };

/** A server that answers whoever comes with the same bytes, and keeps their heads. */
async function answering(
  answer: (head: string) => string,
): Promise<{ url: string; heads: string[]; }> {
  const heads: string[] = [];
  const url = await rawListen(async (peer) => {
    const head = await peer.takeHead();
    heads.push(head);
    peer.end(answer(head));
  });
  return { url, heads };
}

onEachRuntime({}, (target) => {
  async function connect(url: string, more: object = {}): Promise<Outcome> {
    return await target().connect({ url, options: { ...options, ...more } });
  }

  describe("a violation of the server is told and answered:", () => {
    it.each([
      ["a frame with a mask", frame("client", 0x81, "x"), 1002],
      ["RSV1 without an extension", frame("server", 0xc1, "x"), 1002],
      ["a continuation of nothing", frame("server", 0x80, "x"), 1002],
      [
        "bun#33010: a message within a fragmented one",
        join([frame("server", 0x01, "x"), frame("server", 0x81, "y")]),
        1002,
      ],
      ["a reserved opcode", frame("server", 0x83, "x"), 1002],
      ["a ping of 126 bytes", frame("server", 0x89, "x".repeat(126)), 1002],
      [
        "CVE-2026-1528 (undici): a length of 2^63-1",
        Uint8Array.of(0x82, 127, 0x7f, ...Array(7).fill(0xff)),
        1009,
      ],
      ["a length of 2^64-1", Uint8Array.of(0x82, 127, ...Array(8).fill(0xff)), 1002],
      [
        "the CVE-2020-27813 (gorilla) overflow: a fragment, then 2^63-1",
        join([frame("server", 0x02, "x"), Uint8Array.of(0x80, 127, 0x7f, ...Array(7).fill(0xff))]),
        1009,
      ],
      ["text that is not UTF-8", frame("server", 0x81, Uint8Array.of(0xff)), 1007],
      [
        "fastwebsockets#122: a character in two fragments, without its end",
        join([
          frame("server", 0x01, Uint8Array.of(0xe2)),
          frame("server", 0x80, Uint8Array.of(0x82)),
        ]),
        1007,
      ],
      ["a Close with 1006", close(1006), 1002],
    ])("%s", async (_, bytes, code) => {
      const said: string[] = [];
      const url = await opening(async (peer) => {
        peer.write(bytes);
        said.push(...(await peer.takeFrames()).map(closing));
        peer.end();
      });
      expect((await connect(url)).closed).toBe(`${code} violation`);
      expect(said).toEqual([expect.stringMatching(new RegExp(`^${code} `))]);
    });
  });

  describe("an answer that opens nothing is a HandshakeError:", () => {
    const switching = (head: string, from: string | RegExp, to: string): string =>
      acceptance(head).replace(from, to);
    it.each<[string, (head: string) => string]>([
      ["another key's Accept", (head) => switching(head, /Accept: ..../, "Accept: AAAA")],
      ["no Accept", (head) => switching(head, /Sec-WebSocket-Accept.*\r\n/, "")],
      [
        "a protocol nobody asked for",
        (head) => switching(head, /\r\n$/, "Sec-WebSocket-Protocol: chat\r\n\r\n"),
      ],
      [
        "an extension nobody offered",
        (head) => switching(head, /\r\n$/, "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
      ],
      ["another protocol", (head) => switching(head, "websocket", "h2c")],
      ["200", () => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
      ["obs-fold", (head) => switching(head, /\r\n$/, "X: a\r\n b\r\n\r\n")],
      ["a bare LF", (head) => switching(head, /\r\n$/, "X: a\nY: b\r\n\r\n")],
      ["no HTTP", () => "SSH-2.0-OpenSSH_9.9\r\n"],
      ["nothing", () => ""],
    ])("%s", async (_, answer) => {
      const { url } = await answering(answer);
      expect((await connect(url)).error).toBe("HandshakeError");
    });
  });

  describe("an answer that does not end", () => {
    it("at all is given up in time", async () => {
      const url = await rawListen(() => {});
      expect(await connect(url)).toMatchObject({
        error: "HandshakeError",
        message: expect.stringMatching(/in time/),
      });
    });

    it("but comes byte by byte is given up in time", async () => {
      const url = await rawListen(async (peer) => {
        for (const byte of utf8(`HTTP/1.1 101 Switching Protocols\r\nX: ${"x".repeat(2000)}`)) {
          if (peer.closed || peer.ended) return peer.end();
          peer.write(Uint8Array.of(byte));
          await sleep(1);
        }
      });
      expect(await connect(url)).toMatchObject({
        error: "HandshakeError",
        message: expect.stringMatching(/in time/),
      });
    });

    it.runIf(hasProc).each([
      ["by fields", "HTTP/1.1 101 Switching Protocols\r\n", "a:b\r\n"],
      ["by one line", "HTTP/1.1 101 Switching Protocols\r\nX: ", "x"],
      ["by informational answers", "", "HTTP/1.1 100 Continue\r\n\r\n"],
      ["by the body of a refusal", "HTTP/1.1 403 Forbidden\r\n\r\n", "x"],
      [
        "by a trailer",
        "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        "a: b\r\n",
      ],
    ])("%s costs no memory", async (_, beginning, more) => {
      const endless = utf8(more.repeat(MIB / more.length));
      const url = await rawListen(async (peer) => {
        peer.write(beginning);
        for (let i = 0; i < 64 && !peer.ended && !peer.closed; i++) {
          if (!peer.socket.write(endless)) await sleep(5);
        }
        peer.end();
      });
      let outcome: Outcome = {};
      const grown = await target().growth(async () => {
        outcome = await connect(url);
      });
      expect(outcome.error).toBe("HandshakeError");
      expect(outcome.body ?? 0).toBeLessThanOrEqual(64 * 1024);
      expect(grown).toBeLessThan(48 * MIB);
    });
  });

  it.each([1, 64, 1000])(
    "libnostr-z PR 134: %i messages in the segment of the 101 are all heard",
    async (count) => {
      const url = await rawListen(async (peer) => {
        const head = await peer.takeHead();
        peer.write(acceptance(head), repeat(text("early"), count), close(1000));
        await peer.takeFrames(1);
        peer.end();
      });
      expect(await connect(url)).toEqual({ closed: "1000 peer", received: Array(count).fill(5) });
    },
  );

  describe("a server that", () => {
    it("does not close TCP after its Close is left in time", async () => {
      const url = await opening((peer) => peer.write(close(1000)));
      expect(await connect(url)).toEqual({ closed: "1000 peer", received: [] });
    });

    it("sends messages behind its Close is not heard", async () => {
      const url = await opening((peer) => peer.write(text("before"), close(1000), text("behind")));
      expect(await connect(url)).toEqual({ closed: "1000 peer", received: [6] });
    });

    it("resets the connection is told as 1006", async () => {
      const url = await opening(async (peer) => {
        peer.write(text("before"));
        await sleep(50);
        peer.socket.resetAndDestroy();
      });
      expect(await connect(url)).toEqual({ closed: "1006 lost", received: [6] });
    });

    it.runIf(hasProc)("sends megabytes behind its Close costs no memory", async () => {
      const url = await opening(async (peer) => {
        peer.write(close(1000));
        await flood(peer, 256);
      });
      const grown = await target().growth(async () => void await connect(url));
      expect(grown).toBeLessThan(100 * MIB);
    });

    it.runIf(hasProc)(
      "floods with pings and does not read the answers costs no memory",
      async () => {
        const pings = repeat(frame("server", 0x89, "x".repeat(125)), 8000);
        const url = await opening(async (peer) => {
          peer.socket.pause();
          for (let i = 0; i < 32 && !peer.closed; i++) {
            if (!peer.socket.write(pings)) {
              await new Promise((resolve) => peer.socket.once("drain", resolve));
            }
          }
          peer.socket.resetAndDestroy();
        });
        let outcome: Outcome = {};
        const grown = await target().growth(async () => {
          outcome = await connect(url);
        });
        expect(outcome.closed).toBe("1006 lost");
        expect(grown).toBeLessThan(64 * MIB);
      },
    );

    it.runIf(hasProc)("CVE-2026-1526 (undici): sends a bomb of 1 GiB is told 1009", async () => {
      const block = deflateRawSync(new Uint8Array(16 * MIB), {
        finishFlush: constants.Z_SYNC_FLUSH,
      });
      const bomb = frame("server", 0xc2, repeat(block, 64).subarray(0, -4));
      const url = await opening(async (peer) => {
        peer.write(bomb);
        await peer.takeFrames();
        peer.end();
      }, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
      let outcome: Outcome = {};
      const grown = await target().growth(async () => {
        outcome = await connect(url, { deflate: true, limits: { maxMessageSize: 4 * MIB } });
      });
      expect(outcome.closed).toBe("1009 violation");
      expect(grown).toBeLessThan(80 * MIB);
    });
  });

  it("aiohttp#1437, okhttp#9472, mojo#2327: masks and keys are not to be guessed", async () => {
    const keys: string[] = [];
    const masks: number[] = [];
    const url = await rawListen(async (peer) => {
      const head = await peer.takeHead();
      keys.push(/^sec-websocket-key: *(\S+)$/im.exec(head)![1]!);
      peer.write(acceptance(head));
      // Frames of two bytes of content: two of header, four of mask, two of content.
      let bytes: Uint8Array = new Uint8Array(0);
      await until(() => (bytes = join([bytes, peer.take()])).length >= 500 * 8, "all frames came");
      for (let at = 0; at < bytes.length; at += 8) {
        masks.push(new DataView(bytes.buffer).getUint32(at + 2));
      }
      peer.write(close(1000));
      peer.end();
    });
    for (let i = 0; i < 4; i++) await target().connect({ url, send: Array(500).fill(2) });
    expect(new Set(keys).size).toBe(4);
    for (const key of keys) expect(Buffer.from(key, "base64")).toHaveLength(16);
    // Of 2000 random numbers of 32 bits, two are the same once in 2000 runs; each bit is set in
    // about half of them.
    expect(new Set(masks).size).toBeGreaterThan(1997);
    for (let bit = 0; bit < 32; bit++) {
      const set = masks.filter((mask) => (mask >>> bit & 1) === 1).length;
      expect(set).toBeGreaterThan(800);
      expect(set).toBeLessThan(1200);
    }
    const steps = masks.slice(1).map((mask, i) => (mask - masks[i]!) >>> 0);
    expect(new Set(steps).size).toBeGreaterThan(1997);
  });

  describe("credentials on a redirect (ws PR 2013, tungstenite PR 551, openai-node PR 2429)", () => {
    const secrets = {
      Authorization: "Bearer token",
      Cookie: "a=1",
      "X-Api-Key": "key",
      "Proxy-Authorization": "Basic x",
    };
    const found = (location: string): string =>
      `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
    const refused = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    const told = (head: string): string[] =>
      head.match(/^(?:authorization|cookie|x-api-key|proxy-authorization)(?=:)/gim) ?? [];

    it("do not go to another origin", async () => {
      const other = await answering(() => refused);
      const first = await answering(() => found(other.url));
      const outcome = await connect(first.url, { redirect: true, headers: secrets });
      expect(outcome.status).toBe(403);
      expect(told(first.heads[0]!)).toHaveLength(4);
      expect(told(other.heads[0]!)).toEqual([]);
    });

    it("do not go to another origin from the URL, nor from the Location", async () => {
      const other = await answering(() => refused);
      const first = await answering(() => found(other.url.replace("ws://", "ws://u:p@")));
      await connect(first.url.replace("ws://", "ws://user:pass@"), { redirect: true });
      expect(told(first.heads[0]!)).toEqual(["Authorization"]);
      expect(told(other.heads[0]!)).toEqual([]);
    });

    it("do not come back from another origin", async () => {
      const home = await answering((head) => head.includes(" /back ") ? refused : found(other.url));
      const other = await answering(() => found(`${home.url}back`));
      await connect(home.url, { redirect: true, headers: secrets });
      expect(home.heads.map(told)).toEqual([expect.objectContaining({ length: 4 }), []]);
    });

    it("stay within one origin", async () => {
      const server = await answering((head) => head.includes(" /next ") ? refused : found("/next"));
      await connect(server.url, { redirect: true, headers: secrets });
      expect(server.heads.map((head) => told(head).length)).toEqual([4, 4]);
    });

    it("go nowhere without the option", async () => {
      const other = await answering(() => refused);
      const first = await answering(() => found(other.url));
      expect((await connect(first.url, { headers: secrets })).status).toBe(302);
      expect(other.heads).toEqual([]);
    });

    it.each(["file:///etc/passwd", "javascript:1", "ftp://127.0.0.1/", "//", ""])(
      "are not tempted by %j",
      async (location) => {
        const first = await answering(() => found(location));
        expect((await connect(first.url, { redirect: true })).status).toBe(302);
      },
    );

    it("are not joined by fields of the Location's", async () => {
      const first = await answering((head) =>
        head.includes(" /a") ? refused : found("/a%0d%0aX-Injected: 1%0d%0a\\\t\u00e4")
      );
      await connect(first.url, { redirect: true });
      expect(first.heads[1]!.split("\r\n")[0]).toMatch(
        /^GET \/a%0d%0aX-Injected:%201%0d%0a\/\S* HTTP\/1\.1$/,
      );
      expect(first.heads[1]).not.toMatch(/^X-Injected/m);
    });

    it("do not go round for ever", async () => {
      const loop = await answering(() => found("/again"));
      expect((await connect(loop.url, { redirect: true, headers: secrets })).status).toBe(302);
      expect(loop.heads).toHaveLength(6);
    });
  });
});
