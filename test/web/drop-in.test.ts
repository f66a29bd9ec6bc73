// The WebSocket class in place of `globalThis.WebSocket`, in libraries that are given one:
// graphql-ws, Phoenix and reconnecting-websocket, each with a server that speaks its protocol.

import type * as Graphql from "graphql";
import { type Client, createClient, GRAPHQL_TRANSPORT_WS_PROTOCOL, makeServer } from "graphql-ws";
import { useServer as serveGraphql } from "graphql-ws/use/ws";
import { once } from "node:events";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import type * as Reconnecting from "reconnecting-websocket";
import { type Message, type Socket, WebSocket } from "sansws";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { Mailbox, start } from "../contract/suite.ts";

// The copy that graphql-ws itself takes: a bundler's would be another one, whose schemas are
// strangers to it. The other two have no types that TypeScript would find by itself.
const require = createRequire(import.meta.url);
const { buildSchema } = require("graphql") as typeof Graphql;
const phoenix = require("phoenix") as { Socket: PhoenixSocketType; };
const ReconnectingWebSocket = require(
  "reconnecting-websocket",
) as typeof Reconnecting.default.default;

/** What of Phoenix's client is used here. */
interface Push {
  receive(status: string, callback: (response: unknown) => void): this;
}

interface PhoenixSocket {
  connect(): void;
  disconnect(callback: () => void): void;
  connectionState(): string;
  channel(topic: string): {
    on(event: string, callback: (payload: unknown) => void): void;
    join(): Push;
    push(event: string, payload: object): Push;
  };
}

type PhoenixSocketType = new(url: string, options: object) => PhoenixSocket;

/** As a library types what it is given; that this compiles is the test. */
const given: typeof globalThis.WebSocket = WebSocket;

describe("WebSocket in place of globalThis.WebSocket", () => {
  it("is taken for it by whoever writes to its attributes", async () => {
    const { url } = await start({ message: (socket, data) => void socket.send(data) });
    const socket: globalThis.WebSocket = new given(url, []);
    const heard = new Promise((resolve) => {
      socket.onopen = function() {
        this.send("typed");
      };
      socket.onmessage = (event: MessageEvent) => resolve(event.data);
    });
    expect(await heard).toBe("typed");
    const closed = new Promise<globalThis.CloseEvent>((resolve) => socket.onclose = resolve);
    socket.close(3000);
    expect((await closed).code).toBe(3000);
  });
});

// --- graphql-ws ---

const schema = buildSchema(
  "type Query { hello: String } type Subscription { count(to: Int!): Int }",
);

const roots = {
  query: { hello: () => "world" },
  subscription: {
    async *count({ to }: { to: number; }) {
      for (let count = 1; count <= to; count++) yield { count };
    },
  },
};

/**
 * A GraphQL server on sansws, the way graphql-ws has it done for a library that it does not know.
 */
async function startGraphql(): Promise<{ url: string; sockets: Mailbox<Socket>; }> {
  const graphql = makeServer({ schema, roots });
  const sockets = new Mailbox<Socket>();
  const { url } = await start<
    { heard?: (message: string) => Promise<void>; left?: (code: number, reason: string) => void; }
  >({
    upgrade: () => ({ protocol: GRAPHQL_TRANSPORT_WS_PROTOCOL, data: {} }),
    open: (socket) => {
      sockets.put(socket);
      socket.data.left = graphql.opened({
        protocol: socket.protocol,
        send: (text) => void socket.send(text),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (heard) => void (socket.data.heard = heard),
      }, {});
    },
    message: (socket, data) => socket.data.heard?.(String(data)),
    close: (socket, { code, reason }) => socket.data.left?.(code, reason),
  });
  return { url, sockets };
}

/** What the subscription gives until it ends. */
async function results(client: Client, query: string): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const { data } of client.iterate({ query })) all.push(data);
  return all;
}

