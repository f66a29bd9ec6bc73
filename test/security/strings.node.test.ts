// Strings that an application was given, and passes on: CR, LF and NUL in them never reach the
// wire, on either side; and handlers that fail, which end their own connection and no other.

import { describe, expect, it } from "vitest";
import { latin1, rawConnect, rawListen, rawOpen, request } from "../contract/raw.ts";
import { frame } from "../core/support.ts";
import type { Errand } from "./server.ts";
import { onEachRuntime } from "./target.ts";

onEachRuntime({
  unsafe: { behaviour: "unsafe" },
  failing: { behaviour: "failing" },
  closing: { behaviour: "closing" },
}, (target) => {
  /** What the server answers, and what its application hears of. */
  async function answerTo(
    bytes: string,
  ): Promise<readonly [answer: string, errors: readonly string[]]> {
    const peer = await rawConnect(target().port("unsafe"));
    peer.write(bytes);
    const answer = await peer.takeAll();
    peer.end();
    const { errors } = await target().state();
    await target().forget();
    return [answer, errors];
  }

  describe("the upgrade hook is told of a string that must not be sent, and the client hears 500:", () => {
    it.each([
      ["/protocol", /^UsageError: subprotocol "x\\r\\n/],
      ["/header-value", /^UsageError: the value of header X-Value /],
      ["/header-name", /^UsageError: header name "x\\r\\n/],
      ["/header-nul", /^UsageError: the value of header X-Value /],
      ["/reject-value", /^UsageError: the value of header Location /],
      ["/reject-name", /^UsageError: header name "X\\r\\nY" /],
      ["/own-header", /^UsageError: header Sec-WebSocket-Accept is written by the handshake/],
    ])("%s", async (path, error) => {
      const [answer, errors] = await answerTo(request("", path));
      expect(answer).toMatch(/^HTTP\/1\.1 500 /);
      expect(answer).not.toContain("X-Injected");
      expect(errors).toEqual([expect.stringMatching(error)]);
    });
  });

  describe("the request hook cannot make such an answer, and the client hears 500:", () => {
    it.each(["/status-text", "/response-value", "/response-name"])("%s", async (path) => {
      const [answer, errors] = await answerTo(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect(answer).not.toMatch(/^X-Injected/m);
      expect(answer).toMatch(/^HTTP\/1\.1 500 /);
      expect(errors).toHaveLength(1);
    });
  });

  it.each([["a refusal", request("", "/body")], [
    "a request",
    "GET /body HTTP/1.1\r\nHost: a\r\n\r\n",
  ]])(
    "the body of the answer to %s may say what it likes",
    async (_, bytes) => {
      const [answer, errors] = await answerTo(bytes);
      expect(answer.indexOf("X-Injected")).toBeGreaterThan(answer.indexOf("\r\n\r\n"));
      expect(answer).toMatch(/\r\nContent-Length: \d+\r\n|\r\nTransfer-Encoding: chunked\r\n/i);
      expect(errors).toEqual([]);
    },
  );

  describe("a client's strings", () => {
    /** What the client was told, and what it has sent. */
    async function requestFor(
      options: Errand["options"],
      path = "",
    ): Promise<readonly [told: string, sent: string]> {
      const { url, sent } = await refusing();
      const { error, message } = await target().connect({
        url: url + path,
        ...options && { options },
      });
      return [`${error}: ${message}`, sent.join("")];
    }

    it.each([
      ["a header's value", { headers: { "X-A": "a\r\nX-Injected: 1" } }, /header X-A/],
      ["a header's name", { headers: { "X-A: 1\r\nX-Injected": "1" } }, /header name/],
      [
        "CVE-2026-1527 (undici): the value of Upgrade",
        { headers: { Upgrade: "websocket\r\nX-Injected: 1" } },
        /header Upgrade/,
      ],
      ["a header's value with a NUL", { headers: { "X-A": "a\0b" } }, /header X-A/],
      ["a header's value beyond Latin-1", { headers: { "X-A": "\u010d\u010a" } }, /header X-A/],
      ["a subprotocol", { protocols: ["a\r\nX-Injected: 1"] }, /subprotocol/],
      ["a subprotocol with a comma", { protocols: ["a, b"] }, /subprotocol/],
    ])("are refused before anything is sent: %s", async (_, options, named) => {
      const [told, sent] = await requestFor(options);
      expect(told).toMatch(/^UsageError: /);
      expect(told).toMatch(named);
      expect(sent).toBe("");
    });

    it.each([
      ["CR and LF, which a URL drops", "a\r\nX-Injected: 1", "GET /aX-Injected:%201 HTTP/1.1"],
      ["CR and LF, encoded", "a%0d%0aX-Injected:%201", "GET /a%0d%0aX-Injected:%201 HTTP/1.1"],
      ["a space", "a b HTTP/1.1", "GET /a%20b%20HTTP/1.1 HTTP/1.1"],
      ["another host", "/evil.example/", "GET //evil.example/ HTTP/1.1"],
    ])("are one path in a URL: %s", async (_, path, line) => {
      const [, sent] = await requestFor(undefined, path);
      expect(sent.split("\r\n")[0]).toBe(line);
      expect(sent.split("\r\n").filter((each) => /^X-Injected/i.test(each))).toEqual([]);
    });

    it.each([
      ["a header's value", { "X-A": "a\r\nX-Injected: 1" }, /header X-A/],
      ["a header's name", { "X-A: 1\r\nX-Injected": "1" }, /header name/],
    ])("for its proxy are refused before anything is sent: %s", async (_, headers, named) => {
      const { url, sent } = await refusing();
      const proxy = { url: url.replace("ws:", "http:"), headers };
      const { error, message } = await target().connect({
        url: "ws://elsewhere.example/",
        options: { proxy },
      });
      expect(error).toBe("UsageError");
      expect(message).toMatch(named);
      expect(sent).toEqual([]);
    });

    it("are credentials of its proxy in one field, encoded", async () => {
      const { url, sent } = await refusing();
      const proxy = url.replace("ws://", "http://us%0d%0aer:pass@");
      await target().connect({ url: "ws://elsewhere.example/", options: { proxy } });
      expect(sent.join("")).toMatch(
        /^CONNECT elsewhere\.example:80 HTTP\/1\.1\r\nHost: elsewhere\.example:80\r\nProxy-Authorization: Basic [\w+/=]*\r\n\r\n$/,
      );
    });

    it("are credentials of its URL in one field, encoded", async () => {
      const { url, sent } = await refusing();
      await target().connect({ url: url.replace("ws://", "ws://us%0d%0aer:pass@") });
      const [value] = /(?<=^Authorization: Basic ).*$/im.exec(sent.join("")) ?? [""];
      expect(sent.join("")).not.toMatch(/us\r\ner/);
      expect(value).toMatch(/^[A-Za-z0-9+/=]*$/);
    });
  });

  describe("CVE-2024-38355 (socket.io): a handler that", () => {
    it.each([["throw", "Error: thrown on purpose"], ["reject", "Error: rejected on purpose"]])(
      "%ss ends its own connection by 1011",
      async (how, error) => {
        const peer = await rawOpen(target().port("failing"));
        peer.write(frame("client", 0x81, how));
        const [close] = await peer.takeFrames(1);
        expect([close!.first, ...close!.payload]).toEqual([0x88, 1011 >> 8, 1011 & 0xff]);
        expect((await target().state()).errors).toEqual([error]);
        await target().forget();
      },
    );
  });

  it("CVE-2026-45736 (ws): a close reason that is no string shows no memory", async () => {
    const peer = await rawOpen(target().port("closing"));
    peer.write(frame("client", 0x81, "numbers"));
    const [close] = await peer.takeFrames(1);
    expect([close!.first, ...close!.payload]).toEqual([0x88, 1011 >> 8, 1011 & 0xff]);
    expect((await target().state()).errors).toEqual(["UsageError: a close reason is a string"]);
    await target().forget();
  });
});

/** A server that refuses everybody, and keeps what was sent. */
async function refusing(): Promise<{ url: string; sent: string[]; }> {
  const sent: string[] = [];
  const url = await rawListen((peer) => {
    peer.socket.on("data", (chunk: Uint8Array) => sent.push(latin1(chunk)));
    peer.socket.once("data", () => peer.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
  });
  return { url, sent };
}
