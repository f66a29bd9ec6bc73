// The end of a socket: from either side, from both at once, with and without a code, with data on
// the way; and peers that do not follow the rules, in plain TCP.

import type { ClosedEvent, Socket } from "sansws";
import { describe, expect, it } from "vitest";
import { frame } from "../core/support.ts";
import { acceptance, closing, rawListen, rawOpen, type RawPeer } from "./raw.ts";
import { bytes, ending, Mailbox, open, openPair, same, start, startEcho, until } from "./suite.ts";

const CLOSE_1000 = Uint8Array.of(0x03, 0xe8);

describe("close", () => {
  it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])(
    "with %i is heard as such on both sides",
    async (code) => {
      const { near, far } = await openPair();
      near.close(code, "wegen Überlänge");
      expect(ending(await near.closed)).toBe(`${code} "wegen Überlänge" clean local`);
      expect(ending(await far.closed)).toBe(`${code} "wegen Überlänge" clean peer`);
    },
  );

  it("of the server is heard by the client", async () => {
    const { near, far } = await openPair();
    far.close(4000, "enough");
    expect(ending(await near.closed)).toBe("4000 \"enough\" clean peer");
    expect(ending(await far.closed)).toBe("4000 \"enough\" clean local");
  });

  it("without arguments sends 1000, and 1005 sends no code", async () => {
    const first = await openPair();
    first.near.close();
    expect(ending(await first.far.closed)).toBe("1000 \"\" clean peer");
    const second = await openPair();
    second.near.close(1005);
    expect(ending(await second.far.closed)).toBe("1005 \"\" clean peer");
    expect(ending(await second.near.closed)).toBe("1005 \"\" clean local");
  });

  it("on both sides at once is clean on both", async () => {
    const { near, far } = await openPair();
    near.close(3001, "near");
    far.close(3002, "far");
    const ends = [await near.closed, await far.closed];
    expect(ends.map(({ clean }) => clean)).toEqual([true, true]);
    expect(ends.map(({ code }) => code)).toEqual([3002, 3001]);
  });

  it.each([1004, 1005.5, 1006, 1015, 2999, 5000, 0, NaN])(
    "with %d throws, and nothing is closed",
    async (code) => {
      const { near } = await openPair();
      expect(() => near.close(code)).toThrow(/close code/);
      expect(near.state).toBe("open");
    },
  );

  it("twice counts once", async () => {
    const { near, far } = await openPair();
    near.close(3000);
    near.close(3001);
    expect((await far.closed).code).toBe(3000);
    near.close(3002);
    far.close(3003);
    expect(near.state).toBe("closed");
  });

  it.each([1, 2 ** 24])("comes behind a message of %i bytes that was sent before", async (size) => {
    const received = new Mailbox<string | Uint8Array>();
    const { far } = await openPair({}, { message: (_, data) => received.put(data) });
    far.send(bytes(size));
    far.close();
    expect(same(await received.take(), bytes(size))).toBe(true);
    expect(ending(await far.closed)).toBe("1000 \"\" clean local");
  });

  it("is followed by no message: send says dropped", async () => {
    const received: unknown[] = [];
    const { near, far } = await openPair({ message: (_, data) => received.push(data) });
    near.send("before");
    near.close();
    expect(near.state).toBe("closing");
    expect(near.send("after")).toBe("dropped");
    near.ping();
    await far.closed;
    await near.closed;
    expect(near.send("long after")).toBe("dropped");
    expect(received).toEqual(["before"]);
  });

  it("is answered after the messages that came before it were", async () => {
    const { url } = await startEcho();
    const received: unknown[] = [];
    const socket = await open(url, { message: (_, data) => received.push(data) });
    socket.send("one");
    socket.send("two");
    socket.close();
    await socket.closed;
    expect(received).toEqual(["one", "two"]);
  });

  it("is answered after large answers to what came in the same segment", async () => {
    const size = 300_000;
    const { url } = await start({
      message: (socket) => {
        expect(socket.send(new Uint8Array(size))).not.toBe("dropped");
      },
    });
    const peer = await rawOpen(url);
    peer.write(
      frame("client", 0x81, "a"),
      frame("client", 0x81, "b"),
      frame("client", 0x81, "c"),
      frame("client", 0x88, CLOSE_1000),
    );
    const frames = await peer.takeFrames();
    expect(frames.map(({ first, payload }) => [first, payload.length])).toEqual([
      [0x82, size],
      [0x82, size],
      [0x82, size],
      [0x88, 2],
    ]);
  });

  it("tells the server's handlers: closing, then close, once and last", async () => {
    const heard = new Mailbox<string>();
    const { url } = await start({
      message: (_, data) => heard.put(`message ${String(data)}`),
      closing: (socket, code, reason) => heard.put(`closing ${code} ${reason} ${socket.state}`),
      close: (socket, { code, reason }) => heard.put(`close ${code} ${reason} ${socket.state}`),
    });
    const socket = await open(url);
    socket.send("hi");
    socket.close(3000, "bye");
    await socket.closed;
    expect(await heard.takeAll(3)).toEqual([
      "message hi",
      "closing 3000 bye closing",
      "close 3000 bye closed",
    ]);
    expect(heard.all).toHaveLength(3);
  });
});

