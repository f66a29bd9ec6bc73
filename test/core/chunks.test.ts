// Whose the memory of chunks is: given ones may be what events refer to, of lent ones nothing is
// left behind in the connection.

import { describe, expect, it, vi } from "vitest";
import { Connection, type ConnectionOptions } from "../../core/connection.ts";
import type { ConnectionEvent } from "../../core/events.ts";
import { FrameDecoder } from "../../core/frame/decoder.ts";
import { copyingDeflate } from "./codec.ts";
import { chop, content, frame, hex, join, line, takeBytes, utf8 } from "./support.ts";

const WIRE = join([
  frame("client", 0x81, "whole"),
  frame("client", 0x01, "κόσ"),
  frame("client", 0x89, "ping"),
  frame("client", 0x80, utf8("με𝄞")),
  frame("client", 0x82, "x".repeat(300)),
  frame("client", 0x82, "y"),
  frame("client", 0x8a, "pong"),
  frame("client", 0x89, "second ping"),
  frame("client", 0x81, "z".repeat(300)),
  frame("client", 0x88, hex("03e8 62796521")),
]);

type Options = Omit<ConnectionOptions, "role" | "chunks">;

const OPTIONS: readonly Options[] = [
  {},
  { text: "bytes" },
  { messages: "pieces" },
  { messages: "pieces", text: "bytes" },
  { limits: { maxPendingReplies: 1 } },
  { deflate: copyingDeflate() },
];

/** As Buffer of Node: a Uint8Array whose `slice` is a view. */
class BufferLike extends Uint8Array<ArrayBuffer> {
  override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
    return this.subarray(start, end);
  }
}

describe("ConnectionOptions.chunks", () => {
  function run(options: ConnectionOptions, size: number): string[] {
    const connection = new Connection(options, 0);
    const events: ConnectionEvent[] = [];
    for (const part of chop(WIRE, size)) {
      const chunk = BufferLike.from(part);
      events.push(...connection.receive(chunk, 0));
      if (options.chunks === "lent") chunk.fill(0xee);
    }
    events.push(...connection.receiveEnd(0));
    return [...events.map(line), content(takeBytes(connection))];
  }

  it.each(OPTIONS)(
    "lent: the memory may be used again after each call, whatever the size of chunks, with %o",
    (options) => {
      for (const size of [...Array.from({ length: 120 }, (_, i) => i + 1), WIRE.length]) {
        const given = run({ role: "server", ...options }, size);
        expect(run({ role: "server", ...options, chunks: "lent" }, size), `${size}`).toEqual(given);
      }
    },
  );

  function buffersOf(chunk: Uint8Array, chunks: "given" | "lent"): Set<ArrayBufferLike> {
    const events = new Connection({ role: "server", chunks }, 0).receive(chunk, 0);
    return new Set(events.map((event) => (event as { data: Uint8Array; }).data.buffer));
  }

  const TWO = join([frame("client", 0x82, "a"), frame("client", 0x82, "b")]);

  it("given: binary messages are views of the chunk", () => {
    const chunk = TWO.slice();
    const buffers = buffersOf(chunk, "given");
    expect(buffers.size).toBe(1);
    expect(buffers.has(chunk.buffer)).toBe(true);
  });

  it("lent: the binary messages of a chunk share one copy of it", () => {
    const chunk = TWO.slice();
    const buffers = buffersOf(chunk, "lent");
    expect(buffers.size).toBe(1);
    expect(buffers.has(chunk.buffer)).toBe(false);
  });

  it("lent: what no event refers to is not copied", () => {
    const keep = vi.spyOn(FrameDecoder.prototype, "keep");
    const connection = new Connection({ role: "server", chunks: "lent" }, 0);
    for (
      const part of [
        frame("client", 0x81, "text"),
        frame("client", 0x02, "a"),
        frame("client", 0x80, "b"),
      ]
    ) {
      expect(connection.receive(part, 0).length).toBeLessThanOrEqual(1);
    }
    expect(keep).not.toHaveBeenCalled();
    keep.mockRestore();
  });
});

describe("Connection.receive", () => {
  it("throws for what is no chunk, and blames no peer for it", () => {
    const connection = new Connection({ role: "server" }, 0);
    expect(() => connection.receive(undefined as unknown as Uint8Array, 0)).toThrow(TypeError);
    expect(connection.closeSent).toBeUndefined();
  });
});
