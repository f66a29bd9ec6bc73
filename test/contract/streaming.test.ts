// Messages in pieces: sent from a source, no faster than the peer takes them, and received as they
// arrive.

import type { Message, Socket } from "sansws";
import { describe, expect, it } from "vitest";
import { frame, join } from "../core/support.ts";
import { rawOpen } from "./raw.ts";
import {
  bytes,
  ending,
  Mailbox,
  open,
  openPair,
  same,
  settled,
  sleep,
  start,
  startEcho,
  text,
  until,
} from "./suite.ts";

/** `count` pieces of 64 KiB, and how many were asked for. */
class Source {
  asked = 0;

  async *pieces(count: number): AsyncGenerator<Uint8Array> {
    while (this.asked < count) yield new Uint8Array(65536).fill(this.asked++);
  }
}

describe("sendStream", () => {
  it.each<[string, Iterable<Message> | AsyncIterable<Message>, Message]>([
    ["strings", ["Hel", "", "lo ", "wörld"], "Hello wörld"],
    ["bytes", [bytes(3), bytes(70_000)], join([bytes(3), bytes(70_000)])],
    ["no pieces", [], new Uint8Array(0)],
    ["one empty piece", [""], ""],
    ["halves of a character", ["\u{1F600}".slice(0, 1), "\u{1F600}".slice(1)], "\u{1F600}"],
  ])("makes one message of %s", async (_, source, whole) => {
    const { url } = await startEcho();
    const messages = new Mailbox<Message>();
    const socket = await open(url, { message: (_, data) => messages.put(data) });
    await socket.sendStream(source);
    expect(same(await messages.take(), whole)).toBe(true);
  });

  it("takes an async generator and a ReadableStream", async () => {
    const { url } = await startEcho();
    const messages = new Mailbox<Message>();
    const socket = await open(url, { message: (_, data) => messages.put(data) });
    await socket.sendStream(new Source().pieces(3));
    expect(await messages.take()).toHaveLength(3 * 65536);
    const stream = new Blob([text(1000)]).stream();
    await socket.sendStream(stream as unknown as AsyncIterable<Uint8Array>);
    expect(await messages.take()).toHaveLength(1000);
  });

  it("is compressed as a whole where deflate is in use", async () => {
    const { url } = await startEcho({ deflate: true });
    const messages = new Mailbox<Message>();
    const socket = await open(url, { deflate: true, message: (_, data) => messages.put(data) });
    await socket.sendStream(["a".repeat(1000), "b".repeat(1000)]);
    expect(await messages.take()).toBe("a".repeat(1000) + "b".repeat(1000));
    socket.send("after");
    expect(await messages.take()).toBe("after");
  });

  it("asks its source for no more than the peer takes", async () => {
    const { near, far } = await openPair({}, {
      limits: { maxMessageSize: Infinity },
      piece: () => {},
    });
    near.pause();
    const source = new Source();
    const sending = far.sendStream(source.pieces(1000));
    expect(await settled(() => source.asked)).toBeLessThan(500);
    expect(far.bufferedAmount).toBeLessThan(2 ** 20);
    near.resume();
    await sending;
    expect(source.asked).toBe(1000);
  });

  it("lets pings pass, and other messages wait behind it", async () => {
    const heard = new Mailbox<string>();
    const { near, far } = await openPair({}, {
      message: (_, data) => heard.put(String(data)),
      ping: () => heard.put("ping"),
    });
    let goOn = (): void => {};
    const sending = far.sendStream((async function*() {
      yield "one ";
      await new Promise<void>((resolve) => goOn = resolve);
      yield "two";
    })());
    await sleep(20);
    far.ping();
    expect(far.send("three")).toBe("queued");
    expect(far.bufferedAmount).toBeGreaterThanOrEqual(5);
    await expect(far.sendStream([])).rejects.toThrow(/piece by piece/);
    expect(await heard.take()).toBe("ping");
    goOn();
    await sending;
    expect(await heard.takeAll(2)).toEqual(["one two", "three"]);
    expect(near.state).toBe("open");
  });

  it("whose source fails, fails, and closes the socket with 1011", async () => {
    const { near, far } = await openPair();
    const failure = new Error("no more");
    const sending = far.sendStream((async function*() {
      yield "begun";
      await sleep(1);
      throw failure;
    })());
    await expect(sending).rejects.toBe(failure);
    expect(ending(await near.closed)).toBe("1011 \"\" clean peer");
  });

  it("of pieces of both kinds throws, and closes the socket with 1011", async () => {
    const { near, far } = await openPair();
    await expect(far.sendStream(["text", bytes(3)])).rejects.toThrow(/kind/);
    expect(ending(await near.closed)).toBe("1011 \"\" clean peer");
  });

  it("fails when the socket ends before it, and its source is told", async () => {
    const { near, far } = await openPair();
    let finished = false;
    const sending = far.sendStream((async function*() {
      try {
        for (;;) {
          yield bytes(1000);
          await sleep(1);
        }
      } finally {
        finished = true;
      }
    })());
    await sleep(20);
    near.abort();
    await expect(sending).rejects.toMatchObject({
      name: "SocketClosedError",
      closed: { code: 1006 },
    });
    await until(() => finished, "the source was returned");
  });

  it("fails when its own side closes, which cuts it off", async () => {
    const { near, far } = await openPair();
    const sending = far.sendStream((async function*() {
      for (;; await sleep(1)) yield "on and on";
    })());
    await sleep(20);
    far.close(4000);
    await expect(sending).rejects.toMatchObject({
      name: "SocketClosedError",
      closed: { code: 4000 },
    });
    expect(ending(await near.closed)).toBe("4000 \"\" clean peer");
  });

  it("on a closed socket fails", async () => {
    const { far } = await openPair();
    far.close();
    await far.closed;
    await expect(far.sendStream(["late"])).rejects.toMatchObject({ name: "SocketClosedError" });
  });
});

