// WebSocketStream and `socket.stream()` as streams: chunks of each kind, pipes, transforms,
// iteration, and what ends them early.

import { WebSocketError, WebSocketStream } from "sansws";
import type { ClosedEvent, Message, Socket } from "sansws";
import type { SocketStream } from "sansws/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { Mailbox, open, start } from "../contract/suite.ts";

/** The stream of a new connection, and the server's socket for it. */
async function connected(
  message?: (socket: Socket, data: Message) => void,
): Promise<{ near: WebSocketStream; streams: Awaited<WebSocketStream["opened"]>; far: Socket; }> {
  const sockets = new Mailbox<Socket>();
  const { url } = await start({ open: (socket) => sockets.put(socket), ...message && { message } });
  const near = new WebSocketStream(url);
  onTestFinished(() => near.close());
  return { near, streams: await near.opened, far: await sockets.take() };
}

const echo = (socket: Socket, data: Message): void => void socket.send(data);

/** What the server's socket is closed with. */
async function closing(far: Socket): Promise<Pick<ClosedEvent, "code" | "reason">> {
  const { code, reason } = await far.closed;
  return { code, reason };
}

/** As many items as wanted, or all. */
async function collect<T>(stream: ReadableStream<T>, most = Infinity): Promise<T[]> {
  const items: T[] = [];
  const reader = stream.getReader();
  while (items.length < most) {
    const { done, value } = await reader.read();
    if (done) break;
    items.push(value);
  }
  reader.releaseLock();
  return items;
}

describe("WebSocketStream chunks", () => {
  it.each<[string, unknown, string | number[]]>([
    ["text", "héllo \u{1f600}", "héllo \u{1f600}"],
    ["an empty text", "", ""],
    ["a lone surrogate", "a\ud800", "a\ufffd"],
    ["a number", 42, "42"],
    ["bytes", Uint8Array.of(1, 2, 3), [1, 2, 3]],
    ["no bytes", new Uint8Array(0), []],
    ["a buffer", Uint8Array.of(1, 2, 3).buffer, [1, 2, 3]],
    ["a part of a buffer", new DataView(Uint8Array.of(9, 1, 2, 3).buffer, 1, 2), [1, 2]],
  ])("go out and come back: %s", async (_, chunk, expected) => {
    const { streams: { readable, writable } } = await connected(echo);
    await writable.getWriter().write(chunk as string);
    const [message] = await collect(readable, 1);
    expect(typeof message === "string" ? message : [...message!]).toEqual(expected);
  });

  it("that are buffers are copied: they may change right after", async () => {
    const { streams: { readable, writable } } = await connected(echo);
    const bytes = new Uint8Array(1000).fill(7);
    const written = writable.getWriter().write(bytes);
    bytes.fill(8);
    await written;
    const [message] = await collect(readable, 1);
    expect(message).toEqual(new Uint8Array(1000).fill(7));
  });

  it("that are symbols error the writable with a TypeError", async () => {
    const { streams: { writable } } = await connected(echo);
    await expect(writable.getWriter().write(Symbol("a") as unknown as string)).rejects.toThrow(
      TypeError,
    );
  });
});

describe("WebSocketStream pipes", () => {
  it("pipeTo and pipeThrough carry messages through transforms, and end with a closing handshake", async () => {
    const { near, streams: { readable, writable }, far } = await connected(echo);
    const source = new ReadableStream<number>({
      start(controller) {
        for (let i = 0; i < 100; i++) controller.enqueue(i);
        controller.close();
      },
    });
    const toText = new TransformStream<number, string>({
      transform: (number, controller) => controller.enqueue(`message ${number}`),
    });
    const upper = new TransformStream<Message, string>({
      transform: (message, controller) => controller.enqueue(String(message).toUpperCase()),
    });
    const sent = source.pipeThrough(toText).pipeTo(writable, { preventClose: true });
    const messages = await collect(readable.pipeThrough(upper), 100);
    await sent;
    expect(messages).toEqual(Array.from({ length: 100 }, (_, i) => `MESSAGE ${i}`));
    await writable.close();
    expect(await near.closed).toEqual({ closeCode: 1005, reason: "" });
    expect(await closing(far)).toEqual({ code: 1005, reason: "" });
  });

  it("pipeTo of its own readable makes an echo, which ends as the peer does", async () => {
    const { near, streams: { readable, writable }, far } = await connected();
    const piped = readable.pipeTo(writable);
    const answers = far[Symbol.asyncIterator]();
    far.send("one");
    expect((await answers.next()).value).toBe("one");
    far.close(4000, "enough");
    expect(await near.closed).toEqual({ closeCode: 4000, reason: "enough" });
    await piped;
  });

  it("is iterated over, to the end", async () => {
    const { streams: { readable }, far } = await connected();
    for (const message of ["one", "two", "three"]) far.send(message);
    far.close(1000);
    const messages: Message[] = [];
    for await (const message of readable as unknown as AsyncIterable<Message>) {
      messages.push(message);
    }
    expect(messages).toEqual(["one", "two", "three"]);
  });

  it("a loop that is left closes the connection", async () => {
    const { near, streams: { readable }, far } = await connected();
    far.send("one");
    for await (const message of readable as unknown as AsyncIterable<Message>) {
      if (message === "one") break;
    }
    expect(await near.closed).toEqual({ closeCode: 1005, reason: "" });
  });
});