describe("abort", () => {
  it.each(["near", "far"] as const)("at the %s end is 1006 at both, once", async (side) => {
    const ends: ClosedEvent[] = [];
    const close = (_: Socket, event: ClosedEvent): unknown => ends.push(event);
    const pair = await openPair({ close }, { close });
    pair[side].abort();
    pair[side].abort();
    expect(ending(await pair.near.closed)).toBe("1006 \"\" unclean lost");
    expect(ending(await pair.far.closed)).toBe("1006 \"\" unclean lost");
    expect(ends).toHaveLength(2);
    await until(() => pair.server.sockets.size === 0, "the server forgot the socket");
  });

  it("drops what waits", async () => {
    const { near, far } = await openPair({ backpressure: { maxBufferedAmount: Infinity } });
    near.pause();
    far.send(bytes(2 ** 25));
    far.abort();
    expect((await far.closed).code).toBe(1006);
    expect(far.bufferedAmount).toBe(0);
  });
});

describe("a raw client", () => {
  it("that ends its side behind a message gets the answer, and is lost", async () => {
    const end = new Mailbox<ClosedEvent>();
    const { url } = await startEcho({ close: (_, event) => end.put(event) });
    const peer = await rawOpen(url);
    peer.end(frame("client", 0x81, "last words"));
    expect(ending(await end.take())).toBe("1006 \"\" unclean lost");
    expect((await peer.takeFrames()).map(({ payload }) => new TextDecoder().decode(payload)))
      .toEqual(["last words"]);
    await until(() => peer.closed, "the connection was gone");
  });

  it("that ends its side behind a Close frame gets its Close frame", async () => {
    const end = new Mailbox<ClosedEvent>();
    const { url } = await startEcho({ close: (_, event) => end.put(event) });
    const peer = await rawOpen(url);
    peer.end(frame("client", 0x88, CLOSE_1000));
    expect((await peer.takeFrames()).map(closing)).toEqual(["1000 \"\""]);
    expect(ending(await end.take())).toBe("1000 \"\" clean peer");
  });

  it("sees the server end first, right after the Close frames (RFC 6455 §7.1.1)", async () => {
    const { url } = await startEcho();
    const peer = await rawOpen(url);
    peer.write(frame("client", 0x88, CLOSE_1000));
    expect((await peer.takeFrames()).map(closing)).toEqual(["1000 \"\""]);
    expect(peer.ended).toBe(true);
  });

  it("that never ends its side after the Close frames is dropped", async () => {
    const end = new Mailbox<ClosedEvent>();
    const { server, url } = await startEcho({
      timeouts: { close: 200 },
      close: (_, event) => end.put(event),
    });
    const peer = await rawOpen(url);
    peer.write(frame("client", 0x88, CLOSE_1000));
    expect(ending(await end.take())).toBe("1000 \"\" clean peer");
    await until(() => peer.ended && server.sockets.size === 0, "the server forgot it");
  });

  it("that never answers a Close frame is dropped: 1006 for want of time", async () => {
    const opened = new Mailbox<Socket>();
    const { url } = await start({ timeouts: { close: 200 }, open: (socket) => opened.put(socket) });
    const peer = await rawOpen(url);
    const socket = await opened.take();
    socket.close(3000);
    expect(ending(await socket.closed)).toBe("1006 \"\" unclean timeout");
    expect((await peer.takeFrames()).map(closing)).toEqual(["3000 \"\""]);
  });

  it("that breaks a rule hears why before the end, and what it sends meanwhile is discarded", async () => {
    const end = new Mailbox<ClosedEvent>();
    const { url } = await startEcho({ close: (_, event) => end.put(event) });
    const peer = await rawOpen(url);
    const garbage = new Uint8Array(2 ** 20).fill(0xff);
    peer.write(frame("client", 0x81, "good"), garbage);
    const [echo, close, ...more] = await peer.takeFrames();
    expect(new TextDecoder().decode(echo!.payload)).toBe("good");
    expect(closing(close!)).toMatch(/^1002 ".*reserved bit.*"$/);
    expect(more).toEqual([]);
    peer.end();
    const event = await end.take();
    expect(event).toMatchObject({
      code: 1002,
      clean: false,
      cause: "violation",
      error: { violation: "reserved-bit" },
    });
  });
});

