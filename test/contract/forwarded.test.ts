// The PROXY protocol: headers of both versions, cut anywhere; what is no header; which peers are
// trusted; and which address counts.

import type { AddressInfo, Server as NetServer } from "node:net";
import { createConnection, createServer } from "node:net";
import process from "node:process";
import type { ServeOptions } from "sansws";
import { serve } from "sansws";
import { describe, expect, it, onTestFinished } from "vitest";
import { frame, join, utf8 } from "../core/support.ts";
import { rawConnect, request } from "./raw.ts";
import { bytes, Mailbox, open, same, sleep, socketPath, startEcho, until } from "./suite.ts";

type Refusal = Parameters<NonNullable<ServeOptions["refused"]>>[0];

const windows = process.platform === "win32";

const PROXY = { hostname: "127.0.0.1", port: expect.any(Number) as number };
const CLIENT = { hostname: "192.0.2.7", port: 56_324 };
const CLIENT6 = { hostname: "2001:db8::7", port: 56_324 };

const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10];
const V4 = [192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 0x04, 0x01, 0xbb];
const SOURCE6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
const V6 = [...SOURCE6, ...SOURCE6, 0xdc, 0x04, 0x01, 0xbb];
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 7];
const UNIX = [...utf8("/run/client.sock"), ...new Uint8Array(200)];
const TLV = [0x04, 0, 3, 1, 2, 3];

/** A header of version 2. */
function v2(command: number, family: number, body: readonly number[] = [], length = body.length) {
  return Uint8Array.of(...SIGNATURE, command, family, length >> 8, length & 0xff, ...body);
}

function v1(fields: string): Uint8Array {
  return utf8(`PROXY ${fields}\r\n`);
}

const HEADERS: readonly (readonly [name: string, header: Uint8Array, peer: object])[] = [
  ["v1 TCP4", v1("TCP4 192.0.2.7 198.51.100.1 56324 443"), CLIENT],
  ["v1 TCP6", v1("TCP6 2001:DB8:0::7 2001:db8::1 56324 443"), CLIENT6],
  ["v1 TCP6, mapped", v1("TCP6 ::ffff:192.0.2.7 ::1 56324 443"), CLIENT],
  ["v1 UNKNOWN", v1("UNKNOWN"), PROXY],
  ["v1 UNKNOWN of 107 bytes", v1(`UNKNOWN ${"x".repeat(91)}`), PROXY],
  ["v2 IPv4", v2(0x21, 0x11, V4), CLIENT],
  ["v2 IPv4 with TLVs", v2(0x21, 0x11, [...V4, ...TLV, ...TLV]), CLIENT],
  ["v2 IPv6", v2(0x21, 0x21, V6), CLIENT6],
  ["v2 IPv6, mapped", v2(0x21, 0x21, [...MAPPED, ...V6.slice(16)]), CLIENT],
  ["v2 unix", v2(0x21, 0x31, UNIX), { path: "/run/client.sock" }],
  ["v2 unix without a name", v2(0x21, 0x31, Array(216).fill(0)), { path: "" }],
  ["v2 LOCAL", v2(0x20, 0x00), PROXY],
  ["v2 LOCAL with a block", v2(0x20, 0xff, [...V4, ...TLV]), PROXY],
  ["v2 UNSPEC", v2(0x21, 0x00, TLV), PROXY],
  ["v2 DGRAM", v2(0x21, 0x12, V4), PROXY],
];

/** Starts a server that trusts this machine. */
async function startBehind(options: ServeOptions = {}) {
  const refusals = new Mailbox<Refusal>();
  const peers = new Map<string, unknown>();
  const { server, url } = await startEcho({
    proxyProtocol: { trusted: ["127.0.0.1"] },
    refused: (refusal) => refusals.put(refusal),
    upgrade: ({ target, peer }) => void peers.set(target, peer),
    ...options,
  });
  return { server, url, refusals, peers };
}

/** Opens a WebSocket behind these parts of a header; returns the raw peer. */
async function openBehind(url: string, parts: readonly Uint8Array[], target = "/") {
  const peer = await rawConnect(url);
  const last = parts.at(-1)!;
  for (const part of parts.slice(0, -1)) {
    peer.write(part);
    await sleep(2);
  }
  peer.write(last, request("", target));
  expect(await peer.takeHead()).toMatch(/^HTTP\/1\.1 101 /);
  return peer;
}

