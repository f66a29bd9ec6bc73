// Output: bytes leave in the order they were written, blocks are handed out once, and large chunks
// go by reference.

import { describe, expect, it } from "vitest";
import { Output } from "../../core/output.ts";
import { content, hex, join, pattern } from "./support.ts";

/** Writes through a reservation, as an encoder does. */
function write(output: Output, bytes: Uint8Array, reserved = bytes.length): void {
  const block = output.reserve(reserved);
  block.set(bytes, output.position);
  output.commit(bytes.length);
}

/** Whether the two share a byte of memory. */
function overlap(a: Uint8Array, b: Uint8Array): boolean {
  return a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.length
    && b.byteOffset < a.byteOffset + a.length;
}

describe("Output", () => {
  it("is empty at first, and after it was taken", () => {
    const output = new Output();
    expect(output.take()).toEqual([]);
    write(output, hex("01"));
    output.take();
    expect(output.size).toBe(0);
    expect(output.take()).toEqual([]);
  });

  it("gives small writes away as one chunk", () => {
    const output = new Output();
    for (let i = 0; i < 100; i++) write(output, Uint8Array.of(i), 50);
    expect(output.size).toBe(100);
    expect(output.take()).toEqual([Uint8Array.from({ length: 100 }, (_, i) => i)]);
  });

  it("keeps the order of writes and references", () => {
    const output = new Output();
    const large = pattern(5000);
    write(output, hex("01"));
    write(output, hex("0203"));
    output.push(large);
    write(output, hex("04"));
    output.push(hex("05"));
    write(output, hex("06"));
    expect(output.size).toBe(5006);
    const chunks = output.take();
    expect(chunks.map((chunk) => chunk.length)).toEqual([3, 5000, 1, 1, 1]);
    expect(chunks[1]).toBe(large);
    expect(content(join(chunks))).toBe(content(join([hex("010203"), large, hex("040506")])));
  });

  it("leaves no chunk of a reservation of which nothing was used", () => {
    const output = new Output();
    write(output, hex(""), 100);
    output.push(hex("01"));
    write(output, hex(""), 100_000);
    expect(output.take()).toEqual([hex("01")]);
  });

  /** What an output of its own gives away for the bytes, as one chunk. */
  function chunkOf(bytes: Uint8Array, reserved?: number): Uint8Array {
    const output = new Output();
    write(output, bytes, reserved);
    return output.take()[0]!;
  }

  it("fills a shared block to its last byte", () => {
    const output = new Output();
    write(output, hex(""), 65_536);
    write(output, pattern(65_526));
    write(output, pattern(10));
    expect(output.take()).toHaveLength(1);
    const first = chunkOf(hex("01"), 65_536);
    const others = [65_530, 5, 1].map((size) => chunkOf(pattern(size)).buffer === first.buffer);
    expect(others).toEqual([true, true, false]);
  });

  it("goes on in the shared block where it was, after a block of its own", () => {
    const before = new Output();
    // Asks for all of a shared block, so that a fresh one begins.
    write(before, hex(""), 65_536);
    write(before, pattern(50));
    const [first] = before.take();
    const large = new Output();
    write(large, pattern(10), 100_000);
    const after = new Output();
    write(after, hex("ff").slice());
    const [second] = after.take();
    expect(second!.buffer).toBe(first!.buffer);
    expect(second!.byteOffset).toBe(first!.byteOffset + 50);
  });

  it("makes a block of its own for a reservation that no shared one holds", () => {
    const output = new Output();
    write(output, hex("01"));
    write(output, pattern(70_000));
    write(output, hex("02"));
    const chunks = output.take();
    expect(chunks.map((chunk) => chunk.length)).toEqual([1, 70_000, 1]);
    expect(content(chunks[1]!)).toBe(content(pattern(70_000)));
  });

  it("goes on in a new block when the shared one is full", () => {
    const output = new Output();
    const parts = Array.from({ length: 300 }, (_, i) => pattern(1000).fill(i & 0xff));
    for (const part of parts) write(output, part);
    expect(content(join(output.take()))).toBe(content(join(parts)));
  });

  it("cuts the blocks of all outputs from one slab, so that a few bytes do not cost one each", () => {
    const outputs = Array.from({ length: 10 }, () => new Output());
    for (const output of outputs) write(output, hex("0102"), 1000);
    const buffers = new Set(outputs.map((output) => output.take()[0]!.buffer));
    // Two, if the slab of the tests before was just full.
    expect(buffers.size).toBeLessThanOrEqual(2);
  });

  it("never shares memory between outputs that are written in turn, nor with what was taken", () => {
    const outputs = Array.from({ length: 5 }, () => new Output());
    const taken: Uint8Array[][] = outputs.map(() => []);
    const written: Uint8Array[][] = outputs.map(() => []);
    for (let i = 0; i < 4000; i++) {
      const at = (i * 7) % 5;
      const part = new Uint8Array(1 + (i * 31) % 120).fill(i & 0xff);
      write(outputs[at]!, part, part.length + i % 200);
      written[at]!.push(part);
      if (i % 11 === 0) taken[at]!.push(...outputs[at]!.take());
    }
    outputs.forEach((output, at) => taken[at]!.push(...output.take()));
    for (const [at, parts] of written.entries()) {
      expect(content(join(taken[at]!))).toBe(content(join(parts)));
    }
    const all = taken.flat().sort((a, b) => a.byteOffset - b.byteOffset);
    for (const [i, chunk] of all.entries()) {
      const next = all.slice(i + 1).find(({ buffer }) => buffer === chunk.buffer);
      if (next !== undefined && overlap(chunk, next)) expect.unreachable("two chunks share memory");
    }
  });

  it("gives chunks away for good: their owner may write to them", () => {
    const output = new Output();
    write(output, hex("0102"));
    const [first] = output.take();
    write(output, hex("0304"));
    first!.fill(0xee);
    expect(output.take()).toEqual([hex("0304")]);
    expect(first).toEqual(hex("eeee"));
  });
});