describe("a raw server", () => {
  /** A client's socket, and the raw server's end of it. */
  async function openRaw(options = {}): Promise<{ socket: Socket; peer: RawPeer; }> {
    const peers = new Mailbox<RawPeer>();
    const url = await rawListen((peer) => peers.put(peer));
    const opening = open(url, options);
    const peer = await peers.take();
    peer.write(acceptance(await peer.takeHead()));
    return { socket: await opening, peer };
  }

  it("that ends its side is lost to the client, which ends too", async () => {
    const { socket, peer } = await openRaw();
    peer.end();
    expect(ending(await socket.closed)).toBe("1006 \"\" unclean lost");
    await until(() => peer.ended, "the client ended its side");
  });

  it("is waited for after the Close frames: the client does not end first", async () => {
    const { socket, peer } = await openRaw();
    peer.write(frame("server", 0x88, CLOSE_1000));
    expect((await peer.takeFrames(1)).map(closing)).toEqual(["1000 \"\""]);
    expect(peer.ended).toBe(false);
    expect(socket.state).toBe("closing");
    peer.end();
    expect(ending(await socket.closed)).toBe("1000 \"\" clean peer");
  });

  it("that never ends after the Close frames is dropped", async () => {
    const { socket, peer } = await openRaw({ timeouts: { close: 200 } });
    socket.close(3000, "bye");
    expect((await peer.takeFrames(1)).map(closing)).toEqual(["3000 \"bye\""]);
    peer.write(frame("server", 0x88, Uint8Array.of(0x0b, 0xb8)));
    expect(ending(await socket.closed)).toBe("3000 \"\" clean local");
    await until(() => peer.ended || peer.closed, "the client was gone");
  });

  it("that masks a frame is told 1002", async () => {
    const { socket, peer } = await openRaw();
    peer.write(frame("client", 0x81, "masked"));
    expect((await peer.takeFrames(1)).map(closing)[0]).toMatch(/^1002 /);
    peer.end();
    expect(await socket.closed).toMatchObject({
      code: 1002,
      cause: "violation",
      error: { violation: "mask-unexpected" },
    });
  });
});
