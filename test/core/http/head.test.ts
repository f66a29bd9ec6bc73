// Heads found in chunks and parsed; request targets and hosts (RFC 9112 §3.2). The table of
// requests has what a request's head may not be.

import { describe, expect, it } from "vitest";
import {
  HeadReader,
  isHost,
  isTarget,
  parseRequestHead,
  parseResponseHead,
  splitAbsoluteTarget,
} from "../../../core/http/head.ts";
import { DEFAULT_LIMITS, resolveLimits } from "../../../core/limits.ts";
import { page } from "../../vectors/handshake-requests.ts";
import { latin1, toLatin1 } from "../handshake/support.ts";
import { cuts } from "../support.ts";

describe("HeadReader", () => {
  it("returns the whole head and keeps what follows, at any cut", () => {
    const head = page();
    for (const { name, chunks } of cuts(latin1(head + "rest\r\n\r\n"))) {
      const reader = new HeadReader("request", DEFAULT_LIMITS);
      const at = chunks.findIndex((chunk) => {
        const found = reader.receive(chunk);
        if (found === undefined) return false;
        expect(toLatin1(found as Uint8Array), name).toBe(head);
        return true;
      });
      const rest = toLatin1(reader.rest) + chunks.slice(at + 1).map(toLatin1).join("");
      expect(rest, name).toBe("rest\r\n\r\n");
    }
  });

  it("does not copy a head that comes in one chunk, nor what follows it", () => {
    const chunk = latin1(page() + "rest");
    const reader = new HeadReader("request", DEFAULT_LIMITS);
    expect((reader.receive(chunk) as Uint8Array).buffer).toBe(chunk.buffer);
    expect(reader.rest.buffer).toBe(chunk.buffer);
  });

  it("waits for more after an empty chunk", () => {
    const reader = new HeadReader("request", DEFAULT_LIMITS);
    expect(reader.receive(new Uint8Array(0))).toBeUndefined();
    expect(reader.receive(latin1(page()))).toBeInstanceOf(Uint8Array);
  });

  it("reports the limit that is met first, wherever the chunks are cut", () => {
    const text = `GET / HTTP/1.1\r\nX: ${"y".repeat(200)}\r\n\r\n`;
    const table = [
      [{ maxLineLength: 50, maxHeadSize: 100 }, "line-too-long"],
      [{ maxLineLength: 90, maxHeadSize: 100 }, "head-too-large"],
      [{ maxLineLength: 13, maxHeadSize: 100 }, "request-line-too-long"],
      [{ maxLineLength: 13, maxHeadSize: 12 }, "head-too-large"],
    ] as const;
    for (const [limits, fault] of table) {
      for (const { name, chunks } of cuts(latin1(text))) {
        const reader = new HeadReader("request", resolveLimits(limits));
        const found = chunks.map((chunk) => reader.receive(chunk)).find((result) =>
          result !== undefined
        );
        expect(found, name).toBe(fault);
      }
    }
  });

  it("refuses at its first byte what cannot begin a head", () => {
    for (const byte of [0x00, 0x0a, 0x16, 0x20, 0x80, 0xff]) {
      expect(new HeadReader("request", DEFAULT_LIMITS).receive(Uint8Array.of(byte))).toBe(
        "request-line-malformed",
      );
    }
    expect(new HeadReader("response", DEFAULT_LIMITS).receive(latin1("S"))).toBe(
      "status-line-malformed",
    );
    expect(new HeadReader("response", DEFAULT_LIMITS).receive(latin1("\r\n"))).toBe(
      "status-line-malformed",
    );
  });

  it("refuses a line, and a head, that has no end, before it ends", () => {
    for (const limits of [{ maxLineLength: 100 }, { maxHeadSize: 100 }]) {
      const reader = new HeadReader("request", resolveLimits(limits));
      expect(reader.receive(latin1("GET / HTTP/1.1\r\nX: "))).toBeUndefined();
      expect(reader.receive(latin1("y".repeat(80)))).toBeUndefined();
      expect(reader.receive(latin1("y".repeat(80)))).toMatch(/too-l/);
    }
  });

  it("looks at every byte once, however small the chunks", () => {
    const head = latin1(
      page("GET / HTTP/1.1", ...Array.from({ length: 100 }, (_, i) => `X-${i}: ${"y".repeat(90)}`)),
    );
    for (const size of [1, 7, 1000, head.length]) {
      const scanned = countScanned(() => {
        const reader = new HeadReader("request", DEFAULT_LIMITS);
        for (let at = 0; at < head.length; at += size) reader.receive(head.slice(at, at + size));
      });
      expect(scanned, `chunks of ${size}`).toBeLessThanOrEqual(head.length);
    }
  });

  /** How many bytes all searches in arrays go over during the call. */
  function countScanned(call: () => void): number {
    const prototype = Object.getPrototypeOf(Uint8Array.prototype) as {
      indexOf: Uint8Array["indexOf"];
    };
    const original = prototype.indexOf;
    let scanned = 0;
    prototype.indexOf = function(this: Uint8Array, wanted: number, from = 0): number {
      const found = original.call(this, wanted, from);
      scanned += (found === -1 ? this.length : found + 1) - from;
      return found;
    };
    try {
      call();
    } finally {
      prototype.indexOf = original;
    }
    return scanned;
  }
});

