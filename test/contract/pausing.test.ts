// pause and resume: no handler is called meanwhile, nothing is lost, and the order stays.

import type { Message, Socket } from "sansws";
import { describe, expect, it } from "vitest";
import { frame } from "../core/support.ts";
import { rawOpen } from "./raw.ts";
import { bytes, ending, Mailbox, open, openPair, settled, sleep, start, until } from "./suite.ts";

describe("pause", () => {
  it("holds back every handler until resume, in order", async () => {
    const heard = new Mailbox<string>();
    const { near, far } = await openPair({
      message: (_, data) => heard.put(`message ${String(data)}`),
      ping: () => heard.put("ping"),
      closing: (_, code) => heard.put(`closing ${code}`),
      close: (_, event) => heard.put(`close ${ending(event)}`),
    });
    far.pause();
    near.send("one");
    near.ping();
    near.send("two");
    near.close(3000);
    await sleep(100);
    expect(heard.all).toEqual([]);
    far.resume();
    expect(await heard.takeAll(5)).toEqual([
      "message one",
      "ping",
      "message two",
      "closing 3000",
      "close 3000 \"\" clean peer",
    ]);
  });

  it("within a handler holds back what came in the same segment", async () => {
    const heard = new Mailbox<string>();
    const { url } = await start({
      message: (socket, data) => {
        heard.put(String(data));
        socket.pause();
        setTimeout(() => socket.resume(), 20);
        setTimeout(() => heard.put("later"), 10);
      },
    });
    const peer = await rawOpen(url);
    peer.write(...["a", "b", "c"].map((data) => frame("client", 0x81, data)));
    expect(await heard.takeAll(6)).toEqual(["a", "later", "b", "later", "c", "later"]);
  });

  it("in open holds back the first messages, and those that came with the handshake", async () => {
    const opened = new Mailbox<Socket>();
    const messages = new Mailbox<Message>();
    const { near } = await openPair({
      open: (socket) => {
        socket.send("first");
        socket.send("second");
      },
    }, {
      open: (socket) => {
        socket.pause();
        opened.put(socket);
      },
      message: (_, data) => messages.put(data),
    });
    expect(await opened.take()).toBe(near);
    await sleep(100);
    expect(messages.all).toEqual([]);
    near.resume();
    expect(await messages.takeAll(2)).toEqual(["first", "second"]);
  });

  it("in open stops reading, not only handing over", async () => {
    const server = { open: (socket: Socket): void => socket.pause(), message: () => {} };
    const { near, far } = await openPair(server, { backpressure: { maxBufferedAmount: Infinity } });
    for (let i = 0; i < 20; i++) near.send(bytes(2 ** 20));
    expect(await settled(() => near.bufferedAmount)).toBeGreaterThan(2 ** 22);
    far.resume();
    await until(() => near.bufferedAmount === 0, "the server read on");
  });

  it("lets the peer's sends wait at the peer, and loses none of 40 MiB", async () => {
    let received = 0;
    let paused = false;
    const { near, far } = await openPair({
      message: (_, data) => {
        expect(paused).toBe(false);
        received += data.length;
      },
    }, { backpressure: { maxBufferedAmount: Infinity } });
    far.pause();
    paused = true;
    for (let i = 0; i < 40; i++) near.send(bytes(2 ** 20));
    expect(await settled(() => near.bufferedAmount)).toBeGreaterThan(10 * 2 ** 20);
    paused = false;
    far.resume();
    await until(() => received === 40 * 2 ** 20, "all had come");
  });

  it("and resume, many times over, lose nothing", async () => {
    const received: Message[] = [];
    const { near, far } = await openPair({ message: (_, data) => void received.push(data) });
    const sent = Array.from({ length: 500 }, (_, i) => `${i} ${"x".repeat(i * 7)}`);
    for (const [i, message] of sent.entries()) {
      near.send(message);
      if (i % 3 === 0) far.pause();
      if (i % 7 === 0) await sleep(0);
      if (i % 5 === 0) far.resume();
    }
    far.resume();
    await until(() => received.length === sent.length, "all had come");
    expect(received).toEqual(sent);
  });

  it("does not stop sending", async () => {
    const received = new Mailbox<Message>();
    const { near, far } = await openPair({}, { message: (_, data) => received.put(data) });
    far.pause();
    far.send("from a paused socket");
    expect(await received.take()).toBe("from a paused socket");
    expect(near.state).toBe("open");
  });

  it("twice needs one resume, and resume alone changes nothing", async () => {
    const received = new Mailbox<Message>();
    const { near, far } = await openPair({ message: (_, data) => received.put(data) });
    far.resume();
    far.pause();
    far.pause();
    far.resume();
    near.send("through");
    expect(await received.take()).toBe("through");
  });

  it("keeps a socket that is aborted meanwhile from being told so until resume", async () => {
    const ends: string[] = [];
    const { server, far } = await openPair({ close: (_, event) => void ends.push(ending(event)) });
    far.pause();
    far.abort();
    await until(() => server.sockets.size === 0, "the server forgot it");
    expect(ends).toEqual([]);
    far.resume();
    expect(ends).toEqual(["1006 \"\" unclean lost"]);
  });

  it("is not taken for silence of the peer", async () => {
    const timeouts = { pingInterval: 100, pongTimeout: 150 };
    const messages = new Mailbox<Message>();
    const { near, far } = await openPair({ timeouts, message: (_, data) => messages.put(data) });
    far.pause();
    await sleep(800);
    expect(far.state).toBe("open");
    far.resume();
    near.send("still here");
    expect(await messages.take()).toBe("still here");
  });
});

describe("a paused client", () => {
  it("is closed by itself cleanly", async () => {
    const { url } = await start();
    const socket = await open(url);
    socket.pause();
    socket.close(3000);
    await sleep(50);
    socket.resume();
    expect(ending(await socket.closed)).toBe("3000 \"\" clean local");
  });
});
