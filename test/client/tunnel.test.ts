// What is said with a proxy, without a network: HTTP's CONNECT and SOCKS, each answer at every cut.

import { describe, expect, it } from "vitest";
import { ConnectError } from "../../adapters/host/client/error.ts";
import { parseTarget } from "../../adapters/host/client/target.ts";
import { type ProxyChoice, proxyFor } from "../../adapters/host/proxy/proxy.ts";
import { Tunnel } from "../../adapters/host/proxy/tunnel.ts";
import { HandshakeAnswer, UsageError } from "../../core/mod.ts";
import { latin1 } from "../contract/raw.ts";
import { cuts, hex, join, takeBytes, toHex, utf8 } from "../core/support.ts";

function begin(proxy: ProxyChoice, url: string): Tunnel {
  const target = parseTarget(url);
  return new Tunnel(proxyFor(target, proxy, () => undefined)!, target);
}

/** What it says first. */
function opening(proxy: ProxyChoice, url: string): Uint8Array {
  return takeBytes(begin(proxy, url));
}

/** What the chunks lead to: the bytes that are answered, and how it ends. */
function hear(
  tunnel: Tunnel,
  chunks: readonly Uint8Array[],
): { answers: Uint8Array; end: unknown; } {
  takeBytes(tunnel);
  const answers: Uint8Array[] = [];
  for (const chunk of chunks) {
    const [event] = tunnel.receive(chunk);
    answers.push(takeBytes(tunnel));
    if (event === undefined) continue;
    return { answers: join(answers), end: event.type === "failed" ? event.error : event.type };
  }
  return { answers: join(answers), end: undefined };
}

describe("Tunnel", () => {
  const ANSWER = utf8("HTTP/1.1 200 OK\r\n\r\n");

  function opened(): Tunnel {
    const tunnel = begin("http://proxy", "ws://a/");
    expect(hear(tunnel, [ANSWER]).end).toBe("opened");
    return tunnel;
  }

  it("says first what it wants, once", () => {
    const tunnel = begin("http://proxy", "ws://a/");
    const { pendingOutput } = tunnel;
    expect(pendingOutput).toBeGreaterThan(0);
    expect(takeBytes(tunnel)).toHaveLength(pendingOutput);
    expect([tunnel.pendingOutput, tunnel.takeOutput()]).toEqual([0, []]);
    expect([tunnel.outputEnded, tunnel.expired, tunnel.deadline]).toEqual([false, false, Infinity]);
    expect(tunnel.tick()).toEqual([]);
  });

  it("is the next one's transport once it is open", () => {
    const tunnel = opened();
    expect(tunnel.receive(new Uint8Array(0))).toEqual([]);
    expect([tunnel.pendingOutput, tunnel.outputEnded, tunnel.expired]).toEqual([0, false, false]);
  });

  it("fails when anything comes before the next one has asked", () => {
    const tunnel = opened();
    expect(tunnel.receive(Uint8Array.of(1))).toEqual([{
      type: "failed",
      error: expect.objectContaining({ name: "ConnectError", failure: "proxy" }),
    }]);
    expect([tunnel.outputEnded, tunnel.expired]).toEqual([true, true]);
  });

  it.each([["asking", () => begin("http://proxy", "ws://a/")], ["open", opened]])(
    "fails when the proxy hangs up while it is %s, and tells why",
    (_state, make) => {
      const tunnel = make();
      const cause = new Error("reset");
      expect(tunnel.receiveEnd(0, cause)).toEqual([{ type: "failed", error: expect.any(Error) }]);
      expect([tunnel.outputEnded, tunnel.expired]).toEqual([true, true]);
      const [event] = make().receiveEnd(0, cause);
      expect(event).toMatchObject({
        error: { failure: "proxy", message: "the proxy hung up: reset", cause },
      });
    },
  );

  it("fails once", () => {
    const tunnel = begin("http://proxy", "ws://a/");
    expect(hear(tunnel, [utf8("nonsense\r\n\r\n")]).end).toBeInstanceOf(ConnectError);
    expect([tunnel.outputEnded, tunnel.expired]).toEqual([true, true]);
    expect(tunnel.receive(ANSWER)).toEqual([]);
    expect(tunnel.receiveEnd(0)).toEqual([]);
  });
});

