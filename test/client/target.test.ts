// Where a URL leads.

import { describe, expect, it } from "vitest";
import { authorityOf, nameOf, parseTarget } from "../../adapters/host/client/target.ts";
import { UsageError } from "../../core/mod.ts";

// URL: host, port, secure, unix socket, and the URL of the request
type Row = readonly [
  url: string,
  hostname: string,
  port: number,
  secure: boolean,
  path: string | undefined,
  request: string,
];

const TARGETS: readonly Row[] = [
  ["ws://example.com", "example.com", 80, false, undefined, "ws://example.com/"],
  ["wss://example.com/a?b", "example.com", 443, true, undefined, "wss://example.com/a?b"],
  ["ws://example.com:8080/", "example.com", 8080, false, undefined, "ws://example.com:8080/"],
  ["http://example.com/", "example.com", 80, false, undefined, "http://example.com/"],
  ["https://example.com/", "example.com", 443, true, undefined, "https://example.com/"],
  ["ws://[::1]:9000/", "::1", 9000, false, undefined, "ws://[::1]:9000/"],
  ["wss://[2001:DB8::0:1]", "2001:db8::1", 443, true, undefined, "wss://[2001:db8::1]/"],
  [
    "ws://bücher.example/",
    "xn--bcher-kva.example",
    80,
    false,
    undefined,
    "ws://xn--bcher-kva.example/",
  ],
  ["ws://0x7f.1/", "127.0.0.1", 80, false, undefined, "ws://127.0.0.1/"],
  ["ws+unix:/run/a.sock", "localhost", 80, false, "/run/a.sock", "ws://localhost/"],
  [
    "ws+unix:/run/a.sock:/chat?x=1",
    "localhost",
    80,
    false,
    "/run/a.sock",
    "ws://localhost/chat?x=1",
  ],
  ["ws+unix:///run/a.sock:/chat", "localhost", 80, false, "/run/a.sock", "ws://localhost/chat"],
  ["ws+unix:./a.sock:/", "localhost", 80, false, "./a.sock", "ws://localhost/"],
  ["ws+unix:/a.sock:", "localhost", 80, false, "/a.sock", "ws://localhost/"],
  ["ws+unix:/a.sock:/b:c", "localhost", 80, false, "/a.sock", "ws://localhost/b:c"],
  [
    "ws+unix:/with%20space%3Aand%C3%A9:/",
    "localhost",
    80,
    false,
    "/with space:andé",
    "ws://localhost/",
  ],
  ["wss+unix:/run/a.sock:/chat", "localhost", 443, true, "/run/a.sock", "wss://localhost/chat"],
];

describe("parseTarget", () => {
  it.each(TARGETS)("takes %s apart", (url, hostname, port, secure, path, request) => {
    const target = parseTarget(url);
    expect(target).toMatchObject({ hostname, port, secure });
    expect(target.path).toBe(path);
    expect(target.url.href).toBe(request);
    expect(parseTarget(new URL(url)).url.href).toBe(request);
  });

  it("goes to a unix socket for the URL of a host", () => {
    const target = parseTarget("ws://example.com/chat", "/run/a.sock");
    expect(target).toMatchObject({ hostname: "example.com", path: "/run/a.sock" });
    expect(target.url.href).toBe("ws://example.com/chat");
  });

  it("keeps the user name and password of the URL", () => {
    const { url } = parseTarget("ws://me:p%40ss@example.com/");
    expect([url.username, url.password]).toEqual(["me", "p%40ss"]);
  });

  it("leaves the caller's URL as it is", () => {
    const url = new URL("ws://me:secret@example.com/");
    const target = parseTarget(url);
    expect(target.url).not.toBe(url);
    expect(url.href).toBe("ws://me:secret@example.com/");
  });

  it.each(["", "example.com", "ws://", "ws://a b/", "ws://[::1/"])(
    "refuses %j, which is no URL",
    (url) => {
      expect(() => parseTarget(url)).toThrow(UsageError);
    },
  );

  it.each(["ws+unix:", "ws+unix::/path", "ws+unix:/a.sock:path", "ws+unix:/%FF.sock"])(
    "refuses %s",
    (url) => {
      expect(() => parseTarget(url)).toThrow(UsageError);
    },
  );

  it("refuses two unix sockets", () => {
    expect(() => parseTarget("ws+unix:/a.sock", "/b.sock")).toThrow("both name a unix socket");
  });
});

describe("authorityOf", () => {
  it.each([["example.com", "example.com:80"], ["127.0.0.1", "127.0.0.1:80"], ["::1", "[::1]:80"]])(
    "writes %s",
    (hostname, expected) => {
      expect(authorityOf({ hostname, port: 80 })).toBe(expected);
    },
  );
});

describe("nameOf", () => {
  it("calls a target by its unix socket, or else by its authority", () => {
    expect(nameOf(parseTarget("ws+unix:/a.sock:/b"))).toBe("/a.sock");
    expect(nameOf(parseTarget("wss://[::1]/b"))).toBe("[::1]:443");
  });
});