describe("parseRequestHead", () => {
  it("reads method, target and fields", () => {
    const head = parseRequestHead(latin1("PATCH /a?b=c HTTP/1.1\r\nA: 1\r\nb:\t2 \r\nA:\r\n\r\n"));
    expect(head).toMatchObject({ method: "PATCH", target: "/a?b=c" });
    expect([...(head as Exclude<typeof head, string>).headers]).toEqual([["A", "1"], ["b", "2"], [
      "A",
      "",
    ]]);
  });

  it("reads every byte of a value as Latin-1, be it UTF-8 or not", () => {
    for (const value of ["\xe9", "\xc3\xa9", "\xff\xfe", "\xf0\x9f\x98\x80", "a\x80\x9fb"]) {
      const head = parseRequestHead(latin1(page("GET / HTTP/1.1", `X: ${value}`)));
      expect((head as Exclude<typeof head, string>).headers.get("x")).toBe(value);
    }
  });

  it("names a fault for bytes that are no head at all", () => {
    for (const text of ["", "\r\n", "\r\n\r\n", "a", "GET / HTTP/1.1", "\0\0\0\0\0\0"]) {
      expect(parseRequestHead(latin1(text)), JSON.stringify(text)).toBeTypeOf("string");
    }
  });
});

describe("parseResponseHead", () => {
  it.each([
    ["HTTP/1.1 101 Switching Protocols", "HTTP/1.1", 101, "Switching Protocols"],
    ["HTTP/1.1 101 ", "HTTP/1.1", 101, ""],
    ["HTTP/1.1 101", "HTTP/1.1", 101, ""],
    ["HTTP/1.0 404 Not  Found", "HTTP/1.0", 404, "Not  Found"],
    ["HTTP/1.1 999 \xe9", "HTTP/1.1", 999, "\xe9"],
  ])("reads %j", (line, version, status, statusText) => {
    expect(parseResponseHead(latin1(`${line}\r\nA: 1\r\n\r\n`))).toMatchObject({
      version,
      status,
      statusText,
    });
  });

  it.each([
    ...[
      "",
      "HTTP/1.1",
      "HTTP/1.1 ",
      "HTTP/1.1 10",
      "HTTP/1.1 1010",
      "HTTP/1.1 1o1 OK",
      "HTTP/1.1 099 OK",
      "HTTP/1.1  101 OK",
    ],
    ...[
      "http/1.1 101 OK",
      "HTTP/2 101 OK",
      "HTTP/2.0 101 OK",
      "HTTP/1.2 101 OK",
      " HTTP/1.1 101 OK",
      "HTTP/1.1 101\tOK",
    ],
    ...["HTTP/1.1 101 O\0K", "ICY 200 OK", "HTTP/1.1 -10 OK"],
  ])("refuses the status line %j", (line) => {
    expect(parseResponseHead(latin1(`${line}\r\nA: 1\r\n\r\n`))).toBe("status-line-malformed");
  });

  it("refuses a field like one of a request", () => {
    expect(parseResponseHead(latin1("HTTP/1.1 101 OK\r\nA : 1\r\n\r\n"))).toBe("field-name-space");
    expect(parseResponseHead(latin1("HTTP/1.1 101 OK\r\nA: 1\r\n b\r\n\r\n"))).toBe("field-folded");
    expect(parseResponseHead(latin1("HTTP/1.1 101 O\rK\r\nA: 1\r\n\r\n"))).toBe("line-ending-bare");
  });
});

describe("isTarget", () => {
  it.each([
    ["GET", [
      "/",
      "/a?b",
      "//",
      "/?u=http://a/b",
      "http://a",
      "HTTPS://a/b?c",
      "ws://a:1/",
      "wss://[::1]?c",
    ]],
    ["OPTIONS", ["*", "/", "http://a"]],
    ["CONNECT", ["a:443", "/"]],
  ])("takes for %s any of %j", (method, targets) => {
    expect(targets.filter((target) => !isTarget(method, target))).toEqual([]);
  });

  it.each([
    ["neither a path nor an absolute URI", [
      "",
      "a",
      "a/b",
      "?a",
      "a:443",
      "*",
      "http:/a",
      "ftp://a/",
      "xhttp://a/",
    ]],
    ["an absolute URI without a host", [
      "http://",
      "http:///a",
      "ws://?a",
      "http://a@b/",
      "http://a:b/",
      "ws://[::1",
    ]],
    ["a fragment, or what is no visible ASCII", [
      "/#a",
      "/ a",
      "/\t",
      "/\n",
      "/\x7f",
      "/\xe9",
      "http://a/\r\n",
    ]],
  ])("refuses for GET %s: %j", (_, targets) => {
    expect(targets.filter((target) => isTarget("GET", target))).toEqual([]);
  });
});

describe("splitAbsoluteTarget", () => {
  it.each([
    ["http://a", "a", "/"],
    ["http://a?b/c", "a", "/?b/c"],
    ["WSS://a:1/b?c", "a:1", "/b?c"],
    ["https://[::1]/http://b/", "[::1]", "/http://b/"],
  ])("splits %s", (target, authority, path) => {
    expect(splitAbsoluteTarget(target)).toEqual([authority, path]);
  });

  it.each(["/", "/?u=http://a/b", "a", "*", "a:443", "http://"])(
    "finds no host in %s",
    (target) => {
      expect(splitAbsoluteTarget(target)).toBeUndefined();
    },
  );
});

describe("isHost", () => {
  it.each(["a", "a.b:1", "a:", "127.0.0.1", "[::1]", "[::ffff:1.2.3.4]:80", "a_b", "%41", "xn--a"])(
    "takes %j",
    (text) => {
      expect(isHost(text)).toBe(true);
    },
  );

  it.each([
    "",
    ":80",
    "a:b",
    "a:80b",
    "a b",
    "a/b",
    "a@b",
    "a?",
    "a#",
    "::1",
    "[::1",
    "[a b]",
    "[]",
    "a,b\n",
    "\xe9",
  ])(
    "refuses %j",
    (text) => {
      expect(isHost(text)).toBe(false);
    },
  );
});
