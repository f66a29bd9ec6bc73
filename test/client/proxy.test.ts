// Which proxy leads to a target.

import { describe, expect, it } from "vitest";
import { parseTarget } from "../../adapters/host/client/target.ts";
import {
  proxy as checkProxy,
  type ProxyChoice,
  proxyFor,
} from "../../adapters/host/proxy/proxy.ts";
import { UsageError } from "../../core/mod.ts";

type Variables = Readonly<Record<string, string>>;

function choose(
  url: string,
  choice: ProxyChoice | undefined,
  variables: Variables = {},
): string | undefined {
  const proxy = proxyFor(parseTarget(url), choice, (name) => variables[name]);
  return proxy && `${proxy.kind}${proxy.tls ? "+tls" : ""} ${proxy.hostname} ${proxy.port}`;
}

describe("a proxy given by its URL", () => {
  it.each([
    ["http://proxy.example", "http proxy.example 80"],
    ["http://proxy.example:3128/", "http proxy.example 3128"],
    ["https://proxy.example", "http+tls proxy.example 443"],
    ["socks5://proxy.example", "socks proxy.example 1080"],
    ["socks5h://proxy.example:9050", "socks proxy.example 9050"],
    ["socks://127.0.0.1", "socks 127.0.0.1 1080"],
    ["http://[::1]:3128", "http ::1 3128"],
    ["socks5://[::1]:1080", "socks ::1 1080"],
  ])("is taken apart: %s", (proxy, expected) => {
    expect(choose("ws://example.com/", proxy)).toBe(expected);
    expect(choose("wss://example.com/", new URL(proxy))).toBe(expected);
    expect(choose("wss://example.com/", { url: proxy })).toBe(expected);
  });

  it("has its credentials, as they are in the URL", () => {
    const proxy = proxyFor(parseTarget("ws://a/"), "socks5://me:p%40ss@proxy", () => undefined);
    expect(proxy).toMatchObject({ username: "me", password: "p%40ss" });
  });

  it("is none for undefined and false, whatever the environment says", () => {
    const variables = { http_proxy: "http://proxy" };
    expect(choose("ws://example.com/", undefined, variables)).toBeUndefined();
    expect(choose("ws://example.com/", false, variables)).toBeUndefined();
  });

  it.each([
    "",
    "proxy.example:3128",
    "ftp://proxy.example",
    "socks4://proxy.example",
    "http://",
    "socks5:proxy",
  ])(
    "is refused when it is none: %j",
    (proxy) => {
      expect(() => choose("ws://example.com/", proxy)).toThrow(UsageError);
    },
  );

  it("shows no password when it is refused", () => {
    for (const url of ["ftp://me:secret@proxy", "http://me:secret@"]) {
      expect(() => choose("ws://a/", url)).toThrow(/^(?!.*secret)/);
    }
  });

  it.each<[string, ProxyChoice, string]>([
    [
      "unknown options",
      { url: "http://proxy", user: "me" } as ProxyChoice,
      "unknown option proxy.user",
    ],
    ["headers for SOCKS", { url: "socks5://proxy", headers: { a: "b" } }, "proxy.headers"],
    ["tls for http:", { url: "http://proxy", tls: {} }, "proxy.tls"],
  ])("refuses %s", (_what, proxy, message) => {
    expect(() => checkProxy(proxy, "proxy")).toThrow(message);
  });

  it("does not lead to a unix socket", () => {
    expect(() => choose("ws+unix:/a.sock", "http://proxy")).toThrow("unix socket");
    expect(choose("ws+unix:/a.sock", "env", { http_proxy: "http://proxy" })).toBeUndefined();
  });
});

