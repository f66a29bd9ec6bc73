// `refused`: every way to be turned away is told once, with the status on the wire, the rule, the
// peer, and the request where its head was readable.

import { createServer } from "node:http";
import { type AddressInfo, connect as tcp } from "node:net";
import { connect, type ServeOptions, type Server } from "sansws";
import { HANDSHAKE_FAULTS } from "sansws/core";
import { attach, type Refusal } from "sansws/node";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { rawConnect, rawOpen, type RawPeer, request } from "./raw.ts";
import { Mailbox, settled, start, until } from "./suite.ts";
import { Unhandled } from "./unhandled.ts";

const unhandled = new Unhandled();
beforeAll(() => unhandled.listen());
afterAll(() => unhandled.expectNone());

/** One way to be turned away. */
interface Way {
  readonly status: number;
  readonly rule: string;
  /** What is sent; default a good request. */
  readonly bytes?: string;
  readonly options?: ServeOptions;
  /** The request that `refused` is given: its target. Default `/`; none where the head is bad. */
  readonly target?: string | undefined;
  /** Before the client connects. */
  before?(server: Server, url: string): Promise<unknown> | unknown;
  /** After its request was sent. */
  after?(peer: RawPeer, server: Server): Promise<unknown> | unknown;
}

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const never = (): Promise<never> => new Promise(() => {});
const bad = (rule: string, bytes: string, target?: string): Way => {
  const { status } = HANDSHAKE_FAULTS[rule as keyof typeof HANDSHAKE_FAULTS];
  return { status: status!, rule, bytes, target };
};
const replaced = (from: string, to: string): string => request().replace(from, to);