describe("a PROXY header", () => {
  it.each(HEADERS)("names the client: %s", async (_, header, expected) => {
    const heard: unknown[] = [];
    const { url, peers } = await startBehind({ open: ({ peer }) => void heard.push(peer) });
    const peer = await openBehind(url, [header]);
    peer.write(frame("client", 0x81, "hello"));
    expect((await peer.takeFrames(1))[0]!.payload).toEqual(utf8("hello"));
    expect(peers.get("/")).toEqual(expected);
    expect(heard).toEqual([expected]);
  });

  it.each(HEADERS)("may be cut at any byte: %s", async (_, header, expected) => {
    const { url, peers } = await startBehind();
    const openCut = async (at: number): Promise<void> => {
      const parts = [header.slice(0, at), header.slice(at)];
      (await openBehind(url, parts, `/${at}`)).socket.destroy();
    };
    const positions = Array.from({ length: header.length }, (_, index) => index + 1);
    while (positions.length > 0) await Promise.all(positions.splice(0, 40).map(openCut));
    expect(peers.size).toBe(header.length);
    for (const peer of peers.values()) expect(peer).toEqual(expected);
  });

  it("may come byte by byte, and in one piece with a request and a message", async () => {
    const { url, peers } = await startBehind();
    const [, header] = HEADERS[0]!;
    await openBehind(url, Array.from(header, (byte) => Uint8Array.of(byte)));
    const peer = await rawConnect(url);
    peer.write(join([header, utf8(request("", "/at-once")), frame("client", 0x81, "early")]));
    expect(await peer.takeHead()).toMatch(/^HTTP\/1\.1 101 /);
    expect((await peer.takeFrames(1))[0]!.payload).toEqual(utf8("early"));
    expect(peers.get("/at-once")).toEqual(CLIENT);
  });

  it("may have TLVs of 16 KiB", async () => {
    const { url, peers } = await startBehind();
    const header = v2(0x21, 0x11, [...V4, ...new Uint8Array(16 * 1024 - 12)]);
    await openBehind(url, [header.slice(0, 9000), header.slice(9000)]);
    expect(peers.get("/")).toEqual(CLIENT);
  });

  it("is for other requests, too", async () => {
    const infos: unknown[] = [];
    const { url } = await startBehind({
      request: (_, info) => {
        infos.push(info);
        return new Response("page");
      },
    });
    const peer = await rawConnect(url);
    peer.write(v1("TCP4 192.0.2.7 198.51.100.1 56324 443"), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 200 [^]*page/);
    expect(infos).toEqual([{ peer: CLIENT, secure: false }]);
  });

  it("is behind a real client, which sends and receives megabytes", async () => {
    const closed = new Mailbox<unknown>();
    const { url } = await startBehind({ close: ({ peer }) => closed.put(peer) });
    const messages = new Mailbox<string | Uint8Array>();
    const relayed = await startRelay(url, v2(0x21, 0x21, V6));
    const socket = await open(relayed, { message: (_, data) => messages.put(data) });
    socket.send(bytes(4 * 2 ** 20));
    expect(same(await messages.take(), bytes(4 * 2 ** 20))).toBe(true);
    socket.close();
    expect((await socket.closed).clean).toBe(true);
    expect(await closed.take()).toEqual(CLIENT6);
  });
});

const MALFORMED: readonly (readonly [name: string, ...parts: (Uint8Array | string)[]])[] = [
  ["a request", request()],
  ["TLS", Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1)],
  ["lower case", "proxy TCP4 192.0.2.7 198.51.100.1 56324 443\r\n"],
  ["v1 of 108 bytes", `PROXY UNKNOWN ${"x".repeat(92)}\r\n`],
  ["v1 without an end", `PROXY UNKNOWN ${"x".repeat(200)}`],
  ["v1 of another family", v1("TCP5 192.0.2.7 198.51.100.1 56324 443")],
  ["v1 with addresses of the other family", v1("TCP6 192.0.2.7 198.51.100.1 56324 443")],
  ["v1 with a name", v1("TCP4 example.com 198.51.100.1 56324 443")],
  ["v1 with a short IPv4 address", v1("TCP4 10 198.51.100.1 56324 443")],
  ["v1 with a leading zero", v1("TCP4 192.0.2.07 198.51.100.1 56324 443")],
  ["v1 with a zone", v1("TCP6 fe80::1%eth0 fe80::2 56324 443")],
  ["v1 with a port too great", v1("TCP4 192.0.2.7 198.51.100.1 65536 443")],
  ["v1 with a port of letters", v1("TCP4 192.0.2.7 198.51.100.1 1e3 443")],
  ["v1 with a field too few", v1("TCP4 192.0.2.7 198.51.100.1 56324")],
  ["v1 with a field too many", v1("TCP4 192.0.2.7 198.51.100.1 56324 443 1")],
  ["v1 with two spaces", v1("TCP4  192.0.2.7 198.51.100.1 56324 443")],
  ["v1 with LF only in the line", "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\nGET\r\n"],
  ["v2 of another version", v2(0x11, 0x11, V4)],
  ["v2 with another command", v2(0x22, 0x11, V4)],
  ["v2 with another family", v2(0x21, 0x41, V4)],
  ["v2 with another transport", v2(0x21, 0x13, V4)],
  ["v2 too short for its addresses", v2(0x21, 0x11, V4.slice(1))],
  ["v2 longer than 16 KiB", v2(0x21, 0x11, V4, 16 * 1024 + 1)],
  ["v2 with a wrong signature", Uint8Array.of(...SIGNATURE.slice(0, 11), 11, 0x21, 0x11, 0, 0)],
];