describe("CONNECT", () => {
  it.each([
    ["ws://example.com/chat", "example.com:80"],
    ["wss://example.com/", "example.com:443"],
    ["ws://[::1]:9000/", "[::1]:9000"],
  ])("asks for %s by its authority", (url, authority) => {
    expect(latin1(opening("http://proxy", url))).toBe(
      `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`,
    );
  });

  it("has the proxy's credentials and headers, and none of the URL's", () => {
    const proxy = { url: "http://me:p%40ss@proxy", headers: { "X-Team": "blue" } };
    expect(latin1(opening(proxy, "ws://you:other@example.com/"))).toBe(
      "CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\nX-Team: blue\r\n"
        + "Proxy-Authorization: Basic bWU6cEBzcw==\r\n\r\n",
    );
  });

  it.each<[string, Record<string, string>]>([
    ["a field that splits the head", { "X-Team": "a\r\nHost: b" }],
    ["a Host", { Host: "other" }],
  ])("refuses %s", (_what, headers) => {
    expect(() => begin({ url: "http://proxy", headers }, "ws://a/")).toThrow(UsageError);
  });

  it("refuses credentials that are no UTF-8", () => {
    expect(() => begin("http://%FF:x@proxy", "ws://a/")).toThrow(UsageError);
  });

  it.each([
    "HTTP/1.1 200 Connection established\r\n\r\n",
    "HTTP/1.0 200 OK\r\nProxy-Agent: tinyproxy\r\nContent-Length: 12\r\n\r\n",
    "HTTP/1.1 204\r\n\r\n",
    "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
  ])("is done after %j, at any cut", (answer) => {
    for (const { name, chunks } of cuts(utf8(answer))) {
      expect(hear(begin("http://proxy", "ws://a/"), chunks).end, name).toBe("opened");
    }
  });

  it.each([
    [
      "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
      "407 Proxy Authentication Required",
    ],
    ["HTTP/1.1 502 Bad Gateway\r\nContent-Length: 9\r\n\r\n", "502 Bad Gateway"],
    ["HTTP/1.1 301\r\nLocation: http://elsewhere/\r\n\r\n", "with 301"],
    ["HTTP/1.1 101 Switching Protocols\r\n\r\n", "101"],
    ["SSH-2.0-OpenSSH\r\n", "the status line is malformed"],
    ["HTTP/1.1 200 OK\nA: b\r\n\r\n", "does not end in CRLF"],
    [`HTTP/1.1 200 OK\r\n${`A: ${"a".repeat(4000)}\r\n`.repeat(5)}\r\n`, "larger than the limit"],
    ["HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n", "more behind"],
    ["HTTP/1.1 100 Continue\r\n\r\n".repeat(17) + "HTTP/1.1 200 OK\r\n\r\n", "100 Continue"],
  ])("fails after %j", (answer, message) => {
    const { end } = hear(begin("http://proxy", "ws://a/"), [utf8(answer)]);
    expect(end).toBeInstanceOf(ConnectError);
    expect(end).toMatchObject({ failure: "proxy", message: expect.stringContaining(message) });
  });

  it("tells what the proxy answered", () => {
    const answer =
      "HTTP/1.1 407 Who are you?\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\nLogin, please";
    const { end } = hear(begin("http://proxy", "ws://a/"), [utf8(answer)]);
    const { answer: told } = end as ConnectError;
    expect(told).toBeInstanceOf(HandshakeAnswer);
    expect(told).toMatchObject({ status: 407, statusText: "Who are you?" });
    expect([...told!.headers]).toEqual([["Proxy-Authenticate", "Basic realm=\"x\""]]);
  });
});

// Methods; then for example.com:80, and for the reply that all is well from 0.0.0.0:0
const NONE = "0500";
const REQUEST = "05010003 0b 6578616d706c652e636f6d 0050";
const SUCCEEDED = "05000001 00000000 0000";

const bare = (digits: string): string => digits.replaceAll(" ", "");

