// connect() through proxies, with and without TLS, and through proxies that misbehave.

import process from "node:process";
import { connect, ConnectError, type ConnectOptions, HandshakeError, type Socket } from "sansws";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Certificates, hasOpenssl, makeCertificates } from "../contract/certificates.ts";
import { rawListen, type RawPeer } from "../contract/raw.ts";
import {
  bytes,
  ending,
  Mailbox,
  open,
  RUNTIME,
  same,
  startEcho,
  until,
} from "../contract/suite.ts";
import { startHttpProxy, startSocksProxy } from "./proxy-servers.ts";

let certificates: Certificates;

beforeAll(() => {
  if (hasOpenssl) certificates = makeCertificates();
});

/** Sends a large message there and back. */
async function echoes(socket: Socket): Promise<boolean> {
  const message = bytes(300_000);
  socket.send(message.slice());
  for await (const answer of socket) return same(answer, message);
  return false;
}

/** The URL with another name for the host, which only a proxy here can resolve. */
function renamed(url: string): string {
  return url.replace("127.0.0.1", "server.test");
}

async function startTlsEcho(): Promise<string> {
  return (await startEcho({ tls: certificates.server })).url;
}

describe("connect through an HTTP proxy", () => {
  it("carries ws:, to a name that the proxy resolves", async () => {
    const { url } = await startEcho();
    const proxy = await startHttpProxy();
    const socket = await open(renamed(url), { proxy: `http://127.0.0.1:${proxy.port}` });
    expect(await echoes(socket)).toBe(true);
    const { host } = new URL(renamed(url));
    expect(proxy.asked).toEqual([`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`]);
    socket.close(3000, "done");
    expect(ending(await socket.closed)).toBe("3000 \"done\" clean local");
  });

  it.runIf(hasOpenssl)("carries wss:, and checks the certificate of the target", async () => {
    const url = renamed(await startTlsEcho());
    const proxy = `http://127.0.0.1:${(await startHttpProxy()).port}`;
    expect(await echoes(await open(url, { proxy, tls: { ca: certificates.ca } }))).toBe(true);
    const elsewhere = url.replace("server.test", "elsewhere.test");
    await expect(connect(elsewhere, { proxy, tls: { ca: certificates.ca } })).rejects.toMatchObject(
      { failure: "tls" },
    );
    await expect(connect(url, { proxy })).rejects.toMatchObject({ failure: "tls" });
    const named = { proxy, tls: { ca: certificates.ca, serverName: "server.test" } };
    expect(await echoes(await open(elsewhere, named))).toBe(true);
  });

  it.runIf(hasOpenssl)("checks the certificate of an address, too", async () => {
    const url = (await startTlsEcho()).replace("127.0.0.1", "127.0.0.2");
    const proxy = `http://127.0.0.1:${(await startHttpProxy()).port}`;
    await expect(connect(url, { proxy, tls: { ca: certificates.ca } })).rejects.toMatchObject({
      failure: "tls",
    });
  });

  it.runIf(hasOpenssl && RUNTIME !== "Deno")(
    "shows the client's certificate to the target",
    async () => {
      const tls = { ...certificates.server, ca: certificates.ca, requestCert: true };
      const { url } = await startEcho({ tls });
      const proxy = `http://127.0.0.1:${(await startHttpProxy()).port}`;
      const socket = await open(url, {
        proxy,
        tls: { ca: certificates.ca, ...certificates.client },
      });
      expect(await echoes(socket)).toBe(true);
    },
  );

  it.runIf(hasOpenssl && RUNTIME === "Deno")(
    "refuses a client's certificate, which Deno could not show",
    async () => {
      const { port, asked } = await startHttpProxy();
      const tls = { ca: certificates.ca, ...certificates.client };
      const failed = connect("wss://server.test/", { proxy: `http://127.0.0.1:${port}`, tls });
      await expect(failed).rejects.toThrow("no support for tls.cert over a proxy");
      expect(asked).toEqual([]);
    },
  );

  it("sends its credentials to the proxy, and those of the URL to the server", async () => {
    const seen = new Mailbox<string | undefined>();
    const { url } = await startEcho({
      upgrade: ({ headers }) => {
        seen.put(headers.get("authorization"));
        seen.put(headers.get("proxy-authorization"));
      },
    });
    const proxy = await startHttpProxy({ credentials: "me:p@ss" });
    const withUser = url.replace("ws://", "ws://you:word@");
    await open(withUser, { proxy: `http://me:p%40ss@127.0.0.1:${proxy.port}` });
    expect(await seen.takeAll(2)).toEqual([`Basic ${btoa("you:word")}`, undefined]);
    expect(proxy.asked[0]).not.toContain(btoa("you:word"));
  });

  it("is told what the proxy wants", async () => {
    const proxy = await startHttpProxy({ credentials: "me:pass" });
    const failed = connect("ws://server.test/", {
      proxy: `http://me:wrong@127.0.0.1:${proxy.port}`,
    });
    await expect(failed).rejects.toBeInstanceOf(ConnectError);
    await expect(failed).rejects.toMatchObject({
      failure: "proxy",
      message: "the proxy answered CONNECT with 407 Proxy Authentication Required",
      answer: { status: 407 },
    });
    await until(() => proxy.open.size === 0, "the connection to the proxy was gone");
  });

  it.runIf(hasOpenssl)("may reach the proxy over TLS", async () => {
    const { url } = await startEcho();
    const proxy = await startHttpProxy({ tls: certificates.server });
    const over = { url: `https://127.0.0.1:${proxy.port}`, tls: { ca: certificates.ca } };
    expect(await echoes(await open(url, { proxy: over }))).toBe(true);
    await expect(connect(url, { proxy: over.url })).rejects.toMatchObject({ failure: "tls" });
  });

  it.runIf(hasOpenssl)(
    "reaches wss: over TLS within TLS on Node, and says that the others cannot",
    async () => {
      const url = await startTlsEcho();
      const proxy = await startHttpProxy({ tls: certificates.server });
      const tls = { ca: certificates.ca };
      const options: ConnectOptions = {
        proxy: { url: `https://127.0.0.1:${proxy.port}`, tls },
        tls,
      };
      if (RUNTIME === "Node") return expect(await echoes(await open(url, options))).toBe(true);
      await expect(connect(url, options)).rejects.toThrow(`${RUNTIME} has no TLS within TLS`);
      expect(proxy.asked).toEqual([]);
    },
  );

  it("passes on what the server refuses with", async () => {
    const { url } = await startEcho({ upgrade: () => ({ status: 403, body: "not you" }) });
    const proxy = await startHttpProxy();
    const failed = connect(url, { proxy: `http://127.0.0.1:${proxy.port}` });
    await expect(failed).rejects.toBeInstanceOf(HandshakeError);
    await expect(failed).rejects.toMatchObject({ answer: { status: 403 } });
  });
});

