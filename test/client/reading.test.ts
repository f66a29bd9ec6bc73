// Reading messages one at a time: reads that are aborted, loops that are left, and a queue that is
// bounded without being in the way.

import { type Message, pair, type Socket } from "sansws";
import { describe, expect, it } from "vitest";
import { acceptance, closing, rawListen, type RawPeer } from "../contract/raw.ts";
import { bytes, ending, Mailbox, open, settled } from "../contract/suite.ts";
import { frame, join, readFrames } from "../core/support.ts";
import { accept, ends } from "./streams.ts";

/**
 * A client without a `message` handler, and the other end of its connection, which speaks TCP only.
 */
async function openRaw(): Promise<[socket: Socket, peer: RawPeer]> {
  const peers = new Mailbox<RawPeer>();
  const url = await rawListen(async (peer) => {
    peer.write(acceptance(await peer.takeHead()));
    peers.put(peer);
  });
  return [await open(url), await peers.take()];
}

async function collect(messages: AsyncIterable<Message>): Promise<Message[]> {
  const collected: Message[] = [];
  for await (const message of messages) collected.push(message);
  return collected;
}

describe("messages with a signal", () => {
  it("reads until it is aborted; the socket stays open, and the next message is for the next reader", async () => {
    const { client, server } = await pair();
    const controller = new AbortController();
    const reading = client.messages({ signal: controller.signal });
    server.send("one");
    expect((await reading.next()).value).toBe("one");
    const waiting = reading.next();
    const reason = new Error("no longer");
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(reading.next()).rejects.toBe(reason);
    expect(client.state).toBe("open");
    server.send("two");
    server.close();
    expect(await collect(client)).toEqual(["two"]);
  });

  it("fails every read that waits", async () => {
    const { client } = await pair();
    const controller = new AbortController();
    const reading = client.messages({ signal: controller.signal });
    const reads = Promise.allSettled([reading.next(), reading.next()]);
    controller.abort("enough");
    expect(await reads).toEqual([{ status: "rejected", reason: "enough" }, {
      status: "rejected",
      reason: "enough",
    }]);
  });

  it("fails at once when it is aborted already, and takes no message", async () => {
    const { client, server } = await pair();
    server.send("kept");
    server.close();
    await client.closed;
    await expect(client.messages({ signal: AbortSignal.abort("before") }).next()).rejects.toBe(
      "before",
    );
    expect(await collect(client)).toEqual(["kept"]);
  });

  it("serves for a time limit on one read", async () => {
    const { client, server } = await pair();
    const late = client.messages({ signal: AbortSignal.timeout(10) }).next();
    await expect(late).rejects.toMatchObject({ name: "TimeoutError" });
    server.send("later");
    expect((await client.messages({ signal: AbortSignal.timeout(10_000) }).next()).value).toBe(
      "later",
    );
  });

  it("is left alone by reads that are over", async () => {
    const { client, server } = await pair();
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const { addEventListener: add, removeEventListener: remove } = AbortSignal.prototype;
    signal.addEventListener = (
      ...args: Parameters<typeof add>
    ) => (listeners++, add.apply(signal, args));
    signal.removeEventListener = (
      ...args: Parameters<typeof remove>
    ) => (listeners--, remove.apply(signal, args));
    const reading = client.messages({ signal });
    const reads = [reading.next(), reading.next()];
    expect(listeners).toBe(1);
    server.send("one");
    server.send("two");
    await Promise.all(reads);
    expect(listeners).toBe(0);
  });
});

describe("a loop that is left", () => {
  it("takes no message with it, although a read was under way", async () => {
    const { client, server } = await pair();
    const left = client[Symbol.asyncIterator]();
    const waiting = left.next();
    await left.return!();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await left.next()).toEqual({ done: true, value: undefined });
    server.send("for the next");
    server.close();
    expect(await collect(client)).toEqual(["for the next"]);
  });

  it("does not fail when the socket ends badly later", async () => {
    const { client, server } = await pair();
    const left = client[Symbol.asyncIterator]();
    const waiting = left.next();
    await left.return!();
    server.abort();
    await client.closed;
    expect(await waiting).toEqual({ done: true, value: undefined });
  });
});

