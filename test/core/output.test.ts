// Output: bytes leave in the order they were written, every chunk has a buffer of its own that is not
// much larger than it, and large chunks go by reference.

import { describe, expect, it } from "vitest";
import { giveBack, Output } from "../../core/output.ts";
import { content, hex, join, pattern } from "./support.ts";

/** Writes through a reservation, as an encoder does. */
function write(output: Output, bytes: Uint8Array, reserved = bytes.length): void {
  const block = output.reserve(reserved);
  block.set(bytes, output.position);
  output.commit(bytes.length);
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

  it("grows a block to 32 KiB, and then begins another", () => {
    const output = new Output();
    for (let i = 0; i < 64; i++) write(output, pattern(512));
    write(output, pattern(1));
    const chunks = output.take();
    expect(chunks.map((chunk) => chunk.length)).toEqual([32 * 1024, 1]);
    expect(chunks[0]!.buffer.byteLength).toBe(32 * 1024);
    expect(content(chunks[0]!)).toBe(content(join(Array.from({ length: 64 }, () => pattern(512)))));
  });

  it("grows a block to exactly 32 KiB by a write that needs as much", () => {
    const output = new Output();
    write(output, pattern(16_384));
    write(output, pattern(16_384));
    expect(output.take().map((chunk) => chunk.length)).toEqual([32_768]);
  });

  it("doubles a block that is full, so that bytes are moved a bounded number of times", () => {
    const output = new Output();
    const blocks = new Set<Uint8Array>();
    for (let i = 0; i < 30 * 1024; i++) {
      blocks.add(output.reserve(1));
      output.commit(1);
    }
    expect([...blocks].map((block) => block.length)).toEqual(
      [1024, 2048, 4096, 8192, 16_384, 32_768],
    );
  });

  it("makes a first block of the size that is asked for, from 1 KiB on", () => {
    for (
      const [size, room] of [[1, 1024], [1024, 1024], [1025, 1025], [100_000, 100_000]] as const
    ) {
      expect(new Output().reserve(size)).toHaveLength(room);
    }
  });

  it("keeps an empty block for the next write, and replaces it by a larger one", () => {
    const output = new Output();
    const block = output.reserve(10);
    output.commit(0);
    expect(output.reserve(1024)).toBe(block);
    expect(output.reserve(1025)).toHaveLength(1025);
    expect(output.take()).toEqual([]);
  });

  // A block that is nearly empty would pin its whole memory for as long as its bytes wait.
  it.each([
    [1, 10, 1024],
    [1024, 3072, 3072],
    [1024, 3073, 1024],
    [10_000, 21_024, 21_024],
    [10_000, 21_025, 10_000],
    [1, 1027, 1],
    [1, 1026, 1026],
  ])("for %d bytes in a block of %d gives away a buffer of %d", (size, room, held) => {
    const output = new Output();
    write(output, pattern(size), room);
    const [chunk] = output.take();
    expect(content(chunk!)).toBe(content(pattern(size)));
    expect(chunk!.buffer.byteLength).toBe(held);
  });

  it("copies where it is asked to", () => {
    const output = new Output();
    const bytes = hex("0102");
    output.copy(bytes);
    output.copy(bytes);
    bytes.fill(0);
    expect(output.size).toBe(4);
    expect(output.take()).toEqual([hex("01020102")]);
  });

  it("makes a block of its own for a write of more than 32 KiB", () => {
    const output = new Output();
    write(output, hex("01"));
    write(output, pattern(70_000));
    write(output, hex("02"));
    const chunks = output.take();
    expect(chunks.map((chunk) => chunk.length)).toEqual([1, 70_000, 1]);
    expect(content(chunks[1]!)).toBe(content(pattern(70_000)));
  });

  it("goes on in a new block when one is full", () => {
    const output = new Output();
    const parts = Array.from({ length: 300 }, (_, i) => pattern(1000).fill(i & 0xff));
    for (const part of parts) write(output, part);
    expect(content(join(output.take()))).toBe(content(join(parts)));
  });

  it("gives every chunk a buffer of its own, though outputs are written in turn", () => {
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
    const buffers = taken.flat().map(({ buffer }) => buffer);
    expect(new Set(buffers).size).toBe(buffers.length);
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

// The module has one spare block, so each of these tests ends without one.
describe("giveBack", () => {
  /** The chunks of an output of its own. */
  function chunksOf(...parts: readonly Uint8Array[]): Uint8Array[] {
    const output = new Output();
    for (const part of parts) write(output, part);
    return output.take();
  }

  it("lets the next block be the memory of the chunk", () => {
    let chunks = chunksOf(hex("0102"));
    for (const bytes of [hex("03"), pattern(1024)]) {
      giveBack(chunks);
      const next = chunksOf(bytes);
      expect(next[0]!.buffer).toBe(chunks[0]!.buffer);
      expect(next).toEqual([bytes]);
      chunks = next;
    }
    expect(chunksOf(hex("04"))[0]!.buffer).not.toBe(chunks[0]!.buffer);
  });

  it("gives a block to one output only, however often it is given back", () => {
    const chunks = chunksOf(hex("0102"));
    giveBack(chunks);
    giveBack(chunks);
    const first = new Output();
    write(first, hex("aa"));
    giveBack(chunks);
    const second = new Output();
    write(second, hex("bb"));
    expect([first.take(), second.take()]).toEqual([[hex("aa")], [hex("bb")]]);
  });

  it("takes only what was taken last", () => {
    const waiting = [...chunksOf(hex("01")), ...chunksOf(hex("02"))];
    giveBack(waiting.slice(0, 1));
    const [next] = chunksOf(hex("03"));
    expect(waiting.some(({ buffer }) => buffer === next!.buffer)).toBe(false);
  });

  it.each<[string, () => Uint8Array[]]>([
    ["no chunk", () => []],
    ["a block that has grown", () => chunksOf(pattern(1000), pattern(1000))],
    ["a block of another size", () => chunksOf(pattern(1025))],
    ["a chunk that went by reference", () => {
      const output = new Output();
      output.push(pattern(1024));
      return output.take();
    }],
    ["more chunks than one", () => {
      const output = new Output();
      output.push(pattern(5));
      write(output, hex("01"));
      return output.take();
    }],
    ["a trimmed copy", () => {
      const output = new Output();
      write(output, hex("01"), 5000);
      return output.take();
    }],
  ])("does nothing for %s", (_, make) => {
    const chunks = make();
    giveBack(chunks);
    const [next] = chunksOf(hex("03"));
    expect(chunks.some(({ buffer }) => buffer === next!.buffer)).toBe(false);
  });
});
