// Requests that brought servers down, slipped past proxies, or passed for something else: each with
// the one answer it gets.

import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { rawConnect, rawOpen, request } from "../contract/raw.ts";
import { sleep, until } from "../contract/suite.ts";
import { frame } from "../core/support.ts";
import { flood, hasProc, MIB, onEachRuntime } from "./target.ts";

const deflate = { threshold: 0 };

/** An upgrade whose lines are given instead of those that a client sends. */
function head(...lines: string[]): string {
  return [...lines, "", ""].join("\r\n");
}

const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];
const GOOD = ["GET / HTTP/1.1", "Host: a", ...UPGRADE];

/** Everything that is answered up to the end, which must come. */
async function answerTo(port: number, bytes: string | Uint8Array): Promise<string> {
  const peer = await rawConnect(port);
  peer.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  const answer = await peer.takeAll();
  peer.end();
  return answer;
}

/** The status lines in it: of every answer that was given. */
function statuses(answer: string): string[] {
  return Array.from(answer.matchAll(/HTTP\/1\.\d (\d{3})/g), ([, status]) => status!);
}

onEachRuntime({
  echo: { behaviour: "echo", options: { deflate } },
  fields: { behaviour: "fields", options: { protocols: ["toString", "chat"] } },
  gate: { behaviour: "gate" },
  origins: { behaviour: "origins" },
  unsafe: { behaviour: "unsafe" },
  web: { behaviour: "web" },
  topics: { behaviour: "topics" },
  failing: { behaviour: "failing" },
}, (target) => {
  describe("a head that took others seconds, or all their memory", () => {
    const spaces = " ".repeat(7000);
    it.each([
      [
        "CVE-2021-32640 (ws): a subprotocol list with a run of spaces",
        `Sec-WebSocket-Protocol: a${spaces}b`,
        400,
      ],
      [
        "CVE-2020-7662 (websocket-extensions): an unclosed quoted string with backslashes",
        `Sec-WebSocket-Extensions: a; b="${"\\c".repeat(3500)}`,
        400,
      ],
      [
        "CVE-2023-26103 (Deno): a run of spaces in Upgrade",
        `Upgrade: websocket,${spaces}x${spaces}`.slice(0, 8000),
        101,
      ],
      ["a run of commas in Connection", `Connection: ${",".repeat(7000)}`, 101],
      ["a run of empty extensions", `Sec-WebSocket-Extensions: ${",".repeat(7000)}`, 400],
      [
        "a thousand offers",
        `Sec-WebSocket-Extensions: ${Array(400).fill("permessage-deflate").join()}`.slice(0, 8000),
        101,
      ],
    ])("%s, a hundred times at once", async (_, line, status) => {
      const started = Date.now();
      const answers = await Promise.all(Array.from({ length: 100 }, async () => {
        const peer = await rawConnect(target().port("echo"));
        peer.write(head(...GOOD, line));
        const answer = await peer.takeHead();
        peer.socket.destroy();
        return answer;
      }));
      for (const answer of answers) expect(statuses(answer)).toEqual([String(status)]);
      expect(Date.now() - started).toBeLessThan(10_000);
    });

    it("CVE-2023-43669 (tungstenite): a head without end, byte by byte, is read once and ends at 431", async () => {
      const peers = await Promise.all(
        Array.from({ length: 20 }, () => rawConnect(target().port("echo"))),
      );
      const bytes = Buffer.from(`GET / HTTP/1.1\r\n${`X: ${"x".repeat(60)}\r\n`.repeat(600)}`);
      for (let at = 0; at < bytes.length && peers.some((peer) => !peer.ended); at++) {
        for (const peer of peers) peer.socket.write(bytes.subarray(at, at + 1));
        if (at % 64 === 0) await sleep(0);
      }
      for (const peer of peers) expect(statuses(await peer.takeAll())).toEqual(["431"]);
    });

    it("CVE-2024-37890 (ws): so many fields that Upgrade would be dropped are 431, not a crash", async () => {
      const many = Array.from({ length: 1000 }, (_, i) => `h${i}: 1`);
      const answer = await answerTo(
        target().port("echo"),
        head("GET / HTTP/1.1", "Host: a", ...many, ...UPGRADE),
      );
      expect(statuses(answer)).toEqual(["431"]);
    });

    it.runIf(hasProc)("a million header fields cost no memory, and are 431", async () => {
      const fields = Buffer.from("a:b\r\n".repeat(1_000_000));
      let answer = "";
      const grown = await target().growth(async () => {
        const peer = await rawConnect(target().port("echo"));
        peer.write("GET / HTTP/1.1\r\nHost: a\r\n", fields);
        answer = await peer.takeAll();
      });
      expect(statuses(answer)).toEqual(["431"]);
      expect(grown).toBeLessThan(64 * MIB);
    });

    it.each([
      ["a request line without end is 414", "GET /", 414],
      ["a line without end is 431", "GET / HTTP/1.1\r\nX: ", 431],
    ])("%s", async (_, beginning, status) => {
      expect(statuses(await answerTo(target().port("echo"), beginning + "x".repeat(MIB)))).toEqual([
        String(status),
      ]);
    });
  });

  describe("a head that two parsers could read in two ways is refused", () => {
    it.each([
      ["obs-fold", head(...GOOD, "X: a", " b"), 400],
      ["a field name before a space", head(...GOOD, "X : a"), 400],
      ["a line that ends in LF alone", head(...GOOD, "X: a\nY: b"), 400],
      ["LF alone throughout", `${GOOD.join("\n")}\n\n`, 400],
      ["a CR alone in a value", head(...GOOD, "X: a\rY: b"), 400],
      ["a NUL in a value", head(...GOOD, "X: a\0b"), 400],
      ["a line without a colon", head(...GOOD, "X"), 400],
      ["an empty field name", head(...GOOD, ": a"), 400],
      ["two Hosts", head(...GOOD, "Host: b"), 400],
      ["no Host", head("GET / HTTP/1.1", ...UPGRADE), 400],
      ["a Host with a path", head("GET / HTTP/1.1", "Host: a/b", ...UPGRADE), 400],
      ["a Host with a user", head("GET / HTTP/1.1", "Host: u@a", ...UPGRADE), 400],
      ["HTTP/1.0", head("GET / HTTP/1.0", "Host: a", ...UPGRADE), 426],
      ["HTTP/0.9", "GET /\r\n\r\n", 400],
      ["two spaces in the request line", head("GET  / HTTP/1.1", "Host: a", ...UPGRADE), 400],
      ["a tab in the request line", head("GET\t/ HTTP/1.1", "Host: a", ...UPGRADE), 400],
      ["a target without a slash", head("GET a HTTP/1.1", "Host: a", ...UPGRADE), 400],
      ["a byte beyond ASCII in the target", head("GET /\xe4 HTTP/1.1", "Host: a", ...UPGRADE), 400],
      [
        "Content-Length and Transfer-Encoding",
        head(...GOOD, "Content-Length: 1", "Transfer-Encoding: chunked"),
        400,
      ],
      ["two lengths", head(...GOOD, "Content-Length: 1", "Content-Length: 2"), 400],
      ["a length with a sign", head(...GOOD, "Content-Length: +1"), 400],
      ["a length beyond any number", head(...GOOD, `Content-Length: ${"9".repeat(30)}`), 400],
      ["a coding nobody knows", head(...GOOD, "Transfer-Encoding: xchunked"), 501],
      ["chunked twice", head(...GOOD, "Transfer-Encoding: chunked, chunked"), 501],
      ["TLS on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
      ["a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
    ])("%s", async (_, bytes, status) => {
      const answer = await answerTo(target().port("web"), bytes);
      expect(statuses(answer)).toEqual([String(status)]);
      expect(answer).toMatch(/\r\nConnection: close(?:, Upgrade)?\r\n/);
    });
  });

  describe("an upgrade that is none", () => {
    it.each([
      [
        "haproxy#1642: without a key",
        GOOD.filter((line) => !line.startsWith("Sec-WebSocket-Key")),
        400,
      ],
      [
        "with a key of 15 bytes",
        GOOD.map((line) => line.replace("ZSBub25jZQ==", "ZSBub25jZA")),
        400,
      ],
      ["with two keys", [...GOOD, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="], 400],
      ["by POST", GOOD.map((line) => line.replace("GET", "POST")), 405],
      ["of another version", GOOD.map((line) => line.replace("Version: 13", "Version: 8")), 426],
      ["of two versions", [...GOOD, "Sec-WebSocket-Version: 8"], 400],
      ["whose Upgrade a proxy took", GOOD.filter((line) => !line.startsWith("Upgrade")), 426],
      ["whose Connection a proxy took", GOOD.filter((line) => !line.startsWith("Connection")), 400],
      ["ws#1838: of another protocol", [
        "GET / HTTP/1.1",
        "Host: a",
        "Connection: Upgrade",
        "Upgrade: h2c",
      ], 426],
      ["with a body", [...GOOD, "Content-Length: 1"], 400],
      ["with a body in chunks", [...GOOD, "Transfer-Encoding: chunked"], 400],
      [
        "with two Origins",
        [...GOOD, "Origin: https://a.example", "Origin: https://b.example"],
        400,
      ],
      ["with a subprotocol twice", [...GOOD, "Sec-WebSocket-Protocol: a, a"], 400],
    ])("%s is refused", async (_, lines, status) => {
      const answer = await answerTo(target().port("echo"), head(...lines));
      expect(statuses(answer)).toEqual([String(status)]);
    });

    it.each([
      [
        "deno#11494: whose Connection has other tokens",
        GOOD.map((line) => line.replace("Connection: ", "Connection: keep-alive, ")),
      ],
      [
        "whose fields have no space before, and several behind their values",
        GOOD.map((line) => line.includes(": ") ? `${line.replace(": ", ":")} \t ` : line),
      ],
    ])("%s is one all the same", async (_, lines) => {
      const peer = await rawConnect(target().port("echo"));
      peer.write(head(...lines));
      expect(statuses(await peer.takeHead())).toEqual(["101"]);
    });
  });

  describe("what comes behind a request", () => {
    const second = head("GET /second HTTP/1.1", "Host: b");

    it.each([
      ["a request that is served", "web", head("GET /first HTTP/1.1", "Host: a"), "200"],
      [
        "a refused upgrade (tunnels by proxies that do not look at the status)",
        "echo",
        head(...GOOD.slice(0, 4)),
        "426",
      ],
      [
        "an upgrade whose body it might be",
        "web",
        head(...GOOD, `Content-Length: ${second.length}`),
        "400",
      ],
      ["an upgrade that the application refuses", "origins", head(...GOOD), "403"],
    ])("%s is never answered", async (_, server, first, status) => {
      const answer = await answerTo(target().port(server), first + second);
      expect(statuses(answer)).toEqual([status]);
      expect(answer).not.toContain("second");
    });

    it.each([
      ["an upgrade", request("", "/switching")],
      ["a request", head("GET /switching HTTP/1.1", "Host: a")],
    ])(
      "%s to which the application answers 101, as if there were a tunnel, is never answered",
      async (_, first) => {
        const answer = await answerTo(target().port("unsafe"), first + second);
        expect(statuses(answer)).toEqual(["500"]);
        expect((await target().state()).errors).toEqual([
          expect.stringMatching(/^\w+Error: .*status/),
        ]);
        await target().forget();
      },
    );

    it.each([
      ["GET", "Content-Length: 3", "abc", "200"],
      ["POST", "Content-Length: 3", "abc", "405"],
      ["GET", "Content-Length: 3", "", "200"],
      ["GET", "Transfer-Encoding: chunked", "0\r\n\r\n", "200"],
      ["POST", "Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n", "405"],
      ["POST", "Transfer-Encoding: chunked", "nonsense", "405"],
    ])("a body of %s (%s %j) and the request behind it are never answered", async (...cases) => {
      const [method, field, body, status] = cases;
      const first = head(`${method} / HTTP/1.1`, "Host: a", field);
      const answer = await answerTo(target().port("web"), first + body + second);
      expect(statuses(answer)).toEqual([status]);
      expect(answer).not.toContain("second");
    });

    it("an upgrade behind a request opens nothing", async () => {
      const answer = await answerTo(
        target().port("web"),
        head("GET / HTTP/1.1", "Host: a") + head(...GOOD),
      );
      expect(statuses(answer)).toEqual(["200"]);
      expect((await target().state()).sockets["web"]).toBe(0);
    });

    it("early data is not heard when the token is refused (super-productivity#9885)", async () => {
      const answer = await answerTo(
        target().port("gate"),
        Buffer.concat([
          Buffer.from(request("", "/out")),
          frame("client", 0x81, "let me in"),
        ]),
      );
      expect(statuses(answer)).toEqual(["401"]);
      expect(await target().notes("gate")).toEqual([]);
    });

    it("early data is heard when, and not before, the application has accepted", async () => {
      const peer = await rawConnect(target().port("gate"));
      peer.write(request("", "/in"), frame("client", 0x81, "early"));
      await sleep(100);
      expect(await target().notes("gate")).toEqual([]);
      expect(statuses(await peer.takeHead())).toEqual(["101"]);
      await until(
        async () => (await target().notes("gate")).includes("heard early"),
        "it was heard",
      );
    });

    it.runIf(hasProc)("early data without end costs no memory", async () => {
      const grown = await target().growth(async () => {
        const peer = await rawConnect(target().port("gate"));
        peer.write(request("", "/out"));
        await flood(peer, 256);
      });
      expect(grown).toBeLessThan(100 * MIB);
    });

    it.runIf(hasProc).each([["GET", "200"], ["POST", "405"]])(
      "a body of %s without end costs no memory, and its request is answered by %s",
      async (method, status) => {
        let answer = "";
        const grown = await target().growth(async () => {
          const endless = head(`${method} / HTTP/1.1`, "Host: a", `Content-Length: ${2 ** 40}`);
          const peer = await rawConnect(target().port("web"));
          peer.write(endless);
          await flood(peer, 256);
          answer = await peer.takeAll();
        });
        expect(statuses(answer)).toEqual([status]);
        expect(grown).toBeLessThan(100 * MIB);
      },
    );
  });

  describe("where a request leads", () => {
    it.each([
      ["//evil.example/", "GET http://a//evil.example/"],
      ["/\\evil.example/", "GET http://a//evil.example/"],
      ["/../../etc", "GET http://a/etc"],
      ["http://b/c", "GET http://b/c"],
      ["ws://b/c", "GET http://b/c"],
      ["/http://evil.example/", "GET http://a/http://evil.example/"],
      ["/@evil.example/", "GET http://a/@evil.example/"],
    ])("the target %s never becomes another host", async (path, told) => {
      const answer = await answerTo(target().port("web"), head(`GET ${path} HTTP/1.1`, "Host: a"));
      expect(answer).toContain(`\r\n${told}\n`);
    });

    it.each([
      ["a port beyond all", "GET / HTTP/1.1", "a:99999", 400],
      ["an address that is none", "GET / HTTP/1.1", "1.2.3.4.5", 400],
      ["an encoded NUL", "GET / HTTP/1.1", "a%00b", 400],
      ["CONNECT", "CONNECT a:80 HTTP/1.1", "a", 405],
      ["TRACE", "TRACE / HTTP/1.1", "a", 405],
      ["a method that a Request would not tell", "get / HTTP/1.1", "a", 405],
    ])(
      "what no Request can tell is not the application's failure: %s",
      async (_, line, host, status) => {
        expect(statuses(await answerTo(target().port("web"), head(line, `Host: ${host}`)))).toEqual(
          [String(status)],
        );
      },
    );
  });

  describe("CVE-2025-24010 (vite) and other cross-site hijacking: the Origin", () => {
    it.each([
      "https://evil.example",
      "http://example.com",
      "https://example.com.evil.example",
      "https://example.com:8443",
      "https://sub.example.com",
      "https://example.com/",
      "null",
      "",
    ])("%s is 403", async (origin) => {
      const answer = await answerTo(target().port("origins"), request(`Origin: ${origin}\r\n`));
      expect(statuses(answer)).toEqual(["403"]);
    });

    it("https://example.com passes", async () => {
      await rawOpen(target().port("origins"), "Origin: https://example.com\r\n");
    });
  });

  describe("names of Object.prototype", () => {
    it.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
      "NSP-550 (ws): the extension %s is declined, with and without parameters",
      async (name) => {
        for (const offer of [name, `${name}; ${name}=${name}`, `permessage-deflate; ${name}`]) {
          const peer = await rawConnect(target().port("echo"));
          peer.write(request(`Sec-WebSocket-Extensions: ${offer}\r\n`));
          const answer = await peer.takeHead();
          expect(statuses(answer)).toEqual(["101"]);
          // uWS.js#76: an empty one breaks Safari.
          expect(answer).not.toMatch(/sec-websocket-extensions/i);
        }
      },
    );

    it("as header fields are fields like any other", async () => {
      const peer = await rawConnect(target().port("fields"));
      peer.write(request("__proto__: yes\r\nconstructor: also\r\n"));
      const answer = await peer.takeHead();
      expect(answer).toMatch(/\r\nX-Proto: yes\r\nX-Constructor: also$/);
    });

    it("as header fields are not there when they were not sent", async () => {
      const peer = await rawConnect(target().port("fields"));
      peer.write(request());
      expect(await peer.takeHead()).toMatch(/\r\nX-Proto: none\r\nX-Constructor: none$/);
    });

    it.each([["constructor", undefined], ["toString", "toString"], ["__proto__, chat", "chat"]])(
      "as subprotocols are names like any other: %s",
      async (offered, chosen) => {
        const peer = await rawConnect(target().port("fields"));
        peer.write(request(`Sec-WebSocket-Protocol: ${offered}\r\n`));
        expect(/^sec-websocket-protocol: (.*)$/im.exec(await peer.takeHead())?.[1]).toBe(chosen);
      },
    );

    it.each(["__proto__", "constructor", "toString"])(
      "as topics are topics like any other: %s",
      async (topic) => {
        const peer = await rawOpen(target().port("topics"));
        peer.write(frame("client", 0x81, topic));
        const [subscribed] = await peer.takeFrames(1);
        expect(new TextDecoder().decode(subscribed!.payload)).toBe(topic);
      },
    );
  });
});