const WAYS: readonly Way[] = [
  // The head cannot be read
  bad("request-line-malformed", "nonsense\r\n\r\n"),
  bad("line-ending-bare", "GET / HTTP/1.1\nHost: a\n\n"),
  bad("field-folded", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"),
  bad("field-colon-missing", "GET / HTTP/1.1\r\nHost\r\n\r\n"),
  bad("field-name-space", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
  bad("field-name-invalid", "GET / HTTP/1.1\r\nH@st: a\r\n\r\n"),
  bad("field-value-invalid", "GET / HTTP/1.1\r\nHost: \x01\r\n\r\n"),
  bad("target-invalid", "GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n"),
  bad("head-too-large", `GET / HTTP/1.1\r\n${`a: ${"b".repeat(5000)}\r\n`.repeat(4)}\r\n`),
  bad("line-too-long", `GET / HTTP/1.1\r\na: ${"b".repeat(9000)}\r\n\r\n`),
  bad("request-line-too-long", `GET /${"b".repeat(9000)} HTTP/1.1\r\n\r\n`),
  bad("too-many-fields", `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(200)}\r\n`),
  { ...bad("request-incomplete", "GET / HT"), after: (peer) => peer.end() },
  { ...bad("request-overdue", "GET / HT"), options: { timeouts: { handshake: 100 } } },
  // No request of HTTP that is answered
  bad("http-version-unsupported", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
  bad("method-not-allowed", "POST / HTTP/1.1\r\nHost: a\r\n\r\n", "/"),
  bad("host-missing", "GET / HTTP/1.1\r\n\r\n", "/"),
  bad("host-repeated", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "/"),
  bad("host-invalid", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "/"),
  bad("content-length-invalid", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "/"),
  bad(
    "body-length-ambiguous",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "/",
  ),
  bad(
    "transfer-encoding-unsupported",
    "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "/",
  ),
  // No good upgrade
  bad("method-not-get", replaced("GET", "POST"), "/"),
  bad("upgrade-http-version", replaced("HTTP/1.1", "HTTP/1.0"), "/"),
  bad("body-unexpected", request("Content-Length: 1\r\n"), "/"),
  bad("upgrade-missing", replaced("Upgrade: websocket\r\n", ""), "/"),
  bad("connection-missing", replaced("Connection: Upgrade", "Connection: close"), "/"),
  bad("version-missing", replaced("Sec-WebSocket-Version: 13\r\n", ""), "/"),
  bad("version-repeated", request("Sec-WebSocket-Version: 13\r\n"), "/"),
  bad("version-unsupported", replaced("Version: 13", "Version: 8"), "/"),
  bad("key-missing", replaced("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), "/"),
  bad("key-repeated", request("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), "/"),
  bad("key-invalid", replaced("dGhl", "!!"), "/"),
  bad("origin-repeated", request("Origin: http://a\r\nOrigin: http://b\r\n"), "/"),
  bad("protocols-malformed", request("Sec-WebSocket-Protocol: a b\r\n"), "/"),
  bad("protocols-not-unique", request("Sec-WebSocket-Protocol: a, a\r\n"), "/"),
  bad("extensions-malformed", request("Sec-WebSocket-Extensions: ;\r\n"), "/"),
  {
    ...bad("decision-overdue", request(), "/"),
    options: { timeouts: { handshake: 100 }, upgrade: never },
  },
  {
    ...bad("request-incomplete", request(), "/"),
    options: { upgrade: never },
    after: (p) => p.end(),
  },
  // By a hook
  { status: 403, rule: "rejected", target: "/", options: { upgrade: () => ({ status: 403 }) } },
  {
    status: 404,
    rule: "rejected",
    target: "/",
    options: { upgrade: () => Promise.resolve({ status: 404, body: "no" }) },
  },
  {
    status: 401,
    rule: "rejected",
    target: "/",
    options: { upgrade: () => new Response(null, { status: 401 }) },
  },
  {
    status: 500,
    rule: "hook-failed",
    target: "/",
    options: { upgrade: () => Promise.reject(new Error()), error: () => {} },
  },
  {
    status: 500,
    rule: "hook-failed",
    target: "/",
    bytes: GET,
    options: { request: () => Promise.reject(new Error()), error: () => {} },
  },
  {
    status: 400,
    rule: "target-invalid",
    target: "/",
    bytes: "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n",
    options: { request: () => new Response() },
  },
  { status: 426, rule: "no-request-hook", target: "/", bytes: GET },
  // By the server
  {
    status: 503,
    rule: "connections.max",
    options: { connections: { max: 1 } },
    before: (_, url) => rawOpen(url),
  },
  {
    status: 503,
    rule: "connections.maxPerAddress",
    options: { connections: { maxPerAddress: 1 } },
    before: (_, url) => rawOpen(url),
  },
  {
    status: 503,
    rule: "connections.maxHandshakes",
    options: { connections: { maxHandshakes: 1 }, upgrade: never },
    before: (_, url) => rawConnect(url),
  },
];

describe("refused", () => {
  it.each(WAYS)("is told of $status by $rule", async (way) => {
    const { status, rule, bytes = request(), options, target, before, after } = way;
    const refused = new Mailbox<Refusal>();
    const { server, url } = await start({ ...options, refused: (refusal) => refused.put(refusal) });
    await before?.(server, url);
    const peer = await rawConnect(url);
    const port = peer.socket.localPort;
    peer.write(bytes);
    await after?.(peer, server);
    const answer = await peer.takeAll();
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    const refusal = await refused.take();
    expect(refusal).toMatchObject({ status, rule });
    expect(refusal.peer).toEqual({ hostname: "127.0.0.1", port });
    expect(refusal.request?.target).toBe(target);
    peer.socket.destroy();
    await server.close({ deadline: 0 });
    expect(refused.all.length).toBe(1);
  });

  it("has a row for each fault that a server answers", () => {
    const faults = Object.entries(HANDSHAKE_FAULTS).filter(([, { status }]) =>
      status !== undefined
    );
    const rules = WAYS.map(({ rule }) => rule);
    // More early bytes than any runtime gives at once are out of a client's reach.
    const missing = faults.map(([name]) => name).filter((name) => !rules.includes(name));
    expect(missing).toEqual(["early-data-too-large"]);
  });

  it("is told of what comes while the server closes", async () => {
    const refused = new Mailbox<Refusal>();
    const sockets = attach({ refused: (refusal) => refused.put(refusal) });
    const http = createServer().on("upgrade", sockets.handleUpgrade);
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void http.close());
    await sockets.close();
    const peer = await rawConnect((http.address() as AddressInfo).port);
    peer.write(request("", "/late"));
    expect(await peer.takeAll()).toMatch(/^HTTP\/1\.1 503 /);
    expect(refused.all).toMatchObject([{
      status: 503,
      rule: "closing",
      request: { target: "/late" },
    }]);
  });

  it("is not told of what is let in, nor of silent connections and their ends", async () => {
    const refused = new Mailbox<Refusal>();
    const { server, url } = await start({
      request: () => new Response("page"),
      refused: (refusal) => refused.put(refusal),
    });
    const port = Number(new URL(url).port);
    for (const end of ["end", "destroy", "resetAndDestroy"] as const) {
      const peer = await rawConnect(url);
      peer.socket[end]();
      await until(() => peer.closed, "it is gone");
    }
    await new Promise<void>((resolve) => {
      const socket = tcp(port, "127.0.0.1", () => {
        socket.destroy();
        resolve();
      });
    });
    await (await fetch(url.replace("ws:", "http:"))).text();
    (await connect(url)).close();
    await until(() => server.sockets.size === 0, "the socket is gone");
    await settled(() => refused.all.length, 50);
    expect(refused.all).toEqual([]);
  });

  it("is not told of a silent connection that is dropped for its silence", async () => {
    const refused = new Mailbox<Refusal>();
    const { url } = await start({
      timeouts: { handshake: 100 },
      refused: (refusal) => refused.put(refusal),
    });
    const peer = await rawConnect(url);
    const answer = await peer.takeAll();
    expect(refused.all.map(({ status }) => status)).toEqual(answer === "" ? [] : [408]);
  });
});
