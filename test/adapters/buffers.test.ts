// Memory of transports: what waits to be written leaves gathered and in order, and what is read
// takes as much memory as the connection is busy.

import { describe, expect, it } from "vitest";
import { Outbox, ReadBuffer } from "../../adapters/host/buffers.ts";
import { bytes } from "../contract/suite.ts";
import { chop, join, sameBytes } from "../core/support.ts";

describe("Outbox", () => {
  function outbox(...chunks: Uint8Array[]): Outbox {
    const box = new Outbox();
    box.push(chunks);
    return box;
  }

  /** The bytes of all blocks, of which `count` are written at a time; and how many blocks. */
  function drain(box: Outbox, count = Infinity): { written: Uint8Array; blocks: number; } {
    const parts: Uint8Array[] = [];
    let blocks = 0;
    for (let left = 0; box.size > 0;) {
      const block = box.next();
      if (left === 0) {
        left = block.length;
        blocks++;
      }
      expect(block.length).toBe(left);
      const part = block.slice(0, count);
      parts.push(part);
      box.wrote(part.length);
      left -= part.length;
    }
    return { written: join(parts), blocks };
  }

  it("puts small chunks one behind the other, to leave together", () => {
    const box = outbox(Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3));
    expect(box.size).toBe(3);
    expect(box.next()).toEqual(Uint8Array.of(1, 2, 3));
    box.wrote(3);
    expect(box.size).toBe(0);
  });

  it("gathers 64 KiB and no more", () => {
    const half = bytes(32 * 1024);
    expect(outbox(half, half).next()).toHaveLength(64 * 1024);
    expect(outbox(half, half, Uint8Array.of(1)).next()).toHaveLength(64 * 1024);
    expect(outbox(half, half, half, half).next()).toHaveLength(64 * 1024);
    expect(outbox(half, bytes(32 * 1024 + 1)).next()).toHaveLength(32 * 1024);
  });

  it("does not copy a chunk that leaves alone", () => {
    const [large, small] = [bytes(64 * 1024 + 1), bytes(5)];
    expect(outbox(large, small).next().buffer).toBe(large.buffer);
    expect(outbox(small).next().buffer).toBe(small.buffer);
  });

  it.each([1, 1000, 65_537, Infinity])(
    "writes everything in order, %i bytes at a time",
    (count) => {
      const content = bytes(200_003);
      const box = outbox(...chop(content, 7001));
      const { written, blocks } = drain(box, count);
      expect(sameBytes(written, content)).toBe(true);
      expect(blocks).toBe(4);
    },
  );

  it("takes more while a block is being written", () => {
    const box = outbox(Uint8Array.of(1, 2, 3));
    expect(box.next()).toEqual(Uint8Array.of(1, 2, 3));
    box.wrote(1);
    box.push([Uint8Array.of(4)]);
    expect(box.size).toBe(3);
    expect(box.next()).toEqual(Uint8Array.of(2, 3));
    box.wrote(2);
    expect(box.next()).toEqual(Uint8Array.of(4));
    box.wrote(1);
    expect(box.size).toBe(0);
  });

  it("forgets everything, what is being written included", () => {
    const box = outbox(Uint8Array.of(1, 2, 3));
    box.next();
    box.wrote(1);
    box.clear();
    expect(box.size).toBe(0);
    box.push([Uint8Array.of(4)]);
    expect(box.next()).toEqual(Uint8Array.of(4));
  });
});

function fill(buffer: ReadBuffer, times: number): void {
  for (let i = 0; i < times; i++) buffer.take(buffer.bytes.length);
}

describe("ReadBuffer", () => {
  it("gives the bytes that were read, from the beginning of its memory", () => {
    const buffer = new ReadBuffer();
    buffer.bytes.set([1, 2, 3]);
    expect(buffer.take(3)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("reads into the same memory again", () => {
    const buffer = new ReadBuffer();
    const { bytes } = buffer;
    buffer.take(bytes.length - 1);
    expect(buffer.bytes).toBe(bytes);
  });

  it("begins with at most 1 KiB, and grows while reads fill it, to 64 KiB", () => {
    const buffer = new ReadBuffer();
    expect(buffer.bytes.length).toBeLessThanOrEqual(1024);
    fill(buffer, 1);
    expect(buffer.bytes.length).toBeGreaterThan(1024 / 4);
    fill(buffer, 10);
    expect(buffer.bytes.length).toBe(64 * 1024);
  });

  it("leaves what was read as it was when it grows", () => {
    const buffer = new ReadBuffer();
    buffer.bytes.fill(7);
    const taken = buffer.take(buffer.bytes.length);
    buffer.bytes.fill(0);
    expect(taken.every((byte) => byte === 7)).toBe(true);
  });

  it("shrinks to what it began with when reads stay small, but not for a few of them", () => {
    const buffer = new ReadBuffer();
    const { length } = buffer.bytes;
    fill(buffer, 10);
    for (let i = 0; i < 100; i++) {
      for (let small = 0; small < 8; small++) buffer.take(1);
      buffer.take(buffer.bytes.length - 1);
    }
    expect(buffer.bytes.length).toBe(64 * 1024);
    for (let i = 0; i < 1000; i++) buffer.take(1);
    expect(buffer.bytes.length).toBe(length);
  });
});
