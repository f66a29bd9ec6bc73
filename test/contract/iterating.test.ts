// `for await` over the messages of a socket: none is lost, however late the loop begins, and its
// end tells how the socket ended.

import { connect, type Message, type Socket, UsageError } from "sansws";
import { describe, expect, it, onTestFinished } from "vitest";
import { frame } from "../core/support.ts";
import { acceptance, rawConnect, rawListen, request } from "./raw.ts";
import {
  bytes,
  ending,
  Mailbox,
  open,
  openPair,
  settled,
  sleep,
  start,
  startEcho,
} from "./suite.ts";

async function collect(socket: Socket, count = Infinity): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of socket) if (messages.push(message) >= count) break;
  return messages;
}

describe("for await", () => {
  it("gets every message up to the end, on both sides", async () => {
    const { near, far } = await openPair();
    const received = collect(far);
    for (let i = 0; i < 100; i++) near.send(`message ${i}`);
    near.close();
    expect(await received).toEqual(Array.from({ length: 100 }, (_, i) => `message ${i}`));
    expect(await collect(near)).toEqual([]);
  });

  it("gets the messages that came before it began, and before the socket was closed", async () => {
    const { near, far } = await openPair();
    for (const word of ["you", "are", "late"]) near.send(word);
    near.close();
    await sleep(100);
    expect(await collect(far)).toEqual(["you", "are", "late"]);
    expect(ending(await far.closed)).toBe("1000 \"\" clean peer");
  });

  it("loses no message that came while the application awaited something else after connect", async () => {
    const { url } = await start({ open: (socket) => void socket.send("early") });
    const socket = await connect(url);
    onTestFinished(() => socket.abort());
    await sleep(50);
    expect(await collect(socket, 1)).toEqual(["early"]);
  });

  it.each([[1000, "bye"], [1001, ""], [1005, ""]])(
    "ends quietly for a close with %i",
    async (code, reason) => {
      const { near, far } = await openPair();
      near.close(code, reason);
      expect(await collect(far)).toEqual([]);
      expect(await collect(near)).toEqual([]);
    },
  );

  it("throws for any other code, after the last message", async () => {
    const { near, far } = await openPair();
    near.send("last");
    near.close(4000, "trouble");
    const received: Message[] = [];
    const reading = (async () => {
      for await (const message of far) received.push(message);
    })();
    await expect(reading).rejects.toMatchObject({
      name: "SocketClosedError",
      message: "the socket was closed with 4000 (trouble)",
      closed: { code: 4000, clean: true },
    });
    expect(received).toEqual(["last"]);
  });

  it("throws for a lost connection", async () => {
    const { near, far } = await openPair();
    const reading = collect(far);
    near.abort();
    await expect(reading).rejects.toMatchObject({
      name: "SocketClosedError",
      closed: { code: 1006, cause: "lost" },
    });
  });

  it("left by break leaves the socket open, and a later loop goes on where it ended", async () => {
    const { near, far } = await openPair();
    for (const word of ["a", "b", "c", "d"]) near.send(word);
    expect(await collect(far, 1)).toEqual(["a"]);
    expect(await collect(far, 2)).toEqual(["b", "c"]);
    expect(far.state).toBe("open");
    near.close();
    expect(await collect(far)).toEqual(["d"]);
  });

  it("asked twice at once gives each message once", async () => {
    const { near, far } = await openPair();
    const iterator = far[Symbol.asyncIterator]();
    const both = Promise.all([iterator.next(), iterator.next()]);
    near.send("first");
    near.send("second");
    expect(await both).toEqual([{ done: false, value: "first" }, { done: false, value: "second" }]);
  });

  it("that nobody runs holds little: the messages wait at the peer", async () => {
    const { near, far } = await openPair({}, { backpressure: { maxBufferedAmount: Infinity } });
    for (let i = 0; i < 400; i++) near.send(bytes(65536));
    expect(await settled(() => near.bufferedAmount)).toBeGreaterThan(10 * 2 ** 20);
    expect(await collect(far, 400)).toHaveLength(400);
  });

  it("that nobody runs does not keep close from ending", async () => {
    const { near, far } = await openPair();
    for (let i = 0; i < 100; i++) near.send(`message ${i}`);
    await sleep(50);
    far.close();
    expect(ending(await far.closed)).toBe("1000 \"\" clean local");
    expect(ending(await near.closed)).toBe("1000 \"\" clean peer");
  });

  it("that is slow gets everything, and the peer's close after it", async () => {
    const { near, far } = await openPair();
    for (let i = 0; i < 60; i++) near.send(`message ${i}`);
    near.close();
    let count = 0;
    for await (const message of far) {
      expect(message).toBe(`message ${count++}`);
      await sleep(1);
    }
    expect(count).toBe(60);
    expect(ending(await far.closed)).toBe("1000 \"\" clean peer");
  });
});

describe("a socket whose messages go to a handler", () => {
  it.each(["message", "piece"])("has none to read: %s", async (handler) => {
    const { near } = await openPair({}, { [handler]: () => {} });
    expect(() => near[Symbol.asyncIterator]()).toThrow(UsageError);
    expect(() => near.messages()).toThrow(UsageError);
    expect(() => near.stream()).toThrow(UsageError);
    expect(near.state).toBe("open");
  });
});

describe("bytes in the same segment as the handshake", () => {
  it("are the server's first messages", async () => {
    const { url } = await startEcho();
    const peer = await rawConnect(url);
    peer.write(request(), frame("client", 0x81, "one"), frame("client", 0x81, "two").slice(0, 7));
    await peer.takeHead();
    peer.write(frame("client", 0x81, "two").slice(7));
    const frames = await peer.takeFrames(2);
    expect(frames.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(["one", "two"]);
  });

  it("are the client's first messages, also when they end with a Close frame", async () => {
    const url = await rawListen(async (peer) => {
      const head = acceptance(await peer.takeHead());
      peer.end(
        head,
        frame("server", 0x81, "one"),
        frame("server", 0x81, "two"),
        frame("server", 0x88),
      );
    });
    const socket = await open(url);
    await sleep(20);
    expect(await collect(socket)).toEqual(["one", "two"]);
    expect(ending(await socket.closed)).toBe("1005 \"\" clean peer");
  });

  it("reach a client's message handler after open", async () => {
    const url = await rawListen(async (peer) => {
      peer.write(acceptance(await peer.takeHead()), frame("server", 0x81, "first"));
    });
    const heard = new Mailbox<string>();
    await open(url, {
      open: () => heard.put("open"),
      message: (_, data) => heard.put(String(data)),
    });
    expect(await heard.takeAll(2)).toEqual(["open", "first"]);
  });
});