describe("the piece handler", () => {
  type Piece = readonly [data: Message, final: boolean, kind: string];

  async function openPieces(options = {}): Promise<{ url: string; pieces: Mailbox<Piece>; }> {
    const pieces = new Mailbox<Piece>();
    const { url } = await start({
      piece: (_: Socket, data, final, kind) => pieces.put([data, final, kind]),
      ...options,
    });
    return { url, pieces };
  }

  it("gets the parts of a message as they arrive", async () => {
    const { url, pieces } = await openPieces();
    const peer = await rawOpen(url);
    const whole = frame("client", 0x81, "Hello wörld");
    peer.write(whole.slice(0, 11));
    expect(await pieces.take()).toEqual(["Hello", false, "text"]);
    peer.write(whole.slice(11));
    expect(await pieces.take()).toEqual([" wörld", true, "text"]);
  });

  it("never ends a piece of text within a character", async () => {
    const { url, pieces } = await openPieces();
    const peer = await rawOpen(url);
    for (const byte of frame("client", 0x81, "aé€😀")) {
      peer.write(Uint8Array.of(byte));
      await sleep(2);
    }
    await until(() => pieces.all.some(([, final]) => final), "the message had ended");
    expect(pieces.all.map(([data]) => data).join("")).toBe("aé€😀");
    for (const [data] of pieces.all) expect(data).not.toContain("\ufffd");
  });

  it("gets bytes of text with text: \"bytes\"", async () => {
    const { url, pieces } = await openPieces({ text: "bytes" });
    const socket = await open(url);
    socket.send("hé");
    expect(await pieces.take()).toEqual([new TextEncoder().encode("hé"), true, "text"]);
  });

  it("has no message of its own put together: 64 MiB pass through with a limit of 1 MiB per buffer", async () => {
    let size = 0;
    let largest = 0;
    let done = false;
    const { near } = await openPair({
      limits: { maxMessageSize: Infinity },
      piece: (_, data, final) => {
        size += data.length;
        largest = Math.max(largest, data.length);
        done = final;
      },
    });
    await near.sendStream(new Source().pieces(1024));
    await until(() => done, "the message had ended");
    expect(size).toBe(64 * 2 ** 20);
    expect(largest).toBeLessThan(2 ** 20);
  });

  it("is held to maxMessageSize all the same", async () => {
    const { near, far } = await openPair({ limits: { maxMessageSize: 100_000 }, piece: () => {} });
    await near.sendStream(new Source().pieces(10)).catch(() => {});
    expect(ending(await near.closed)).toMatch(/^1009 /);
    expect(await far.closed).toMatchObject({ code: 1009, cause: "violation" });
  });
});

describe("limits.maxMessageSize", () => {
  it.each([
    ["whole", (socket: Socket) => void socket.send(bytes(1001))],
    [
      "in fragments",
      (socket: Socket) => void socket.sendStream([bytes(500), bytes(501)]).catch(() => {}),
    ],
  ])("is 1009 for a message that is larger, %s", async (_, send) => {
    const { near } = await openPair({ limits: { maxMessageSize: 1000 }, message: () => {} });
    send(near);
    expect(ending(await near.closed)).toMatch(/^1009 ".*larger than the limit.*" clean peer$/);
  });

  it("lets a message of just that size pass", async () => {
    const messages = new Mailbox<Message>();
    const { near } = await openPair({
      limits: { maxMessageSize: 1000 },
      message: (_, data) => messages.put(data),
    });
    near.send(bytes(1000));
    expect(await messages.take()).toHaveLength(1000);
  });
});
