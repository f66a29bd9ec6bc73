// AsyncLocalStorage: a handler sees the store of the call that made its owner, or of its upgrade
// hook, whatever timer, publish or other socket wakes it. No store leaks into another's handlers.

import { AsyncLocalStorage } from "node:async_hooks";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  connect,
  type Handlers,
  reconnecting,
  serve,
  type ServeOptions,
  type Server,
  type Socket,
} from "sansws";
import { attach } from "sansws/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { HANDLERS } from "../../adapters/host/options.ts";
import { rawConnect, rawOpen, request } from "./raw.ts";
import { Mailbox, until } from "./suite.ts";

const als = new AsyncLocalStorage<string>();

/** What a handler saw: its name, and the store. */
type Sight = readonly [name: string, store: string | undefined];

const NAMES = Object.keys(HANDLERS).filter((name) => name !== "piece");

/** All handlers, which note what they see; `message` fails for "fail", so that `error` is called. */
function watching(sights: Sight[]): Handlers {
  const note = (name: string) => (): void => void sights.push([name, als.getStore()]);
  const handlers = Object.fromEntries(NAMES.map((name) => [name, note(name)]));
  return {
    ...handlers,
    message(_, data) {
      sights.push(["message", als.getStore()]);
      if (data === "fail") throw new Error("asked to");
    },
  };
}

/** Has the peer, and this process, do what calls each handler of `watched`, outside of any store. */
async function exercise(watched: Socket, peer: Socket, sights: readonly Sight[]): Promise<void> {
  const seen = (name: string): Promise<void> => {
    return until(() => sights.some(([each]) => each === name), `${name} was called`);
  };
  await als.run("exercise", async () => {
    peer.send("x");
    peer.ping();
    watched.ping();
    await Promise.all(["open", "message", "ping", "pong"].map(seen));
    peer.pause();
    while (watched.send(new Uint8Array(2 ** 18)) === "sent");
    peer.resume();
    await seen("drain");
    watched.pause();
    peer.send("held");
    await new Promise((resolve) => setTimeout(resolve, 10));
    watched.resume();
    await until(() => sights.filter(([each]) => each === "message").length === 2, "it resumed");
    peer.send("fail");
    peer.close();
    await Promise.all(["error", "closing", "close"].map(seen));
  });
}

const MANY = { maxBufferedAmount: Infinity };

function expectStore(sights: readonly Sight[], store: string): void {
  expect([...new Set(sights.map(([name]) => name))].sort()).toEqual([...NAMES].sort());
  expect(sights.filter(([, seen]) => seen !== store)).toEqual([]);
}

async function serving(options: ServeOptions): Promise<Server> {
  const server = await serve({ port: 0, hostname: "127.0.0.1", backpressure: MANY, ...options });
  onTestFinished(() => server.close({ deadline: 0 }));
  return server;
}

/** The server's options, and where its sockets are to be had. */
function arriving(sights: Sight[]): readonly [options: Handlers, sockets: Mailbox<Socket>] {
  const sockets = new Mailbox<Socket>();
  const handlers = watching(sights);
  return [{
    ...handlers,
    open(socket) {
      handlers.open!(socket);
      sockets.put(socket);
    },
  }, sockets];
}

const quiet: Handlers = { message: () => {}, error: () => {} };