describe("SOCKS", () => {
  it("offers no method but none without credentials, and a user name with them", () => {
    expect(toHex(opening("socks5://proxy", "ws://example.com/"))).toBe("050100");
    expect(toHex(opening("socks5://me:pass@proxy", "ws://example.com/"))).toBe("05020002");
  });

  it.each([
    ["ws://example.com/", "03 0b 6578616d706c652e636f6d 0050"],
    ["wss://127.0.0.1/", "01 7f000001 01bb"],
    ["ws://[::1]:9000/", "04 00000000000000000000000000000001 2328"],
    ["ws://[2001:db8::ff00:42:8329]/", "04 20010db8000000000000ff0000428329 0050"],
    ["ws://[1:2:3:4:5:6:7:8]/", "04 00010002000300040005000600070008 0050"],
    ["ws://[fe80::]/", "04 fe800000000000000000000000000000 0050"],
    ["ws://[::ffff:1.2.3.4]/", "04 00000000000000000000ffff01020304 0050"],
  ])("asks for %s", (url, address) => {
    const { answers, end } = hear(begin("socks5://proxy", url), [hex(NONE)]);
    expect(toHex(answers)).toBe(`050100${bare(address)}`);
    expect(end).toBeUndefined();
  });

  it.each([
    ["an IPv4 address", "01 7f000001 0050"],
    ["an IPv6 address", "04 00000000000000000000000000000001 0050"],
    ["a name", "03 05 70726f7879 0050"],
  ])("is done after a reply with %s, at any cut", (_kind, address) => {
    for (const { name, chunks } of cuts(hex(`050000${address}`))) {
      const tunnel = begin("socks5://proxy", "ws://example.com/");
      const { answers, end } = hear(tunnel, [hex(NONE), ...chunks]);
      expect(toHex(answers), name).toBe(bare(REQUEST));
      expect(end, name).toBe("opened");
    }
  });

  it.each([["0502", "0100", "010b"], ["0502", "0500", "010b"]])(
    "sends the user name and password when it is asked for them",
    (method, verdict) => {
      const tunnel = begin("socks5://m%C3%A9:p%3Ass@proxy", "ws://example.com/");
      const { answers, end } = hear(tunnel, [hex(method), hex(verdict), hex(SUCCEEDED)]);
      expect(toHex(answers)).toBe(bare(`01 03 6dc3a9 04 703a7373 ${REQUEST}`));
      expect(end).toBe("opened");
    },
  );

  it("does not send them when it is not asked for them", () => {
    const tunnel = begin("socks5://me:pass@proxy", "ws://example.com/");
    expect(toHex(hear(tunnel, [hex(NONE)]).answers)).toBe(bare(REQUEST));
  });

  it.each([
    ["another version", "socks5://proxy", ["0400"], "does not speak SOCKS version 5"],
    [
      "HTTP",
      "socks5://proxy",
      [toHex(utf8("HTTP/1.1 400 Bad Request\r\n"))],
      "does not speak SOCKS version 5",
    ],
    ["no method", "socks5://proxy", ["05ff"], "does not serve without a user name and password"],
    [
      "a method that was not offered",
      "socks5://proxy",
      ["0502"],
      "does not serve without a user name and password",
    ],
    [
      "no method for a user name",
      "socks5://me:pass@proxy",
      ["05ff"],
      "does not take a user name and password",
    ],
    [
      "a wrong password",
      "socks5://me:pass@proxy",
      ["0502", "0101"],
      "did not accept the user name and password",
    ],
    [
      "a refusal by rule",
      "socks5://proxy",
      [NONE, "05020001000000000000"],
      "connection not allowed by ruleset",
    ],
    [
      "a refused connection",
      "socks5://proxy",
      [NONE, "05050001000000000000"],
      "connection refused",
    ],
    ["an unknown reply", "socks5://proxy", [NONE, "05630001000000000000"], "reply 99"],
    [
      "a reply of another version",
      "socks5://proxy",
      [NONE, "04000001000000000000"],
      "does not speak SOCKS version 5",
    ],
    ["more than a method", "socks5://proxy", ["050005"], "sent more than was asked for"],
    [
      "more than a reply",
      "socks5://proxy",
      [NONE, `${bare(SUCCEEDED)}48`],
      "sent more than was asked for",
    ],
  ])("fails after %s", (_what, proxy, chunks, message) => {
    const { end } = hear(begin(proxy, "ws://example.com/"), chunks.map(hex));
    expect(end).toBeInstanceOf(ConnectError);
    expect(end).toMatchObject({ failure: "proxy", message: expect.stringContaining(message) });
  });

  it.each([
    ["host name", "socks5://proxy", `ws://${"a.".repeat(127)}ab/`],
    ["user name", `socks5://${"u".repeat(256)}:p@proxy`, "ws://a/"],
    ["password", `socks5://u:${"%C3%A9".repeat(128)}@proxy`, "ws://a/"],
  ])("refuses a %s of more than 255 bytes", (_what, proxy, url) => {
    expect(() => begin(proxy, url)).toThrow("255 bytes");
  });

  it("refuses credentials that are no UTF-8", () => {
    expect(() => begin("socks5://%FF:x@proxy", "ws://a/")).toThrow(UsageError);
  });
});
