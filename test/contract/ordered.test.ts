// `ordered: true`: the next message, or piece, waits for the promise of the one before, and the peer
// is not read meanwhile. Without it handlers overlap.

import type { ClosedEvent, ConnectOptions, Handlers, ServeOptions, Socket } from "sansws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { frame, join } from "../core/support.ts";
import { rawOpen } from "./raw.ts";
import { bytes, ending, Mailbox, openPair, same, settled, start, text, until } from "./suite.ts";
import { Unhandled } from "./unhandled.ts";

const unhandled = new Unhandled();
beforeAll(() => unhandled.listen());
afterAll(() => unhandled.expectNone());

const decoder = new TextDecoder();

/** Which messages are being handled, and what began and ended, in order. */
class Log {
  readonly lines: string[] = [];
  running = 0;
  most = 0;

  /** Handles a message: earlier ones take longer, so that order is no accident. */
  async handle(data: string | Uint8Array): Promise<void> {
    const name = (typeof data === "string" ? data : decoder.decode(data)).trim();
    this.most = Math.max(this.most, ++this.running);
    this.lines.push(`+${name}`);
    await new Promise((resolve) => setTimeout(resolve, 20 - Number(name)));
    this.lines.push(`-${name}`);
    this.running--;
  }
}

const COUNT = 12;
const IN_TURN = Array.from({ length: COUNT }, (_, i) => [`+${i}`, `-${i}`]).flat();

const KINDS: readonly (readonly [name: string, send: (near: Socket, i: number) => unknown])[] = [
  ["text", (near, i) => near.send(String(i))],
  ["binary", (near, i) => near.send(new TextEncoder().encode(String(i)))],
  ["text and binary in turn", (near, i) => {
    return near.send(i % 2 === 0 ? String(i) : new TextEncoder().encode(String(i)));
  }],
  ["long text", (near, i) => near.send(String(i).padEnd(10_000))],
];

const WAYS: readonly (readonly [name: string, options: ServeOptions & ConnectOptions])[] = [
  ["plain", {}],
  ["deflated", { deflate: { threshold: 0 } }],
  ["text as bytes", { text: "bytes" }],
];

describe.each(WAYS)("%s", (_way, options) => {
  it.each(KINDS)("%s: handled one after the other, on both sides", async (_kind, send) => {
    const [server, client] = [new Log(), new Log()];
    const { near, far } = await openPair(
      { ...options, ordered: true, message: (_, data) => server.handle(data) },
      { ...options, ordered: true, message: (_, data) => client.handle(data) },
    );
    for (let i = 0; i < COUNT; i++) send(near, i);
    for (let i = 0; i < COUNT; i++) send(far, i);
    await until(() => server.lines.length === 2 * COUNT, "the server handled all");
    await until(() => client.lines.length === 2 * COUNT, "the client handled all");
    expect([server.lines, client.lines]).toEqual([IN_TURN, IN_TURN]);
  });

  it.each(KINDS)("%s: overlap without it", async (_kind, send) => {
    const log = new Log();
    const { near } = await openPair(
      { ...options, message: (_, data) => log.handle(data) },
      options,
    );
    for (let i = 0; i < COUNT; i++) send(near, i);
    await until(() => log.lines.length === 2 * COUNT, "the server handled all");
    expect(log.most).toBeGreaterThan(1);
    expect(log.lines.filter((line) => line.startsWith("+"))).toEqual(
      IN_TURN.filter((line) => line.startsWith("+")),
    );
  });
});

describe("ordered pieces", () => {
  it.each([["plain", {}], ["deflated", { deflate: true }]])("%s: one at a time", async (_, way) => {
    let [running, most] = [0, 0];
    const pieces: (string | Uint8Array)[] = [];
    const done = new Mailbox<number>();
    const { near } = await openPair({
      ...way,
      ordered: true,
      async piece(_, data, final) {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 1));
        pieces.push(data);
        running--;
        if (final) done.put(pieces.length);
      },
    }, way);
    near.send(bytes(300_000));
    near.send(text(300_000));
    const [first, second] = await done.takeAll(2) as [number, number];
    expect(same(join(pieces.slice(0, first) as Uint8Array[]), bytes(300_000))).toBe(true);
    expect(same(pieces.slice(first, second).join(""), text(300_000))).toBe(true);
    expect(most).toBe(1);
  });
});

/** A handler that waits until the test lets it go. */
function gate(): {
  readonly message: NonNullable<Handlers["message"]>;
  free(): void;
  count: number;
} {
  let free!: () => void;
  const opened = new Promise<void>((resolve) => free = resolve);
  const it = {
    count: 0,
    message: () => {
      it.count++;
      return opened;
    },
    free,
  };
  return it;
}