describe("every handler sees the store", () => {
  it("of serve, on a server's socket", async () => {
    const sights: Sight[] = [];
    const [options, sockets] = arriving(sights);
    const server = await als.run("serve", () => serving(options));
    const peer = await als.run("client", () => connect(server.url, quiet));
    await exercise(await sockets.take(), peer, sights);
    expectStore(sights, "serve");
  });

  it("of connect, on a client's socket", async () => {
    const sights: Sight[] = [];
    const sockets = new Mailbox<Socket>();
    const server = await als.run("serve", () => {
      return serving({ ...quiet, open: (socket) => sockets.put(socket) });
    });
    const watched = await als.run("connect", () => {
      return connect(server.url, { ...watching(sights), backpressure: MANY });
    });
    await exercise(watched, await sockets.take(), sights);
    expectStore(sights, "connect");
  });

  it("of reconnecting, on each of its sockets", async () => {
    const sights: Sight[] = [];
    const changes: Sight[] = [];
    const sockets = new Mailbox<Socket>();
    const server = await serving({ ...quiet, open: (socket) => sockets.put(socket) });
    const client = als.run("reconnecting", () =>
      reconnecting(server.url, {
        ...watching(sights),
        backpressure: MANY,
        retry: { initialDelay: 1, terminalCodes: [] },
        change: ({ state }) => void changes.push([state, als.getStore()]),
      }));
    onTestFinished(() => client.close());
    for (let i = 0; i < 2; i++) {
      const peer = await sockets.take();
      await until(() => client.state === "open", "it was open");
      sights.length = 0;
      sights.push(["open", "reconnecting"]);
      await exercise(client.socket!, peer, sights);
      expectStore(sights, "reconnecting");
    }
    als.run("elsewhere", () => client.close());
    await client.closed;
    expect(changes.filter(([, store]) => store !== "reconnecting")).toEqual([]);
  });

  it.each<[string, ServeOptions["upgrade"]]>([
    ["before it returns", ({ target }) => als.enterWith(target)],
    ["before its first await", async ({ target }) => {
      als.enterWith(target);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }],
  ])("that the upgrade hook enters %s", async (_, upgrade) => {
    const sights: Sight[] = [];
    const [options, sockets] = arriving(sights);
    const server = await als.run("serve", () => serving({ ...options, upgrade }));
    for (const user of ["/alice", "/bob"]) {
      sights.length = 0;
      const peer = await connect(`${server.url.slice(0, -1)}${user}`, quiet);
      await exercise(await sockets.take(), peer, sights);
      expectStore(sights, user);
    }
  });

  it("in which handleUpgrade is called", async () => {
    const sights: Sight[] = [];
    const [options, sockets] = arriving(sights);
    const attached = als.run("attach", () => attach({ ...options, backpressure: MANY }));
    const http = createServer();
    http.on("upgrade", (request, socket, head) => {
      als.run(request.url!, () => attached.handleUpgrade(request, socket, head));
    });
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    onTestFinished(async () => {
      await attached.close({ deadline: 0 });
      http.close();
    });
    const { port } = http.address() as AddressInfo;
    for (const user of ["/alice", "/bob"]) {
      sights.length = 0;
      const peer = await connect(`ws://127.0.0.1:${port}${user}`, quiet);
      await exercise(await sockets.take(), peer, sights);
      expectStore(sights, user);
    }
  });
});

describe("no store leaks", () => {
  it("from a handler that closes inside of one to another socket that times out", async () => {
    const closed = new Mailbox<Sight>();
    const options: ServeOptions = {
      timeouts: { close: 150, pingInterval: 150, pongTimeout: 150 },
      upgrade: ({ target }) => ({ data: target }),
      message: (socket) => als.run("alice", () => socket.close()),
      close: (socket) => closed.put([String(socket.data), als.getStore()]),
    };
    const server = await als.run("serve", () => serving(options));
    // Neither answers a Close or a ping: deadlines end both.
    const alice = await rawConnect(server.url);
    alice.write(request("", "/alice"));
    await alice.takeHead();
    const bob = await rawConnect(server.url);
    bob.write(request("", "/bob"));
    await bob.takeHead();
    alice.write(Uint8Array.of(0x81, 0x80, 0, 0, 0, 0));
    const sights = await closed.takeAll(2);
    expect(sights.sort()).toEqual([["/alice", "serve"], ["/bob", "serve"]]);
  });

  it("from the first that starts the clock to those whose timers it rings later", async () => {
    const closed = new Mailbox<Sight>();
    const timeouts = { pingInterval: 100, pongTimeout: 100, close: 100 };
    const servers = await Promise.all(
      ["a", "b", "c"].map((store) =>
        als.run(
          store,
          () => serving({ timeouts, close: () => closed.put([store, als.getStore()]) }),
        )
      ),
    );
    for (const { url } of servers) await rawOpen(url);
    for (const [own, seen] of await closed.takeAll(3)) expect(seen).toBe(own);
  });

  it("from a publish to the subscribers, nor from one connection to the hooks of the next", async () => {
    const sights = new Mailbox<Sight>();
    const see = (name: string): void => sights.put([name, als.getStore()]);
    const server = await als.run("serve", () =>
      serving({
        upgrade: () => see("upgrade"),
        request: () => {
          see("request");
          return new Response("page");
        },
        refused: () => see("refused"),
        open: (socket) => socket.subscribe("all"),
        drain: () => see("drain"),
      }));
    const client = await als.run("client", () => connect(server.url, { message: () => {} }));
    client.pause();
    await als.run("publisher", async () => {
      let sent = 0;
      await until(() => {
        server.publish("all", new Uint8Array(2 ** 20));
        return [...server.sockets][0]!.bufferedAmount > 2 ** 20 || ++sent > 200;
      }, "output waits");
    });
    als.run("resumer", () => client.resume());
    const peer = await als.run("other", () => rawConnect(server.url));
    peer.write("nonsense\r\n\r\n");
    await als.run("fetcher", () => fetch(server.url.replace("ws:", "http:")));
    await until(() => sights.all.length === 4, "all were called");
    expect(sights.all.map(([name]) => name).sort()).toEqual([
      "drain",
      "refused",
      "request",
      "upgrade",
    ]);
    expect(sights.all.filter(([, store]) => store !== "serve")).toEqual([]);
  });
});