describe("connect through a SOCKS proxy", () => {
  it("carries ws:, to a name that the proxy resolves", async () => {
    const { url } = await startEcho();
    const proxy = await startSocksProxy();
    expect(await echoes(await open(renamed(url), { proxy: `socks5://127.0.0.1:${proxy.port}` })))
      .toBe(true);
    expect(proxy.asked).toEqual([new URL(renamed(url)).host]);
  });

  it.runIf(hasOpenssl)("carries wss:, and checks the certificate of the target", async () => {
    const url = renamed(await startTlsEcho());
    const proxy = `socks5h://127.0.0.1:${(await startSocksProxy()).port}`;
    expect(await echoes(await open(url, { proxy, tls: { ca: certificates.ca } }))).toBe(true);
    await expect(connect(url, { proxy })).rejects.toMatchObject({ failure: "tls" });
  });

  it("sends a user name and password where they are wanted", async () => {
    const { url } = await startEcho();
    const proxy = await startSocksProxy({ credentials: "me:p:ss" });
    const at = `@127.0.0.1:${proxy.port}`;
    expect(await echoes(await open(url, { proxy: `socks5://me:p%3Ass${at}` }))).toBe(true);
    expect(proxy.asked).toEqual([
      `me:p:ss ${new URL(url).host}`.replace(/127\.0\.0\.1/, "127.0.0.1"),
    ]);
    await expect(connect(url, { proxy: `socks5://me:wrong${at}` })).rejects.toThrow(
      "did not accept the user name",
    );
    await expect(connect(url, { proxy: `socks5://127.0.0.1:${proxy.port}` })).rejects.toThrow(
      "does not serve without",
    );
    await until(() => proxy.open.size <= 1, "the refused connections were gone");
  });
});