describe("WebSocket in graphql-ws", () => {
  it("answers queries and subscriptions, and closes with the code of the library", async () => {
    const { url, sockets } = await startGraphql();
    const client = createClient({ url, webSocketImpl: WebSocket, lazy: false, retryAttempts: 0 });
    expect(await results(client, "{ hello }")).toEqual([{ hello: "world" }]);
    expect(await results(client, "subscription { count(to: 100) }")).toHaveLength(100);
    const socket = await sockets.take();
    await client.dispose();
    expect(await socket.closed).toMatchObject({
      code: 1000,
      reason: "Normal Closure",
      clean: true,
    });
  });

  it("talks to a server of another library as well", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true });
    serveGraphql({ schema, roots }, server);
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const client = createClient({
      url: `ws://127.0.0.1:${port}/`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    expect(await results(client, "{ hello }")).toEqual([{ hello: "world" }]);
    expect(await results(client, "subscription { count(to: 100) }")).toHaveLength(100);
    await client.dispose();
  });

  it("tells the client what it needs to connect again", async () => {
    const { url, sockets } = await startGraphql();
    const closed = new Mailbox<unknown>();
    const client = createClient({
      url,
      webSocketImpl: WebSocket,
      lazy: false,
      retryWait: () => Promise.resolve(),
      on: { closed: (event) => closed.put(event) },
    });
    onTestFinished(() => void client.dispose());
    expect(await results(client, "{ hello }")).toEqual([{ hello: "world" }]);
    (await sockets.take()).close(4200, "again");
    expect(await closed.take()).toMatchObject({ code: 4200, reason: "again", wasClean: true });
    expect(await results(client, "{ hello }")).toEqual([{ hello: "world" }]);
    expect(sockets.all).toHaveLength(2);
  });
});

// --- Phoenix ---

/** A Phoenix server of one kind of channel: it lets everybody in, and echoes. */
function answer(socket: Socket, data: Message): void {
  const [joined, ref, topic, event, payload] = JSON.parse(String(data)) as [
    string,
    string,
    string,
    string,
    unknown,
  ];
  const response = event === "echo" ? payload : {};
  socket.send(JSON.stringify([joined, ref, topic, "phx_reply", { status: "ok", response }]));
  if (event === "phx_join") {
    socket.send(JSON.stringify([joined, null, topic, "welcome", { topic }]));
  }
}

describe("WebSocket in phoenix", () => {
  it("joins a channel, pushes, hears, and joins again after the connection was lost", async () => {
    const sockets = new Mailbox<Socket>();
    const { url } = await start({ open: (socket) => sockets.put(socket), message: answer });
    const client = new phoenix.Socket(`${url}socket`, {
      transport: WebSocket,
      params: { token: "t" },
      reconnectAfterMs: () => 1,
      rejoinAfterMs: () => 1,
    });
    onTestFinished(() => new Promise<void>((resolve) => client.disconnect(resolve)));
    client.connect();
    const channel = client.channel("room:1");
    const welcomes = new Mailbox<unknown>();
    channel.on("welcome", (payload) => welcomes.put(payload));
    await new Promise((resolve, reject) =>
      channel.join().receive("ok", resolve).receive("error", reject)
    );
    expect(await welcomes.take()).toEqual({ topic: "room:1" });
    expect(
      await new Promise((resolve) =>
        channel.push("echo", { text: "héllo" }).receive("ok", resolve)
      ),
    ).toEqual({
      text: "héllo",
    });
    (await sockets.take()).abort();
    expect(await welcomes.take()).toEqual({ topic: "room:1" });
    expect(client.connectionState()).toBe("open");
  });
});

// --- reconnecting-websocket ---

describe("WebSocket in reconnecting-websocket", () => {
  it("connects, echoes text and bytes, and connects again after the connection was lost", async () => {
    const sockets = new Mailbox<Socket>();
    const { url } = await start({
      upgrade: () => ({ protocol: "echo" }),
      open: (socket) => sockets.put(socket),
      message: (socket, data) => void socket.send(data),
    });
    const socket = new ReconnectingWebSocket(url, ["echo"], {
      WebSocket,
      minReconnectionDelay: 1,
      maxReconnectionDelay: 5,
    });
    onTestFinished(() => socket.close());
    socket.binaryType = "arraybuffer";
    const messages = new Mailbox<unknown>();
    socket.addEventListener("message", ({ data }) => messages.put(data));
    socket.send("before it is open");
    expect(await messages.take()).toBe("before it is open");
    expect(socket.protocol).toBe("echo");
    (await sockets.take()).abort();
    await sockets.take();
    socket.send(Uint8Array.of(1, 2, 3));
    expect(new Uint8Array(await messages.take() as ArrayBuffer)).toEqual(Uint8Array.of(1, 2, 3));
  });
});
