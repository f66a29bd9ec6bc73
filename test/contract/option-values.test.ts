// What is done with options and data of legal but unusual kinds: instances of classes, values of
// another realm, things that can be read once, and numbers that no timer takes.

import { runInNewContext } from "node:vm";
import {
  connect,
  type Handlers,
  reconnecting,
  type ReconnectOptions,
  type Sendable,
  serve,
  type ServeOptions,
  type Socket,
  WebSocket,
  WebSocketStream,
} from "sansws";
import type { StateChange } from "sansws/reconnecting";
import { describe, expect, it, onTestFinished } from "vitest";
import { startHttpProxy } from "../client/proxy-servers.ts";
import { rawConnect } from "./raw.ts";
import { Mailbox, open, openPair, start, startEcho, until } from "./suite.ts";

describe("an instance of a class is `this`", () => {
  it("of every handler and hook of serve, which are methods", async () => {
    const seen = new Set<string>();
    const note = function(name: string) {
      return function(this: { secret: number; }): void {
        if (this.secret === 42) seen.add(name);
      };
    };
    class Options implements ServeOptions {
      readonly port = 0;
      readonly hostname = "127.0.0.1";
      readonly secret = 42;
      readonly [other: string]: unknown;
    }
    const names = ["open", "message", "ping", "closing", "close", "upgrade", "refused", "error"];
    for (const name of names) Object.assign(Options.prototype, { [name]: note(name) });
    Object.assign(Options.prototype, {
      request(this: Options) {
        note("request").call(this);
        throw new Error("to `error`");
      },
    });
    const server = await serve(new Options());
    onTestFinished(() => server.close({ deadline: 0 }));
    const socket = await connect(server.url);
    socket.send("x");
    socket.ping();
    socket.close();
    await socket.closed;
    await fetch(server.url.replace("ws:", "http:"));
    (await rawConnect(server.url)).write("nonsense\r\n\r\n");
    await until(() => seen.size === names.length + 1, "all were called");
  });

  it("of reconnecting's `change` and handlers, and of retry's `shouldRetry`", async () => {
    const { url } = await start({ open: (socket) => socket.close(4000) });
    const heard = new Mailbox<string>();
    class Retry {
      readonly initialDelay = 1;
      readonly answer = false;
      shouldRetry(): boolean {
        heard.put("shouldRetry");
        return this.answer;
      }
    }
    class Options implements ReconnectOptions {
      readonly name = "mine";
      readonly retry = new Retry();
      change({ state }: StateChange): void {
        heard.put(`${this.name} ${state}`);
      }
      close(): void {
        heard.put(`${this.name} close`);
      }
    }
    await reconnecting(url, new Options()).closed;
    expect(heard.all).toEqual(
      expect.arrayContaining(["mine connecting", "mine close", "shouldRetry", "mine closed"]),
    );
  });

  it("of a WebSocket's and a WebSocketStream's `ping`, with other state beside it", async () => {
    const { url } = await start({ open: (socket) => socket.ping() });
    const heard = new Mailbox<string>();
    class Options implements Pick<Handlers, "ping"> {
      readonly name = "mine";
      ping(): void {
        heard.put(this.name);
      }
    }
    const socket = new WebSocket(url, [], new Options());
    const stream = new WebSocketStream(url, new Options());
    expect(await heard.takeAll(2)).toEqual(["mine", "mine"]);
    socket.close();
    await stream.opened;
    stream.close();
  });
});