describe("an ordered handler that waits", () => {
  it("keeps the peer from being read: what it sends stays with it", async () => {
    const held = gate();
    const { near } = await openPair({ ordered: true, message: held.message }, {
      backpressure: { maxBufferedAmount: Infinity },
    });
    for (let i = 0; i < 200; i++) near.send(new Uint8Array(2 ** 17));
    expect(await settled(() => near.bufferedAmount)).toBeGreaterThan(2 ** 23);
    expect(held.count).toBe(1);
    held.free();
    await until(() => held.count === 200, "all were handled");
    expect(near.bufferedAmount).toBe(0);
  });

  it("does not keep its own socket from sending, nor other sockets from being served", async () => {
    const held = gate();
    const heard = new Mailbox<unknown>();
    const { near, far, url } = await openPair({
      ordered: true,
      message: (socket, data, kind) => {
        if (data === "wait") return held.message(socket, data, kind);
        return socket.send(data);
      },
    }, { message: (_, data) => heard.put(data) });
    near.send("wait");
    await until(() => held.count === 1, "it waits");
    far.send("pushed");
    expect(await heard.take()).toBe("pushed");
    const other = await rawOpen(url);
    other.write(frame("client", 0x81, "hi"));
    expect(decoder.decode((await other.takeFrames(1))[0]!.payload)).toBe("hi");
    held.free();
    near.send("echo");
    expect(await heard.take()).toBe("echo");
  });

  it("holds back pings, pongs and the Close behind the message, in their order", async () => {
    const held = gate();
    const heard: string[] = [];
    const closed = new Mailbox<ClosedEvent>();
    const { url } = await start({
      ordered: true,
      timeouts: { close: 300 },
      message: (socket, data, kind) => {
        heard.push(`message ${String(data)}`);
        return held.message(socket, data, kind);
      },
      ping: (_, data) => void heard.push(`ping ${decoder.decode(data)}`),
      pong: (_, data) => void heard.push(`pong ${decoder.decode(data)}`),
      closing: (_, code) => void heard.push(`closing ${code}`),
      close: (_, event) => closed.put(event),
    });
    const peer = await rawOpen(url);
    peer.write(
      frame("client", 0x81, "a"),
      frame("client", 0x89, "b"),
      frame("client", 0x8a, "c"),
      frame("client", 0x81, "d"),
      frame("client", 0x88, Uint8Array.of(3, 232)),
    );
    await until(() => held.count === 1, "the first is handled");
    expect(heard).toEqual(["message a"]);
    held.free();
    expect(ending(await closed.take())).toBe("1000 \"\" clean peer");
    expect(heard).toEqual(["message a", "ping b", "pong c", "message d", "closing 1000"]);
    expect((await peer.takeFrames()).map(({ first }) => first)).toEqual([0x8a, 0x88]);
  });

  it("may close its own socket, which ends in the closing handshake", async () => {
    const { near, far } = await openPair({
      ordered: true,
      async message(socket) {
        await Promise.resolve();
        socket.close(3000, "done");
      },
    });
    for (let i = 0; i < 3; i++) near.send("x");
    expect(ending(await near.closed)).toBe("3000 \"done\" clean peer");
    expect(ending(await far.closed)).toBe("3000 \"done\" clean local");
  });

  it.each<[string, () => unknown]>([
    ["rejects", () => Promise.reject(new Error("first"))],
    ["returns a thenable that rejects", () => ({
      then: (_: unknown, reject: (error: unknown) => void) => reject(new Error("first")),
    })],
    ["throws", () => {
      throw new Error("first");
    }],
  ])("and %s closes with 1011, and handles nothing after it", async (_, fail) => {
    const errors = new Mailbox<unknown>();
    let count = 0;
    const { near } = await openPair({
      ordered: true,
      message: () => {
        count++;
        return fail();
      },
      error: (error) => errors.put(error),
    });
    near.send("x");
    expect((await near.closed).code).toBe(1011);
    expect(await errors.take()).toMatchObject({ message: "first" });
    expect(count).toBe(1);
  });

  it("is not in the way of `abort`, nor of server.close at its deadline", async () => {
    for (const end of ["abort", "close"] as const) {
      const held = gate();
      const { server, near, far } = await openPair({ ordered: true, message: held.message });
      near.send("x");
      await until(() => held.count === 1, "it waits");
      if (end === "abort") far.abort();
      else await server.close({ deadline: 50 });
      await near.closed;
      await until(() => server.sockets.size === 0, "the server forgot it");
      held.free();
      expect((await far.closed).code).toBe(1006);
    }
  });
});
