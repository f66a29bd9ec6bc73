// Addresses as every runtime should tell them, as limits count them, and as a URL has them (RFC
// 4291 §2.2, RFC 3986 §3.2.2).

import { describe, expect, it } from "vitest";
import { ipAddress, networkOf, urlOf } from "../../adapters/host/transport.ts";

describe("ipAddress", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::1", "::1"],
    ["::ffff:c000:201", "::ffff:c000:201"],
  ])("tells %s as %s", (told, hostname) => {
    expect(ipAddress(told, 80)).toEqual({ hostname, port: 80 });
  });
});

describe("networkOf", () => {
  it.each([
    ["", ""],
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::6", "2001:db8:1:2"],
    ["2001:db8:1:2:3:4:5::", "2001:db8:1:2"],
    ["2001:db8::6", "2001:db8:0:0"],
    ["2001:db8::3:4:5:6:7", "2001:db8:0:3"],
    ["::1", "0:0:0:0"],
    ["::", "0:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
  ])("of %s is %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe("urlOf", () => {
  it.each([
    [{ hostname: "192.0.2.1", port: 80 }, false, "ws://192.0.2.1:80/"],
    [{ hostname: "::1", port: 443 }, true, "wss://[::1]:443/"],
    [{ hostname: "localhost", port: 8080 }, false, "ws://localhost:8080/"],
    [{ hostname: "0.0.0.0", port: 8080 }, false, "ws://localhost:8080/"],
    [{ hostname: "::", port: 8080 }, true, "wss://localhost:8080/"],
    [{ path: "/run/a.sock" }, false, "ws+unix:/run/a.sock:/"],
    [{ path: "/run/a b:c?d#e%.sock" }, true, "wss+unix:/run/a%20b%3Ac%3Fd%23e%25.sock:/"],
  ])("of %j, TLS %s, is %s", (address, secure, url) => {
    expect(urlOf(address, secure)).toBe(url);
  });
});
