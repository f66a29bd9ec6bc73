// A peer that does not read: what send says, what waits, what is told, and where it ends. The
// reader that stops is a paused socket, or a plain TCP connection.

import type { ConnectOptions, ServeOptions, Socket } from "sansws";
import { describe, expect, it } from "vitest";
import { frame } from "../core/support.ts";
import { closing, rawOpen } from "./raw.ts";
import type { Pair } from "./suite.ts";
import { bytes, ending, Mailbox, open, openPair, settled, sleep, start, until } from "./suite.ts";

const MIB = 2 ** 20;

/** A pair whose near end does not read, so that the far end's output waits. */
async function openBlocked(
  options: ServeOptions = {},
  clientOptions: ConnectOptions = { message: () => {} },
): Promise<Pair> {
  const pair = await openPair(options, clientOptions);
  pair.near.pause();
  await block(pair.far);
  return pair;
}

/** Sends until so much output waits, and goes on waiting, that nothing more is taken. */
async function block(socket: Socket): Promise<void> {
  for (let waits = 0; waits < 10; await sleep(5)) {
    const waiting = socket.bufferedAmount >= 2 * 65536;
    if (!waiting) socket.send(bytes(65536));
    waits = waiting ? waits + 1 : 0;
  }
}

describe("send", () => {
  it("says sent to a peer that reads, and bufferedAmount returns to 0", async () => {
    const { far } = await openPair();
    expect(far.send("quick")).toBe("sent");
    await until(() => far.bufferedAmount === 0, "it had left");
  });

  it("says queued to a peer that does not read, and sent again after drain", async () => {
    const drained: Socket[] = [];
    const { near, far } = await openBlocked({ drain: (socket) => void drained.push(socket) });
    expect(far.send("more")).toBe("queued");
    drained.length = 0;
    near.resume();
    await until(() => drained.length > 0, "drain was called");
    expect(far.send("less")).toBe("sent");
    expect(drained).toEqual([far]);
  });

  it("loses nothing and keeps the order of what was queued", async () => {
    const { near, far } = await openPair({ message: (socket, data) => void socket.send(data) });
    near.pause();
    let count = 0;
    for (let queued = 0; queued < 20; count++) {
      const message = bytes(65536 + count);
      if (far.send(message) === "queued") queued++;
      if (count % 8 === 0) await sleep(0);
    }
    near.resume();
    let received = 0;
    for await (const message of near) {
      expect(message).toHaveLength(65536 + received);
      if (++received === count) break;
    }
    expect(received).toBe(count);
  });

  it("refuses more than maxBufferedAmount, the message counted, and closes with 1013", async () => {
    const maxBufferedAmount = MIB;
    const { far } = await openBlocked({
      backpressure: { maxBufferedAmount },
      timeouts: { close: 200 },
    });
    let result;
    while ((result = far.send(bytes(100_000))) === "queued") {
      expect(far.bufferedAmount).toBeLessThanOrEqual(maxBufferedAmount);
    }
    expect(result).toBe("dropped");
    expect(far.state).toBe("closing");
    expect(far.send("x")).toBe("dropped");
    expect(ending(await far.closed)).toBe("1006 \"\" unclean timeout");
  });

  it("refuses a single message above maxBufferedAmount, even on an idle socket", async () => {
    const { near, far } = await openPair({ backpressure: { maxBufferedAmount: 1000 } });
    expect(far.send(bytes(1001))).toBe("dropped");
    expect(ending(await near.closed)).toBe("1013 \"too much output waits\" clean peer");
  });

  it("only drops the message with onOverflow: \"drop\"", async () => {
    const { near, far } = await openBlocked({
      backpressure: { maxBufferedAmount: MIB, onOverflow: "drop" },
    });
    while (far.send(bytes(100_000)) === "queued");
    expect(far.send(bytes(MIB))).toBe("dropped");
    expect(far.state).toBe("open");
    expect(far.bufferedAmount).toBeLessThanOrEqual(MIB);
    near.resume();
    await far.ready();
    await until(() => far.bufferedAmount === 0, "all had left");
    expect(far.send("again")).toBe("sent");
  });

  it("counts what is sent within one handler call", async () => {
    const results: string[] = [];
    const { near, far } = await openPair({
      backpressure: { maxBufferedAmount: 10_000 },
      message: (socket) =>
        void results.push(...Array.from({ length: 4 }, () => socket.send(bytes(4000)))),
    });
    near.send("go");
    await far.closed;
    expect(results).toEqual(["sent", "sent", "dropped", "dropped"]);
  });
});

describe("ready", () => {
  it("is fulfilled at once while nothing waits", async () => {
    const { far } = await openPair();
    await far.ready();
  });

  it("is fulfilled when the peer has taken what waited", async () => {
    const { near, far } = await openBlocked();
    let ready = false;
    const waiting = far.ready().then(() => ready = true);
    await sleep(50);
    expect(ready).toBe(false);
    near.resume();
    await waiting;
    expect(far.send("x")).toBe("sent");
  });

  it("is fulfilled when the socket is gone", async () => {
    const { far } = await openBlocked();
    const waiting = far.ready();
    far.abort();
    await waiting;
    expect(far.send("x")).toBe("dropped");
  });

  it("paces a producer: little more than the high-water mark ever waits", async () => {
    const { near, far } = await openPair();
    let received = 0;
    let most = 0;
    const reading = (async () => {
      for await (const message of near) received += message.length;
    })();
    for (let i = 0; i < 256; i++) {
      await far.ready();
      far.send(bytes(65536));
      most = Math.max(most, far.bufferedAmount);
    }
    far.close();
    await reading;
    expect(received).toBe(256 * 65536);
    expect(most).toBeLessThan(4 * 65536);
  });
});