describe("the queue of messages that nobody has read", () => {
  it.each([["of 10 bytes", 10, 32], ["of 1 MiB", 2 ** 20, 4]])(
    "is bounded: the peer is made to wait, with messages %s",
    async (_size, size, most) => {
      const { client, server } = await pair({
        client: { backpressure: { maxBufferedAmount: Infinity } },
        server: { backpressure: { maxBufferedAmount: Infinity } },
      });
      let sent = 0;
      const flood = async (): Promise<void> => {
        while (server.state === "open") {
          server.send(bytes(size));
          sent++;
          await server.ready();
        }
      };
      void flood();
      // What is in the queue, on the way, and in the sender's own output: all have a limit.
      expect(await settled(() => sent, 100)).toBeLessThan(2 * 256 * 1024 / (size + 2) + most);
      const before = sent;
      const reading = client[Symbol.asyncIterator]();
      for (let i = 0; i < 2 * before; i++) await reading.next();
      expect(sent).toBeGreaterThan(before);
      client.abort();
    },
  );

  it("loses nothing of many small messages in one chunk, and takes no time that grows with their square", async () => {
    const [socket, peer] = await openRaw();
    const count = 100_000;
    peer.write(
      ...Array.from({ length: count }, (_, i) => frame("server", 0x81, i % 2 === 0 ? "a" : "b")),
    );
    peer.end(frame("server", 0x88, Uint8Array.of(3, 232)));
    let index = 0;
    for await (const message of socket) {
      expect(message === (index++ % 2 === 0 ? "a" : "b")).toBe(true);
    }
    expect(index).toBe(count);
  });

  it("does not keep a ping from being answered that came in one chunk with what filled it", async () => {
    const both = ends();
    const opened = open("ws://example.com/", { stream: both.stream });
    const reader = await accept(both);
    await opened;
    const messages = Array.from({ length: 100 }, () => frame("server", 0x81, "x"));
    both.input.write(join([...messages, frame("server", 0x89, "you?")])).catch(() => {});
    const [pong] = readFrames((await reader.read()).value!);
    expect([pong!.first, new TextDecoder().decode(pong!.payload)]).toEqual([0x8a, "you?"]);
  });

  it("does not keep this side's close from being answered", async () => {
    const [socket, peer] = await openRaw();
    for (let i = 0; i < 100; i++) peer.write(frame("server", 0x82, bytes(10_000)));
    await settled(() => peer.socket.bytesWritten, 50);
    socket.close(3000, "enough");
    const [close] = await peer.takeFrames(1);
    expect(closing(close!)).toBe("3000 \"enough\"");
    peer.end(frame("server", 0x82, "a last one"), frame("server", 0x88, close!.payload));
    expect(ending(await socket.closed)).toBe("3000 \"enough\" clean local");
  });

  it("does not keep the peer's close from being answered that came in one chunk with what filled it", async () => {
    const both = ends();
    const opened = open("ws://example.com/", {
      stream: both.stream,
      timeouts: { close: 300 },
    });
    const reader = await accept(both);
    const socket = await opened;
    const words = Array.from({ length: 100 }, (_, i) => `${i}`);
    const messages = words.map((word) => frame("server", 0x81, word));
    both.input.write(join([...messages, frame("server", 0x88, Uint8Array.of(3, 232))])).catch(
      () => {},
    );
    const [close] = readFrames((await reader.read()).value!);
    expect(closing(close!)).toBe("1000 \"\"");
    both.input.close().catch(() => {});
    expect(ending(await socket.closed)).toBe("1000 \"\" clean peer");
    expect(await collect(socket)).toEqual(words);
  });
});