const REFUSED = { status: 400, rule: "proxy-protocol", peer: PROXY };

describe("from a trusted address, no header", () => {
  it.each(MALFORMED)("is dropped and reported: %s", async (_, ...parts) => {
    const { url, refusals } = await startBehind();
    const peer = await rawConnect(url);
    peer.write(...parts);
    expect(await refusals.take()).toEqual(REFUSED);
    await until(() => peer.ended || peer.closed, "it was dropped");
    expect(peer.take()).toHaveLength(0);
  });

  it.each([["none of it", ""], ["a part of it", "PROXY TCP4 "]])(
    "in time is dropped and reported: %s",
    async (_, part) => {
      const { server, url, refusals } = await startBehind({ timeouts: { handshake: 200 } });
      const peer = await rawConnect(url);
      peer.write(part);
      expect(await refusals.take()).toEqual(REFUSED);
      await until(() => peer.ended || peer.closed, "it was dropped");
      await server.close();
      expect(refusals.all).toHaveLength(1);
    },
  );

  it("but an end is reported where something came before it", async () => {
    const { url, refusals } = await startBehind();
    const silent = await rawConnect(url);
    silent.end();
    await until(() => silent.ended || silent.closed, "the silent one was dropped");
    (await rawConnect(url)).end("PROXY ");
    expect(await refusals.take()).toEqual(REFUSED);
    expect(refusals.all).toHaveLength(1);
  });
});

describe("trusted", () => {
  it.each(["127.0.0.1", "127.0.0.0/8", "0.0.0.0/0", "::ffff:127.0.0.1"])(
    "takes a header from this machine: %s",
    async (entry) => {
      const { url, peers } = await startBehind({
        proxyProtocol: { trusted: ["203.0.113.1", entry] },
      });
      await openBehind(url, [HEADERS[0]![1]]);
      expect(peers.get("/")).toEqual(CLIENT);
    },
  );

  it.each(["10.0.0.0/8", "::1", "::/0", "unix:"])(
    "reads no header from another address than %s",
    async (entry) => {
      const { url, refusals, peers } = await startBehind({ proxyProtocol: { trusted: [entry] } });
      const peer = await rawConnect(url);
      peer.write(HEADERS[0]![1], request());
      expect(await peer.takeHead()).toMatch(/^HTTP\/1\.1 400 /);
      expect(await refusals.take()).toMatchObject({ status: 400, peer: PROXY });
      expect(refusals.all[0]!.rule).not.toBe("proxy-protocol");
      await open(url);
      expect(peers.get("/")).toEqual(PROXY);
    },
  );

  it("takes a header over IPv6, and one of IPv4 at a listener for both", async () => {
    const { server, peers } = await startBehind({
      hostname: "::",
      proxyProtocol: { trusted: ["127.0.0.1", "::1/128"] },
    });
    const url = `ws://127.0.0.1:${server.address.port}/`;
    await openBehind(url, [HEADERS[0]![1]]);
    expect(peers.get("/")).toEqual(CLIENT);
    const relayed = await startRelay(url, v2(0x21, 0x21, V6), "::1");
    await open(`${relayed}six`);
    expect(peers.get("/six")).toEqual(CLIENT6);
  });

  it.skipIf(windows)("takes a header over a unix socket by unix:", async () => {
    const path = socketPath();
    const trusting = await startBehind({ path, proxyProtocol: { trusted: ["unix:"] } });
    await openBehind(path, [HEADERS[5]![1]]);
    expect(trusting.peers.get("/")).toEqual(CLIENT);
  });

  it.each<[unknown, RegExp]>([
    [true, /proxyProtocol is true; it takes an object/],
    [{}, /proxyProtocol\.trusted is missing/],
    [{ trusted: [] }, /proxyProtocol\.trusted is an array; it takes an array of addresses/],
    [{ trusted: "10.0.0.0/8" }, /proxyProtocol\.trusted is "10\.0\.0\.0\/8"; it takes an array/],
    [{ trusted: ["10"] }, /proxyProtocol\.trusted/],
    [{ trusted: ["10.0.0.0/33"] }, /proxyProtocol\.trusted/],
    [{ trusted: ["10.0.0.0/-1"] }, /proxyProtocol\.trusted/],
    [{ trusted: ["::ffff:10.0.0.0/104"] }, /proxyProtocol\.trusted/],
    [{ trusted: ["localhost"] }, /proxyProtocol\.trusted/],
    [{ trusted: [3] }, /proxyProtocol\.trusted/],
    [{ trusted: ["::1"], version: 2 }, /unknown option proxyProtocol\.version; there are: trusted/],
  ])("refuses %o", async (proxyProtocol, message) => {
    const options = { port: 0, proxyProtocol } as ServeOptions;
    await expect(serve(options)).rejects.toMatchObject({
      name: "UsageError",
      message: expect.stringMatching(message),
    });
  });

  it("excludes tls", async () => {
    const tls = { cert: "-----BEGIN CERTIFICATE-----", key: "-----BEGIN PRIVATE KEY-----" };
    await expect(serve({ port: 0, tls, proxyProtocol: { trusted: ["::1"] } })).rejects.toThrow(
      /^proxyProtocol excludes tls: .* before the TLS handshake/,
    );
  });
});

