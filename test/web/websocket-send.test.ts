// WebSocket.send and bufferedAmount by the text of the standard (WHATWG WebSockets §3.1, "The
// send(data) method steps"). The comments name the step of the standard, and the web-platform-test
// that asks for the same.

import type { Socket } from "sansws";
import { describe, expect, it } from "vitest";
import { Mailbox, settled, start } from "../contract/suite.ts";
import { nameOf, next, open, url, useServer } from "./support.ts";

useServer();

describe("WebSocket send", () => {
  // Step 1 (Send-before-open).
  it("throws an InvalidStateError while connecting", () => {
    expect(nameOf(() => open(url()).send("x"))).toBe("InvalidStateError");
  });

  // Web IDL, before step 1.
  it("throws a TypeError without data, and for a symbol", async () => {
    const socket = open(url());
    expect(() => (socket.send as () => void)()).toThrow(TypeError);
    await next(socket, "open");
    expect(() => socket.send(Symbol("a") as unknown as string)).toThrow(TypeError);
    expect(socket.bufferedAmount).toBe(0);
  });

  it.each([
    ["text", "héllo \u{1f600}", "héllo \u{1f600}"],
    ["an empty text", "", ""],
    ["a lone surrogate", "a\ud800b", "a\ufffdb"],
    ["a number", 42, "42"],
    ["null", null, "null"],
    ["undefined", undefined, "undefined"],
    ["an object", { toString: () => "made" }, "made"],
    ["a list", [1, 2], "1,2"],
    ["a byte order mark", "\ufeffa", "\ufeffa"],
    ["65 KiB", "é".repeat(33_000), "é".repeat(33_000)],
  ])("sends %s", async (_, data, expected) => {
    const socket = open(url());
    await next(socket, "open");
    socket.send(data as string);
    expect((await next(socket, "message")).data).toBe(expected);
  });

  it.each([
    ["an ArrayBuffer", () => Uint8Array.of(1, 2, 3).buffer],
    ["a view", () => new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4)],
    ["a DataView", () => new DataView(Uint8Array.of(9, 1, 2, 3).buffer, 1)],
    ["a Blob", () => new Blob([Uint8Array.of(1, 2, 3)])],
  ])("sends %s", async (_, data) => {
    const socket = open(url());
    socket.binaryType = "arraybuffer";
    await next(socket, "open");
    socket.send(data());
    const event = await next(socket, "message");
    expect(event.data).toBeInstanceOf(ArrayBuffer);
    expect([...new Uint8Array(event.data)]).toEqual([1, 2, 3]);
  });

  // Send-binary-arraybufferview-*: of each kind, with and without an offset and a length.
  it.each([
    Int8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
  ])("sends the bytes of a part of an %o", async (View) => {
    const socket = open(url());
    socket.binaryType = "arraybuffer";
    await next(socket, "open");
    const { buffer } = Uint8Array.from({ length: 64 }, (_, i) => i);
    const view = new View(buffer, 16, 2);
    socket.send(view);
    expect(socket.bufferedAmount).toBe(view.byteLength);
    const { data } = await next(socket, "message");
    expect(new Uint8Array(data)).toEqual(new Uint8Array(buffer, 16, view.byteLength));
  });

  it("copies a buffer, which may change right after", async () => {
    const socket = open(url());
    socket.binaryType = "arraybuffer";
    await next(socket, "open");
    const bytes = new Uint8Array(100_000).fill(7);
    socket.send(bytes);
    bytes.fill(8);
    const { data } = await next(socket, "message");
    expect(new Uint8Array(data).every((byte) => byte === 7)).toBe(true);
  });

  it("keeps the order of blobs and other messages, and closes behind them", async () => {
    const socket = open(url());
    await next(socket, "open");
    const seen: unknown[] = [];
    socket.onmessage = ({ data }) => seen.push(typeof data === "string" ? data : data.size);
    socket.send(new Blob(["x".repeat(50_000)]));
    socket.send("behind");
    socket.send(new Blob([]));
    await new Promise((resolve) =>
      socket.addEventListener("message", () => seen.length === 3 && resolve(undefined))
    );
    expect(seen).toEqual([50_000, "behind", 0]);
  });

  it("counts bytes into bufferedAmount until the event loop has gone on", async () => {
    const socket = open(url());
    await next(socket, "open");
    socket.send("héllo");
    socket.send(new Uint8Array(10));
    socket.send(new Blob(["abc"]));
    expect(socket.bufferedAmount).toBe(6 + 10 + 3);
    for (let i = 0; i < 3; i++) await next(socket, "message");
    expect(socket.bufferedAmount).toBe(0);
  });

  it("only counts after close", async () => {
    const socket = open(url());
    await next(socket, "open");
    socket.close();
    socket.send("12345");
    expect(socket.bufferedAmount).toBe(5);
    await next(socket, "close");
    socket.send(new Uint8Array(7));
    expect(socket.bufferedAmount).toBe(12);
  });

  // interfaces/WebSocket/send/008: nothing strange happens.
  it("only counts when the WebSocket never was open", async () => {
    const closed = open(url());
    closed.close();
    const failed = open(url("/refuse"));
    await next(failed, "close");
    for (const socket of [closed, failed]) {
      socket.send("12345");
      socket.send(new Blob(["678"]));
      expect(socket.bufferedAmount).toBe(8);
    }
  });

  it("does not let bufferedAmount fall when the connection is lost", async () => {
    const peers = new Mailbox<Socket>();
    const { url } = await start({
      open: (peer) => {
        peer.pause();
        peers.put(peer);
      },
    });
    const socket = open(url);
    await next(socket, "open");
    for (let i = 0; i < 10; i++) socket.send(new Uint8Array(1_000_000));
    const peer = await peers.take();
    const before = await settled(() => socket.bufferedAmount);
    peer.abort();
    const close = await next(socket, "close");
    expect(close.code).toBe(1006);
    expect(before).toBeGreaterThan(1_000_000);
    expect(socket.bufferedAmount).toBe(before);
    socket.send("12345");
    expect(socket.bufferedAmount).toBe(before + 5);
  });

  it("counts nothing that was sent before a close that the server answered", async () => {
    const { url } = await start({ message: () => {} });
    const socket = open(url);
    await next(socket, "open");
    socket.send(new Uint8Array(1_000_000));
    socket.close();
    await next(socket, "close");
    expect(socket.bufferedAmount).toBe(0);
  });
});