describe("a server in front of a peer that floods and never reads", () => {
  const flood = frame("client", 0x82, bytes(60_000));

  it("stops reading, with little in memory", async () => {
    const sockets: Socket[] = [];
    const { url } = await start({
      open: (socket) => void sockets.push(socket),
      message: (socket, data) => void socket.send(data),
    });
    const peer = await rawOpen(url);
    peer.socket.pause();
    for (let i = 0; i < 600; i++) peer.write(flood);
    const stuck = await settled(() => peer.socket.writableLength);
    expect(stuck).toBeGreaterThan(10 * MIB);
    expect(sockets[0]!.bufferedAmount).toBeLessThan(2 * MIB);
    expect(sockets[0]!.state).toBe("open");
    peer.socket.resume();
    await until(() => peer.socket.writableLength === 0, "the server read on");
    await until(() => sockets[0]!.bufferedAmount === 0, "all was echoed");
  });

  it("goes on reading with readWhileBlocked, up to maxBufferedAmount", async () => {
    const sockets: Socket[] = [];
    const { url } = await start({
      backpressure: { readWhileBlocked: true, maxBufferedAmount: 8 * MIB },
      timeouts: { close: 500 },
      open: (socket) => void sockets.push(socket),
      message: (socket, data) => void socket.send(data),
    });
    const peer = await rawOpen(url);
    peer.socket.pause();
    for (let i = 0; i < 600; i++) peer.write(flood);
    await until(() => sockets[0]!.state !== "open", "the server closed");
    expect(sockets[0]!.bufferedAmount).toBeGreaterThan(7 * MIB);
    expect(sockets[0]!.bufferedAmount).toBeLessThan(9 * MIB);
    expect((await sockets[0]!.closed).cause).toBe("timeout");
  });

  it("answers pings within a bound", async () => {
    const sockets: Socket[] = [];
    const { url } = await start({
      backpressure: { readWhileBlocked: true },
      open: (socket) => void sockets.push(socket),
    });
    const peer = await rawOpen(url);
    peer.socket.pause();
    const pings = new Uint8Array(131 * 8000);
    for (let i = 0; i < 8000; i++) pings.set(frame("client", 0x89, bytes(125)), i * 131);
    for (let i = 0; i < 20; i++) peer.write(pings);
    await until(() => peer.socket.writableLength === 0, "the server had read the pings");
    await settled(() => sockets[0]!.bufferedAmount);
    expect(sockets[0]!.bufferedAmount).toBeLessThan(MIB);
    expect(sockets[0]!.state).toBe("open");
  });

  it("hears of a flooding peer's end although it does not read it", async () => {
    const { server, url } = await start({ message: (socket, data) => void socket.send(data) });
    const peer = await rawOpen(url);
    peer.socket.pause();
    for (let i = 0; i < 600; i++) peer.write(flood);
    await settled(() => peer.socket.writableLength);
    peer.socket.destroy();
    await until(() => server.sockets.size === 0, "the server noticed");
  });
});

describe("a client", () => {
  it("reads on while its own output waits", async () => {
    const received = new Mailbox<string | Uint8Array>();
    const pair = await openPair({}, {
      message: (_, data) => received.put(data),
      backpressure: { maxBufferedAmount: Infinity },
    });
    pair.far.pause();
    await block(pair.near);
    pair.far.send("are you there?");
    expect(await received.take()).toBe("are you there?");
  });

  it("takes the same limits: 1013 to the server", async () => {
    const ends = new Mailbox<string>();
    const { url } = await start({ close: (_, event) => ends.put(ending(event)) });
    const socket = await open(url, { backpressure: { maxBufferedAmount: 10 } });
    expect(socket.send("0123456789")).toBe("sent");
    await until(() => socket.bufferedAmount === 0, "it had left");
    expect(socket.send("0123456789a")).toBe("dropped");
    expect(await ends.take()).toBe("1013 \"too much output waits\" clean peer");
  });
});

describe("close", () => {
  it("behind much that waits still arrives once the peer reads on", async () => {
    const { near, far } = await openBlocked({}, {});
    for (let i = 0; i < 50; i++) far.send(bytes(65536));
    far.close(3000, "that was all");
    near.resume();
    let size = 0;
    for await (const message of iterate(near)) size += message.length;
    expect(size).toBeGreaterThan(50 * 65536);
    expect(ending(await near.closed)).toBe("3000 \"that was all\" clean peer");
  });

  it("reaches a raw peer behind all that was queued", async () => {
    const opened = new Mailbox<Socket>();
    const { url } = await start({ open: (socket) => opened.put(socket) });
    const peer = await rawOpen(url);
    peer.socket.pause();
    const socket = await opened.take();
    let count = 0;
    for (let queued = 0; queued < 10; count++) if (socket.send(bytes(65536)) === "queued") queued++;
    socket.close(3000);
    await sleep(50);
    peer.socket.resume();
    const frames = await peer.takeFrames(count + 1);
    expect(closing(frames.at(-1)!)).toBe("3000 \"\"");
  });
});

/** The messages up to the end, however that is. */
async function* iterate(socket: Socket): AsyncGenerator<string | Uint8Array> {
  try {
    yield* socket;
  } catch {
    // The end is the caller's to look at.
  }
}