describe("WebSocketStream cancel and abort", () => {
  const ends: [
    string,
    (streams: Awaited<WebSocketStream["opened"]>, reason?: unknown) => Promise<void>,
  ][] = [
    ["readable.cancel", ({ readable }, reason) => readable.cancel(reason)],
    ["writable.abort", ({ writable }, reason) => writable.abort(reason)],
  ];

  it.each(ends)("%s closes without a code", async (_, end) => {
    const { near, streams, far } = await connected();
    await end(streams);
    expect(await near.closed).toEqual({ closeCode: 1005, reason: "" });
    expect(await closing(far)).toEqual({ code: 1005, reason: "" });
  });

  it.each(ends)("%s closes with the code and reason of a WebSocketError", async (_, end) => {
    const { near, streams, far } = await connected();
    await end(streams, new WebSocketError("", { closeCode: 3456, reason: "set" }));
    expect(await near.closed).toEqual({ closeCode: 3456, reason: "set" });
    expect(await closing(far)).toEqual({ code: 3456, reason: "set" });
  });

  it.each(ends)("%s takes no code from another object", async (_, end) => {
    const { near, streams } = await connected();
    await end(streams, { closeCode: 3456, reason: "set" });
    expect(await near.closed).toEqual({ closeCode: 1005, reason: "" });
  });

  it("closes without a code for the error of another connection, whose code cannot be sent", async () => {
    const lost = await connected();
    const next = await connected();
    const piped = lost.streams.readable.pipeTo(next.streams.writable).catch((error: unknown) =>
      error
    );
    lost.far.abort();
    expect(await piped).toMatchObject({ name: "WebSocketError", closeCode: 1006 });
    expect(await next.near.closed).toEqual({ closeCode: 1005, reason: "" });
  });

  it("writer.close is fulfilled after the closing handshake", async () => {
    const { streams: { writable }, far } = await connected();
    await writable.getWriter().close();
    expect(far.state).not.toBe("open");
  });

  it("writer.close waits for the messages that were written before", async () => {
    const { streams: { writable }, far } = await connected();
    const writer = writable.getWriter();
    for (let i = 0; i < 10; i++) void writer.write(`${i}`);
    await writer.close();
    const messages: Message[] = [];
    for await (const message of far) messages.push(message);
    expect(messages).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
  });
});

describe("Socket.stream on a server", () => {
  async function served(): Promise<{ near: Socket; far: SocketStream; }> {
    const streams = new Mailbox<SocketStream>();
    const { url } = await start({
      upgrade: () => ({ protocol: "a" }),
      open: (socket) => streams.put(socket.stream()),
    });
    return { near: await open(url, { protocols: ["a"] }), far: await streams.take() };
  }

  it("is a stream of the same kind", async () => {
    const { near, far } = await served();
    expect(far).toMatchObject({ protocol: "a", extensions: "" });
    const piped = far.readable.pipeTo(far.writable);
    near.send("one");
    near.send(Uint8Array.of(2));
    const answers = near[Symbol.asyncIterator]();
    expect((await answers.next()).value).toBe("one");
    expect((await answers.next()).value).toEqual(Uint8Array.of(2));
    near.close(4000, "done");
    await piped;
    expect(await far.closed).toEqual({ closeCode: 4000, reason: "done" });
  });

  it("closes with what it is told", async () => {
    const { near, far } = await served();
    expect(() => far.close({ closeCode: 1001 })).toThrow(DOMException);
    far.close({ closeCode: 3000, reason: "bye" });
    expect(await near.closed).toMatchObject({ code: 3000, reason: "bye", clean: true });
  });
});
