// Backpressure of WebSocketStream in both directions, by what is buffered: nobody may hold more
// than a bounded part of a large transfer.

import { type Socket, WebSocketStream } from "sansws";
import { describe, expect, it, onTestFinished } from "vitest";
import { Mailbox, open, settled, start, until } from "../contract/suite.ts";

const CHUNK = 64 * 1024;

/** Far more than the buffers of both systems and of both ends take. */
const CHUNKS = 1024;

/**
 * What the buffers of the loopback interface take, which may be several megabytes, and some for
 * each end.
 */
const BOUND = 32 * 1024 * 1024;

/** A producer that writes when the stream wants more. */
class Producer {
  /** Writes that were begun. */
  begun = 0;
  readonly done: Promise<void>;
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(writable: WritableStream<Uint8Array>) {
    this.writer = writable.getWriter();
    this.done = this.#run();
  }

  async #run(): Promise<void> {
    const chunk = new Uint8Array(CHUNK);
    while (this.begun < CHUNKS) {
      await this.writer.ready;
      this.begun++;
      void this.writer.write(chunk);
    }
    await this.writer.ready;
  }
}

describe("WebSocketStream backpressure", () => {
  it("makes a producer wait for a server that does not read, and go on when it does", async () => {
    const sockets = new Mailbox<Socket>();
    let received = 0;
    const { url } = await start({
      open: (socket) => {
        socket.pause();
        sockets.put(socket);
      },
      message: (_, data) => {
        received += data.length;
      },
    });
    const stream = new WebSocketStream(url);
    onTestFinished(() => stream.close());
    const { writable } = await stream.opened;
    const producer = new Producer(writable);
    const begun = await settled(() => producer.begun);
    expect(begun * CHUNK).toBeLessThan(BOUND);
    expect(producer.writer.desiredSize).toBe(0);
    const far = await sockets.take();
    far.resume();
    await producer.done;
    await until(() => received === CHUNKS * CHUNK, "all of it arrived");
    expect(producer.writer.desiredSize).toBe(1);
  });

  it("of a server's stream makes its producer wait, with what the socket buffers bounded", async () => {
    const sockets = new Mailbox<Socket>();
    const { url } = await start({ open: (socket) => sockets.put(socket) });
    const near = await open(url, { message: () => {} });
    near.pause();
    const far = await sockets.take();
    const producer = new Producer(far.stream().writable);
    let most = 0;
    const begun = await settled(() => {
      most = Math.max(most, far.bufferedAmount);
      return producer.begun;
    });
    expect(begun * CHUNK).toBeLessThan(BOUND);
    expect(producer.writer.desiredSize).toBe(0);
    expect(most).toBeLessThan(1024 * 1024);
    near.resume();
    await producer.done;
  });

  it("makes a server wait that floods a readable which nobody reads, and loses nothing", async () => {
    let sent = 0;
    const { url } = await start({
      open: async (socket) => {
        while (sent < CHUNKS) {
          await socket.ready();
          if (socket.send(new Uint8Array(CHUNK).fill(sent)) === "dropped") return;
          sent++;
        }
      },
    });
    const stream = new WebSocketStream(url);
    onTestFinished(() => stream.close());
    const { readable } = await stream.opened;
    const stopped = await settled(() => sent);
    expect(stopped * CHUNK).toBeLessThan(BOUND);
    const reader = readable.getReader();
    for (let i = 0; i < CHUNKS; i++) {
      const { value } = await reader.read();
      if (value!.length !== CHUNK || value![0] !== i % 256) {
        throw new Error(`chunk ${i} is another one`);
      }
    }
    expect(sent).toBe(CHUNKS);
  });

  it("holds few small messages of a flood that nobody reads", async () => {
    let sent = 0;
    const { url } = await start({
      open: async (socket) => {
        while (sent < 400_000 && socket.send("x".repeat(1000)) !== "dropped") {
          sent++;
          await socket.ready();
        }
      },
    });
    const stream = new WebSocketStream(url);
    onTestFinished(() => stream.close());
    await stream.opened;
    expect(await settled(() => sent) * 1004).toBeLessThan(BOUND);
  });

  it("does not keep a connection from closing that has messages nobody read", async () => {
    const { url } = await start({
      backpressure: { readWhileBlocked: true },
      open: async (socket) => {
        while (socket.send(new Uint8Array(CHUNK)) !== "dropped") await socket.ready();
      },
    });
    const stream = new WebSocketStream(url);
    await stream.opened;
    stream.close({ closeCode: 3000 });
    expect(await stream.closed).toEqual({ closeCode: 3000, reason: "" });
  });
});
