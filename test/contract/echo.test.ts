// Messages of every size and kind, there and back.

import { type Message, prepareBinary, prepareText } from "sansws";
import { describe, expect, it } from "vitest";
import { bytes, Mailbox, open, same, start, startEcho, text } from "./suite.ts";

const SIZES: readonly number[] = [0, 1, 125, 126, 65535, 65536, 2 ** 20, 2 ** 24];

describe("an echo server", () => {
  it.each(SIZES)("returns a text message of %i bytes", async (size) => {
    const { url } = await startEcho();
    const messages = new Mailbox<[Message, string]>();
    const socket = await open(url, { message: (_, data, kind) => messages.put([data, kind]) });
    const sent = text(size);
    socket.send(sent);
    const [data, kind] = await messages.take();
    expect(kind).toBe("text");
    expect(same(data, sent)).toBe(true);
  });

  it.each(SIZES)("returns a binary message of %i bytes", async (size) => {
    const { url } = await startEcho();
    const messages = new Mailbox<[Message, string]>();
    const socket = await open(url, { message: (_, data, kind) => messages.put([data, kind]) });
    socket.send(bytes(size));
    const [data, kind] = await messages.take();
    expect(kind).toBe("binary");
    expect(same(data, bytes(size))).toBe(true);
  });

  it("returns 2,000 messages in order", async () => {
    const { url } = await startEcho();
    const messages = new Mailbox<Message>();
    const socket = await open(url, { message: (_, data) => messages.put(data) });
    const sent = Array.from({ length: 2000 }, (_, i) => `${i} ${"x".repeat(i % 300)}`);
    for (const message of sent) socket.send(message);
    expect(await messages.takeAll(sent.length)).toEqual(sent);
  });

  it("returns 32 messages of 1 MiB that its client sends without waiting for one", async () => {
    const { url } = await startEcho();
    const messages = new Mailbox<Message>();
    const socket = await open(url, {
      message: (_, data) => messages.put(data),
      backpressure: { maxBufferedAmount: Infinity },
    });
    const sent = bytes(2 ** 20);
    for (let i = 0; i < 32; i++) socket.send(sent.slice(i));
    for (let i = 0; i < 32; i++) expect(same(await messages.take(), sent.subarray(i))).toBe(true);
  });
});

describe("send", () => {
  it("takes an ArrayBuffer and any view of one", async () => {
    const { url } = await startEcho();
    const messages = new Mailbox<Message>();
    const socket = await open(url, { message: (_, data) => messages.put(data) });
    const { buffer } = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7);
    const views = [
      buffer,
      new DataView(buffer, 1, 2),
      new Uint16Array(buffer, 2, 2),
      new Uint8Array(buffer, 7),
    ];
    // What is sent belongs to the socket, and a client masks: each gets its own copy.
    for (const view of views) socket.send(structuredClone(view));
    expect(await messages.takeAll(4)).toEqual([
      Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7),
      Uint8Array.of(1, 2),
      Uint8Array.of(2, 3, 4, 5),
      Uint8Array.of(7),
    ]);
  });

  it("takes a prepared message, from both sides", async () => {
    const { url } = await startEcho({ open: (socket) => void socket.send(prepareText("héllo")) });
    const messages = new Mailbox<Message>();
    const socket = await open(url, { message: (_, data) => messages.put(data) });
    socket.send(prepareBinary(bytes(300)));
    expect(await messages.takeAll(2)).toEqual(["héllo", bytes(300)]);
  });

  it("refuses other things with a UsageError", async () => {
    const { url } = await startEcho();
    const socket = await open(url);
    for (const thing of [undefined, null, 5, {}, [1]]) {
      expect(() => socket.send(thing as unknown as string)).toThrow(/send takes a string/);
    }
    expect(socket.state).toBe("open");
  });
});

describe("text: \"bytes\"", () => {
  it("hands text over as UTF-8, on both sides", async () => {
    const received = new Mailbox<[Message, string]>();
    const { url } = await start({
      text: "bytes",
      message: (socket, data, kind) => {
        received.put([data, kind]);
        socket.send("grüße");
      },
    });
    const socket = await open(url, {
      text: "bytes",
      message: (_, data, kind) => received.put([data, kind]),
    });
    socket.send("añb");
    const encoder = new TextEncoder();
    expect(await received.takeAll(2)).toEqual([[encoder.encode("añb"), "text"], [
      encoder.encode("grüße"),
      "text",
    ]]);
  });
});

describe("deflate", () => {
  it.each([true, { takeover: false, peerTakeover: false, windowBits: 9 }])(
    "returns messages with %o",
    async (deflate) => {
      const { url } = await startEcho({ deflate });
      const messages = new Mailbox<Message>();
      const socket = await open(url, { deflate, message: (_, data) => messages.put(data) });
      expect(socket.extensions).toContain("permessage-deflate");
      const sent = [text(0), text(100), text(70_000), bytes(70_000), text(2 ** 20)];
      for (const message of sent) {
        socket.send(typeof message === "string" ? message : message.slice());
      }
      for (const message of sent) expect(same(await messages.take(), message)).toBe(true);
    },
  );
});
