// What the web's classes take besides the standard's arguments, each option with a server that can
// tell whether it was heeded.

import { ConnectError, WebSocket, WebSocketStream } from "sansws";
import { describe, expect, it, onTestFinished } from "vitest";
import { startHttpProxy, startSocksProxy } from "../client/proxy-servers.ts";
import { hasOpenssl, makeCertificates } from "../contract/certificates.ts";
import { start, startEcho } from "../contract/suite.ts";
import { next, open } from "./support.ts";

const certificates = hasOpenssl ? makeCertificates() : undefined;

describe("WebSocket's third argument", () => {
  it.runIf(hasOpenssl)(
    "leads through a proxy, with TLS behind it, and has header fields and compression",
    async () => {
      const proxy = await startHttpProxy({ credentials: "me:word" });
      const { url } = await startEcho({
        tls: certificates!.server,
        deflate: true,
        upgrade: ({ headers }) => headers.get("x-key") === "secret" ? undefined : { status: 401 },
      });
      const socket = open(url, [], {
        proxy: `http://me:word@127.0.0.1:${proxy.port}`,
        tls: { ca: certificates!.ca },
        headers: { "X-Key": "secret" },
        deflate: true,
      });
      await next(socket, "open");
      expect(socket.extensions).toMatch(/^permessage-deflate/);
      expect(proxy.asked).toHaveLength(1);
      socket.send("through it all");
      expect((await next(socket, "message")).data).toBe("through it all");
      socket.close();
      expect(await next(socket, "close")).toMatchObject({ wasClean: true });
    },
  );

  it.runIf(hasOpenssl)(
    "has the reason in the error event when a certificate is not accepted",
    async () => {
      const { url } = await startEcho({ tls: certificates!.server });
      const error = await next(open(url), "error") as unknown as {
        error: unknown;
        message: string;
      };
      expect(error.error).toBeInstanceOf(ConnectError);
      expect(error.error).toMatchObject({ failure: "tls", message: error.message });
    },
  );

  it("follows redirects when it is told to", async () => {
    const { url } = await startEcho();
    const { url: old } = await start({
      upgrade: () => ({ status: 307, headers: { Location: url } }),
    });
    const refused = open(old);
    expect(await next(refused, "close")).toMatchObject({ code: 1006 });
    const socket = open(old, [], { redirect: true });
    await next(socket, "open");
    expect(socket.url).toBe(old);
  });

  it("bounds messages where it says so, and fails the connection with the code that went to the server", async () => {
    const ends: number[] = [];
    const { url } = await start({
      open: (peer) => void peer.send("12345"),
      close: (_, { code }) => ends.push(code),
    });
    const socket = open(url, [], { limits: { maxMessageSize: 4 } });
    expect(await next(socket, "close")).toMatchObject({ code: 1006, wasClean: false });
    expect(ends).toEqual([1009]);
  });

  it("has a life that ends the connection", async () => {
    const { url } = await startEcho();
    const life = new AbortController();
    const socket = open(url, [], { lifetime: { signal: life.signal, code: 4001, reason: "over" } });
    await next(socket, "open");
    life.abort();
    expect(await next(socket, "close")).toMatchObject({ code: 4001, wasClean: true });
  });
});

describe("WebSocketStream's options", () => {
  it("lead through a proxy, and have header fields", async () => {
    const proxy = await startSocksProxy({ credentials: "me:word" });
    const { url } = await startEcho({
      upgrade: ({ headers }) => headers.get("x-key") === "secret" ? undefined : { status: 401 },
    });
    const stream = new WebSocketStream(url, {
      proxy: `socks5://me:word@127.0.0.1:${proxy.port}`,
      headers: { "X-Key": "secret" },
    });
    onTestFinished(() => stream.close());
    const { readable, writable } = await stream.opened;
    await writable.getWriter().write("hello");
    expect((await readable.getReader().read()).value).toBe("hello");
    expect(proxy.asked).toHaveLength(1);
  });
});

describe("the options of connect that the class decides itself", () => {
  it.each(["open", "message", "close", "error", "protocols", "signal", "data", "text"])(
    "are refused: %s",
    (name) => {
      const create = (): WebSocket => new WebSocket("ws://127.0.0.1/", [], { [name]: () => {} });
      expect(create).toThrow(`unknown option options.${name}`);
    },
  );
});