describe("connect through a proxy that misbehaves", () => {
  it.each([
    ["hangs up at once", ""],
    ["hangs up within its answer", "HTTP/1.1 200 Conn"],
    ["speaks something else", "220 mail.example ESMTP\r\n"],
    [
      "sends more than its answer",
      "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
  ])("which %s", async (_what, answer) => {
    const proxy = await startHttpProxy({ answer });
    const failed = connect("ws://server.test/", { proxy: `http://127.0.0.1:${proxy.port}` });
    await expect(failed).rejects.toMatchObject({ name: "ConnectError", failure: "proxy" });
    await until(() => proxy.open.size === 0, "the connection to the proxy was gone");
  });

  it("which resets the connection", async () => {
    const url = await rawListen((peer) =>
      void peer.socket.once("data", () => peer.socket.resetAndDestroy())
    );
    const failed = connect("ws://server.test/", { proxy: url.replace("ws:", "http:") });
    await expect(failed).rejects.toMatchObject({
      failure: "proxy",
      message: expect.stringMatching(/^the proxy hung up/),
    });
  });

  it("which speaks before it was asked", async () => {
    const url = await rawListen((peer) => peer.end("HTTP/1.1 503 Too busy\r\n\r\n"));
    await expect(connect("ws://server.test/", { proxy: url.replace("ws:", "http:") })).rejects
      .toMatchObject({
        failure: "proxy",
      });
  });

  it("which never answers, until the time is over", async () => {
    const url = await rawListen(() => {});
    const failed = connect("ws://server.test/", {
      proxy: url.replace("ws:", "socks5:"),
      timeout: 50,
    });
    await expect(failed).rejects.toMatchObject({ name: "ConnectError", failure: "timeout" });
  });

  it("which never answers, until the signal is aborted", async () => {
    const asked = new Mailbox<RawPeer>();
    const url = await rawListen((peer) => void peer.socket.on("data", () => asked.put(peer)));
    const controller = new AbortController();
    const failed = connect("ws://server.test/", {
      proxy: url.replace("ws:", "http:"),
      signal: controller.signal,
    });
    const peer = await asked.take();
    controller.abort(new Error("enough"));
    await expect(failed).rejects.toThrow("enough");
    await until(() => peer.ended || peer.closed, "the connection to the proxy was gone");
  });

  it("which is not there", async () => {
    // Nobody listens on the port of tcpmux.
    const failed = connect("ws://server.test/", { proxy: "http://127.0.0.1:1" });
    await expect(failed).rejects.toMatchObject({
      failure: "unreachable",
      message: expect.stringMatching(/^no connection to 127\.0\.0\.1:1: ./),
    });
  });
});

describe("connect with proxy: \"env\"", () => {
  function setVariable(name: string, value: string): void {
    const before = process.env[name];
    process.env[name] = value;
    onTestFinished(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }

  it("goes through the proxy that the environment names, unless the host is exempt", async () => {
    const { url } = await startEcho();
    const proxy = await startHttpProxy();
    setVariable("http_proxy", `http://127.0.0.1:${proxy.port}`);
    setVariable("no_proxy", "elsewhere.test");
    await open(renamed(url), { proxy: "env" });
    expect(proxy.asked).toHaveLength(1);
    setVariable("no_proxy", "127.0.0.1");
    await open(url, { proxy: "env" });
    await open(url);
    expect(proxy.asked).toHaveLength(1);
  });
});