describe("a proxy from the environment", () => {
  it.each<[string, string, Variables, string | undefined]>([
    ["nothing is set", "ws://a/", {}, undefined],
    ["HTTP_PROXY is for ws:", "ws://a/", { HTTP_PROXY: "http://p" }, "http p 80"],
    ["and not for wss:", "wss://a/", { HTTP_PROXY: "http://p" }, undefined],
    ["HTTPS_PROXY is for wss:", "wss://a/", { HTTPS_PROXY: "http://p" }, "http p 80"],
    ["and not for ws:", "ws://a/", { HTTPS_PROXY: "http://p" }, undefined],
    ["http: and https: mean the same", "https://a/", { HTTPS_PROXY: "http://p" }, "http p 80"],
    ["ALL_PROXY is for both", "ws://a/", { ALL_PROXY: "socks5://p" }, "socks p 1080"],
    ["ALL_PROXY is for both", "wss://a/", { all_proxy: "socks5://p" }, "socks p 1080"],
    [
      "the closer one wins",
      "ws://a/",
      { ALL_PROXY: "socks5://p", HTTP_PROXY: "http://q" },
      "http q 80",
    ],
    ["lower case wins", "ws://a/", { HTTP_PROXY: "http://p", http_proxy: "http://q" }, "http q 80"],
    ["an empty one is none", "ws://a/", { http_proxy: "", HTTP_PROXY: "http://p" }, "http p 80"],
    ["an empty one is none", "ws://a/", { HTTP_PROXY: "" }, undefined],
    ["a scheme may be left out", "ws://a/", { http_proxy: "p:3128" }, "http p 3128"],
    [
      "HTTP_PROXY counts not in CGI",
      "ws://a/",
      { HTTP_PROXY: "http://p", REQUEST_METHOD: "GET" },
      undefined,
    ],
    ["http_proxy does", "ws://a/", { http_proxy: "http://p", REQUEST_METHOD: "GET" }, "http p 80"],
  ])("%s: %s", (_rule, url, variables, expected) => {
    expect(choose(url, "env", variables)).toBe(expected);
  });

  it("is refused when it is none", () => {
    expect(() => choose("ws://a/", "env", { http_proxy: "ftp://p" })).toThrow(UsageError);
  });
});

describe("NO_PROXY", () => {
  it.each([
    ["*", "ws://example.com/"],
    ["example.com", "ws://example.com/"],
    ["example.com", "ws://www.example.com/"],
    ["example.com", "ws://a.b.example.com/"],
    [".example.com", "ws://www.example.com/"],
    [".example.com", "ws://example.com/"],
    ["EXAMPLE.com", "ws://Example.Com/"],
    ["example.com.", "ws://example.com/"],
    ["example.com", "ws://example.com./"],
    ["other.com, example.com", "ws://example.com/"],
    ["other.com  example.com", "ws://example.com/"],
    ["example.com:80", "ws://example.com/"],
    ["example.com:8080", "ws://example.com:8080/"],
    ["127.0.0.1", "ws://127.0.0.1/"],
    ["::1", "ws://[::1]/"],
    ["[::1]", "ws://[::1]/"],
    ["[::1]:80", "ws://[::1]/"],
  ])("%j exempts %s", (list, url) => {
    expect(choose(url, "env", { http_proxy: "http://p", NO_PROXY: list })).toBeUndefined();
    expect(choose(url, "env", { http_proxy: "http://p", no_proxy: list })).toBeUndefined();
  });

  it.each([
    ["", "ws://example.com/"],
    [",", "ws://example.com/"],
    ["ample.com", "ws://example.com/"],
    ["example.com", "ws://notexample.com/"],
    ["www.example.com", "ws://example.com/"],
    ["example.com:8080", "ws://example.com/"],
    ["0.0.1", "ws://127.0.0.1/"],
    ["1", "ws://[::1]/"],
    ["[::1]:81", "ws://[::1]/"],
  ])("%j does not exempt %s", (list, url) => {
    expect(choose(url, "env", { http_proxy: "http://p", NO_PROXY: list })).toBe("http p 80");
  });

  it("says nothing about a proxy that is given", () => {
    expect(choose("ws://example.com/", "http://p", { NO_PROXY: "*" })).toBe("http p 80");
  });
});
