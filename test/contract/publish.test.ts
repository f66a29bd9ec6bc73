// Topics: who hears what, and what becomes of messages to those who are gone or do not read.

import { type Message, prepareText, type ServeOptions, type Server, type Socket } from "sansws";
import { describe, expect, it } from "vitest";
import { bytes, Mailbox, open, start, until } from "./suite.ts";

interface Room {
  readonly server: Server;
  /** The server's sockets. */
  readonly sockets: readonly Socket[];
  readonly clients: readonly Socket[];
  /** What each client has received. */
  readonly heard: readonly Message[][];
}

async function room(count: number, options: ServeOptions = {}): Promise<Room> {
  const opened = new Mailbox<Socket>();
  const { server, url } = await start({ ...options, open: (socket) => opened.put(socket) });
  const heard: Message[][] = [];
  const sockets: Socket[] = [];
  const clients: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const messages: Message[] = [];
    heard.push(messages);
    clients.push(await open(url, { message: (_, data) => void messages.push(data) }));
    sockets.push(await opened.take());
  }
  return { server, sockets, clients, heard };
}

describe("server.publish", () => {
  it("reaches the subscribers of the topic, and says how many", async () => {
    const { server, sockets, heard } = await room(3);
    sockets[0]!.subscribe("news");
    sockets[1]!.subscribe("news");
    sockets[2]!.subscribe("other");
    expect(server.publish("news", "hello")).toBe(2);
    expect(server.publish("nobody's", "hello")).toBe(0);
    expect(server.publish("other", bytes(10))).toBe(1);
    await until(() => heard.every((messages) => messages.length === 1), "all had heard");
    expect(heard).toEqual([["hello"], ["hello"], [bytes(10)]]);
  });

  it("keeps the order of many messages for each subscriber, among what is sent otherwise", async () => {
    const { server, sockets, heard } = await room(5);
    for (const socket of sockets) socket.subscribe("ticks");
    for (let i = 0; i < 200; i++) {
      server.publish("ticks", `tick ${i}`);
      if (i === 100) sockets[3]!.send("only you");
    }
    await until(() => heard.every((messages) => messages.length >= 200), "all had heard");
    const ticks = Array.from({ length: 200 }, (_, i) => `tick ${i}`);
    expect(heard[0]).toEqual(ticks);
    expect(heard[3]).toEqual(ticks.toSpliced(101, 0, "only you"));
  });

  it("takes prepared messages, and large ones, for compressing and plain clients alike", async () => {
    const opened = new Mailbox<Socket>();
    const { server, url } = await start({ deflate: true, open: (socket) => opened.put(socket) });
    const messages = new Mailbox<Message>();
    for (const deflate of [true, false, { takeover: false, peerTakeover: false }]) {
      await open(url, { deflate, message: (_, data) => messages.put(data) });
      (await opened.take()).subscribe("all");
    }
    const large = "all of you ".repeat(20_000);
    server.publish("all", large);
    expect(await messages.takeAll(3)).toEqual([large, large, large]);
    server.publish("all", prepareText("prepared"));
    expect(await messages.takeAll(3)).toEqual(["prepared", "prepared", "prepared"]);
  });

  it("does not reach a socket after unsubscribe, nor one that is closing or gone", async () => {
    const { server, sockets, clients, heard } = await room(4);
    for (const socket of sockets) socket.subscribe("news");
    sockets[0]!.unsubscribe("news");
    sockets[1]!.close();
    clients[2]!.abort();
    await until(() => server.sockets.size === 2, "two were gone");
    expect(server.publish("news", "late")).toBe(1);
    await until(() => heard[3]!.length === 1, "the last had heard");
    expect(heard).toEqual([[], [], [], ["late"]]);
  });

  it("drops for a subscriber that does not read, and reaches the others", async () => {
    const backpressure = { maxBufferedAmount: 2 ** 20, onOverflow: "drop" } as const;
    const { server, sockets, clients, heard } = await room(2, { backpressure });
    for (const socket of sockets) socket.subscribe("firehose");
    clients[0]!.pause();
    let published = 0;
    for (; server.publish("firehose", bytes(65536)) === 2; published++) await sockets[1]!.ready();
    await until(() => heard[1]!.length === published + 1, "the other had heard");
    expect(heard[0]).toEqual([]);
    expect(sockets[0]!.state).toBe("open");
  });
});

describe("socket.publish", () => {
  it("reaches all subscribers but the socket itself", async () => {
    const { sockets, heard } = await room(3);
    for (const socket of sockets) socket.subscribe("chat");
    expect(sockets[0]!.publish("chat", "hi")).toBe(2);
    await until(() => heard[1]!.length + heard[2]!.length === 2, "the others had heard");
    expect(heard).toEqual([[], ["hi"], ["hi"]]);
  });

  it("needs no subscription of its own", async () => {
    const { sockets, heard } = await room(2);
    sockets[1]!.subscribe("chat");
    expect(sockets[0]!.publish("chat", "hi")).toBe(1);
    await until(() => heard[1]!.length === 1, "the other had heard");
  });
});

describe("subscriptions", () => {
  it("are what the socket is subscribed to, each once", async () => {
    const { sockets: [socket] } = await room(1);
    expect([...socket!.subscriptions]).toEqual([]);
    socket!.subscribe("a");
    socket!.subscribe("a");
    socket!.subscribe("b");
    socket!.unsubscribe("c");
    expect([...socket!.subscriptions]).toEqual(["a", "b"]);
    socket!.unsubscribe("a");
    expect([...socket!.subscriptions]).toEqual(["b"]);
  });

  it("are gone with the socket, and none are made on one that is closed", async () => {
    const { server, sockets: [socket] } = await room(1);
    socket!.subscribe("a");
    socket!.close();
    await socket!.closed;
    await until(() => server.sockets.size === 0, "the server forgot it");
    socket!.subscribe("b");
    expect([...socket!.subscriptions]).toEqual([]);
    expect(server.publish("b", "x")).toBe(0);
  });
});
