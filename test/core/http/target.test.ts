// Request targets and hosts: what may stand in a request line, and what an absolute target says
// (RFC 9112 §3.2).

import { describe, expect, it } from "vitest";
import { isHost, isTarget, splitAbsoluteTarget } from "../../../core/http/target.ts";

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