describe("connections", () => {
  it("maxPerAddress counts the client, and its refusal names it", async () => {
    const { url, refusals } = await startBehind({ connections: { maxPerAddress: 1 } });
    const first = v1("TCP4 192.0.2.7 198.51.100.1 1000 443");
    const peer = await openBehind(url, [first]);
    await openBehind(url, [v1("TCP4 192.0.2.8 198.51.100.1 1000 443")]);
    const second = await rawConnect(url);
    second.write(v1("TCP4 192.0.2.7 198.51.100.1 2000 443"), request());
    expect(await second.takeAll()).toMatch(/^HTTP\/1\.1 503 [^]*from this address\n$/);
    expect(refusals.all).toEqual([
      { status: 503, rule: "connections.maxPerAddress", peer: { ...CLIENT, port: 2000 } },
    ]);
    peer.socket.destroy();
    await until(async () => {
      const again = await rawConnect(url);
      again.write(first, request());
      return (await again.takeHead()).startsWith("HTTP/1.1 101 ");
    }, "the address had a place again");
  });

  it.each(["max", "maxHandshakes"])("%s counts what waits for its header", async (limit) => {
    const { server, url, refusals } = await startBehind({ connections: { [limit]: 2 } });
    const waiting = await rawConnect(url);
    const other = await rawConnect(url);
    other.write("PROXY TCP4");
    const refused = async (): Promise<boolean> => {
      const peer = await rawConnect(url);
      peer.write(HEADERS[0]![1], request());
      const head = await peer.takeHead();
      peer.socket.destroy();
      return head.startsWith("HTTP/1.1 503 ");
    };
    await until(refused, "both counted");
    expect(refusals.all.at(-1)).toEqual({ status: 503, rule: `connections.${limit}`, peer: PROXY });
    waiting.end();
    await until(async () => !await refused(), "a place was free");
    other.socket.destroy();
    await until(() => server.sockets.size === 0, "all had left");
    const peers = [
      await openBehind(url, [HEADERS[0]![1]]),
      await openBehind(url, [HEADERS[1]![1]]),
    ];
    expect(peers.every(({ closed }) => !closed)).toBe(true);
  });

  it("counts right whatever way they end", async () => {
    const { server, url } = await startBehind({
      connections: { max: 2, maxPerAddress: 1, maxHandshakes: 2 },
    });
    const [, header] = HEADERS[0]!;
    for (let round = 0; round < 4; round++) {
      (await rawConnect(url)).socket.destroy();
      (await rawConnect(url)).end("PROXY ");
      (await rawConnect(url)).end("nonsense");
      (await rawConnect(url)).end(header);
      await until(async () => {
        const peer = await rawConnect(url);
        peer.write(header, request());
        const opened = (await peer.takeHead()).startsWith("HTTP/1.1 101 ");
        peer.socket.destroy();
        return opened;
      }, "there was a place");
      await until(() => server.sockets.size === 0, "the server had none left");
    }
    await server.close();
  });

  it("that wait for a header are dropped by close", async () => {
    const { server, url, refusals } = await startBehind();
    const peer = await rawConnect(url);
    peer.write("PROXY ");
    await sleep(20);
    await server.close({ deadline: Infinity });
    await until(() => peer.ended || peer.closed, "it was dropped");
    expect(refusals.all).toEqual([]);
  });
});

/** Listens, and relays each connection to the server behind the header; returns the URL. */
async function startRelay(url: string, header: Uint8Array, host = "127.0.0.1"): Promise<string> {
  const relay: NetServer = createServer((near) => {
    const far = createConnection({ port: Number(new URL(url).port), host });
    far.write(header);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on("error", () => {});
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  onTestFinished(() => void relay.close());
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  return `ws://127.0.0.1:${(relay.address() as AddressInfo).port}/`;
}