describe("data of every kind and realm", () => {
  const foreign = (code: string): Sendable => runInNewContext(code) as Sendable;
  const KINDS: readonly (readonly [name: string, make: () => Sendable])[] = [
    ["Uint8Array", () => Uint8Array.of(1, 2, 3)],
    ["Buffer", () => Buffer.from([1, 2, 3])],
    ["ArrayBuffer", () => Uint8Array.of(1, 2, 3).buffer],
    ["DataView", () => new DataView(Uint8Array.of(0, 1, 2, 3).buffer, 1)],
    ["Int8Array", () => Int8Array.of(1, 2, 3)],
    ["Uint8Array of another realm", () => foreign("Uint8Array.of(1, 2, 3)")],
    ["ArrayBuffer of another realm", () => foreign("Uint8Array.of(1, 2, 3).buffer")],
    ["DataView of another realm", () => foreign("new DataView(Uint8Array.of(1, 2, 3).buffer)")],
  ];

  it.each(KINDS)(
    "%s: sent, published, sent in pieces, and kept by reconnecting",
    async (_, make) => {
      const { near, server, far, url } = await openPair();
      far.subscribe("all");
      near.send(make());
      expect([...await next(far)]).toEqual([1, 2, 3]);
      server.publish("all", make());
      expect([...await next(near)]).toEqual([1, 2, 3]);
      await near.sendStream([make(), make()] as never);
      expect([...await next(far)]).toEqual([1, 2, 3, 1, 2, 3]);
      expect(near.bufferedAmount).toBe(0);
      const echo = await startEcho();
      const client = reconnecting(echo.url);
      onTestFinished(() => client.close());
      expect(client.send(make())).toBe("queued");
      for await (const message of client) {
        expect([...message as Uint8Array]).toEqual([1, 2, 3]);
        break;
      }
      expect(url).toBeTruthy();
    },
  );

  it.each<[string, unknown]>([
    ["a number", 3],
    ["null", null],
    ["an array", [1, 2]],
    ["a Blob", new Blob(["x"])],
    ["a SharedArrayBuffer", new SharedArrayBuffer(2)],
    ["what calls itself an ArrayBuffer", { byteLength: 3, [Symbol.toStringTag]: "ArrayBuffer" }],
  ])("%s is refused, and harms nothing", async (_, data) => {
    const { near, far } = await openPair();
    expect(() => near.send(data as Sendable)).toThrow(/send takes/);
    near.send("after");
    expect(await next(far)).toBe("after");
    await expect(near.sendStream([data] as never)).rejects.toThrow(/send takes/);
    expect(near.bufferedAmount).toBeGreaterThanOrEqual(0);
  });
});

async function next(socket: Socket): Promise<Uint8Array> {
  return (await socket[Symbol.asyncIterator]().next()).value as Uint8Array;
}

describe("headers that can be read once", () => {
  const FORMS: readonly (readonly [name: string, make: () => Iterable<[string, string]>])[] = [
    ["Headers.entries()", () => new Headers({ "X-A": "b" }).entries()],
    ["a generator", function*() {
      yield ["X-A", "b"];
    }],
  ];

  it.each(FORMS)("%s: on each attempt, across redirects, and for the proxy", async (_, make) => {
    const seen: (string | undefined)[] = [];
    const { url } = await start({
      upgrade: ({ target, headers }) => {
        seen.push(headers.get("x-a"));
        return target === "/to" ? undefined : { status: 302, headers: { Location: "/to" } };
      },
      open: (socket) => socket.close(4000),
    });
    const proxy = await startHttpProxy();
    let attempts = 0;
    await reconnecting(`${url}from`, {
      headers: make(),
      proxy: { url: `http://127.0.0.1:${proxy.port}`, headers: make() },
      redirect: true,
      retry: { initialDelay: 1, shouldRetry: () => ++attempts < 3 },
    }).closed;
    expect(seen).toEqual(Array.from({ length: 6 }, () => "b"));
    expect(proxy.asked.map((head) => /\r\nX-A: b\r\n/i.test(head))).toEqual(seen.map(() => true));
  });
});

describe("numbers beyond what a timer takes never ring early", () => {
  it.each([2 ** 31, 1e12, Number.MAX_VALUE, Infinity])("%d", async (long) => {
    const { server, url } = await start({
      timeouts: { close: long, handshake: long, pingInterval: long, pongTimeout: long, idle: long },
      upgrade: ({ target }) => {
        return target === "/no" ? { status: 503, headers: { "Retry-After": "1000000000" } } : {};
      },
    });
    const states: string[] = [];
    const client = reconnecting(`${url}no`, {
      timeout: long,
      retry: { initialDelay: 0, maxDelay: long },
      change: ({ state }) => void states.push(state),
    });
    await until(() => states.includes("waiting"), "it waits");
    const socket = await open(url, { timeout: long, timeouts: { idle: long, close: long } });
    const raw = await rawConnect(url);
    const closing = server.close({ deadline: long });
    let closed = false;
    const held = closing.then(() => closed = true);
    await socket.closed;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(states.filter((state) => state === "waiting")).toHaveLength(1);
    raw.socket.destroy();
    client.close();
    await held;
    expect(closed).toBe(true);
  });
});
