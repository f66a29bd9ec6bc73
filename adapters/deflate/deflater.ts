// Compression: finding what came before (RFC 1951 §4), with the window kept from call to call. What is found is written by block.ts.
//
// The window and the content of the block under way lie in one buffer, which grows with what it holds, up to the window and a block.
// Where four bytes occurred last is looked up by their hash; above level 1, earlier occurrences are chained and searched as well.

import { concat } from "../../core/bytes.ts";
import type { Deflater, DeflaterOptions } from "../../core/deflate/codec.ts";
import { BLOCK_SIZE, putStored, putStoredHeader, takeOutput } from "./bit-writer.ts";
import { tokens, writeBlock } from "./block.ts";
import { MAX_COPY } from "./format.ts";

/** The shortest copy that is looked for. One of 3 bytes saves next to nothing over its literals. */
const MIN_MATCH = 4;
/** How many earlier occurrences are looked at, by level. */
const DEPTHS = [0, 1, 2, 4, 8, 12, 20, 50, 200, 1000] as const;
/** From this level on, a copy waits for a longer one that begins a byte later, unless it is as long as this. */
const LAZY_FROM = 4;
const LONG_MATCH = 64;
/** At level 1, one in so many bytes that a copy covers is entered as an occurrence: more of them take time and find nothing more. */
const STRIDE = 32;
/** Knuth's multiplicative hash: 2³² over the golden ratio. */
const GOLDEN = 0x9e3779b1;
const FIRST_SIZE = 1024;
/** Positions fit into 31 bits; after so many bytes all are forgotten. */
const MAX_BASE = 2 ** 30;

/** What a deflater remembers. */
interface Memory {
  /** The window, and behind it the content of the block under way. */
  buffer: Uint8Array;
  /** Where each hash occurred last: a position in the buffer, plus `base`. */
  readonly heads: Int32Array;
  /** Grows as the window moves on, so that positions which are no longer in it come out below zero. */
  base: number;
  /** How far before each position its hash occurred, 0 for none; as long as the buffer, or empty at level 1. */
  chain: Uint16Array;
}

// Memory that deflaters gave up at a reset, by what it is for. Each message takes it and gives it up again, so one for each use is enough.
const spare = new Map<string, Memory>();

/** A {@linkcode Deflater} in TypeScript. */
export class WindowDeflater implements Deflater {
  readonly #windowSize: number;
  readonly #level: number;
  readonly #hashBits: number;
  /** What its memory is for; equal where memory may pass from one deflater to another. */
  readonly #use: string;

  #memory: Memory | undefined;
  #end = 0;

  // While all occurrences are searched
  /** Positions before this one are entered as occurrences, but for the last ones of a call, which have no four bytes yet. */
  #entered = 0;
  #from = 0;

  constructor({ windowBits, level, memLevel }: DeflaterOptions) {
    this.#windowSize = 2 ** windowBits;
    this.#level = level;
    this.#hashBits = Math.min(memLevel + 4, windowBits);
    this.#use = `${windowBits} ${memLevel} ${Math.min(level, 2)}`;
  }

  deflate(bytes: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < bytes.length; offset += BLOCK_SIZE) {
      if (offset > 0) parts.push(takeOutput());
      this.#block(bytes.length <= BLOCK_SIZE ? bytes : bytes.subarray(offset, offset + BLOCK_SIZE));
    }
    putStoredHeader();
    const last = takeOutput();
    return parts.length === 0 ? last : concat([...parts, last]);
  }

  reset(): void {
    if (this.#memory === undefined) return;
    forget(this.#memory, this.#end);
    spare.set(this.#use, this.#memory);
    this.#memory = undefined;
    this.#end = 0;
  }

  close(): void {
    this.reset();
  }

  #takeSpare(): Memory | undefined {
    const memory = spare.get(this.#use);
    spare.delete(this.#use);
    return memory;
  }

  #allocate(): Memory {
    return {
      buffer: new Uint8Array(FIRST_SIZE),
      heads: new Int32Array(2 ** this.#hashBits),
      base: 1,
      chain: new Uint16Array(this.#level > 1 ? FIRST_SIZE : 0),
    };
  }

  #block(content: Uint8Array): void {
    if (this.#level === 0) {
      putStored(content, 0, content.length);
      return;
    }
    const memory = this.#memory ??= this.#takeSpare() ?? this.#allocate();
    this.#makeRoom(memory, content.length);
    const start = this.#end;
    memory.buffer.set(content, start);
    this.#end += content.length;
    this.#entered = start;
    const count = this.#level === 1 ? this.#searchOnce(memory, start) : this.#searchAll(memory, start);
    writeBlock(count, memory.buffer, start, this.#end);
  }

  #makeRoom(memory: Memory, size: number): void {
    const needed = this.#end + size;
    if (needed <= memory.buffer.length) return;
    const most = this.#windowSize + BLOCK_SIZE;
    if (needed > most) this.#slide(memory);
    if (memory.buffer.length === most) return;
    const length = Math.min(Math.max(this.#end + size, memory.buffer.length * 2), most);
    memory.buffer = enlarged(memory.buffer, new Uint8Array(length));
    if (this.#level > 1) memory.chain = enlarged(memory.chain, new Uint16Array(length));
  }

  /** Moves the window to the beginning of the buffer. */
  #slide(memory: Memory): void {
    const by = this.#end - this.#windowSize;
    if (by <= 0) return;
    memory.buffer.copyWithin(0, by, this.#end);
    memory.chain.copyWithin(0, by, this.#end);
    this.#end -= by;
    forget(memory, by);
  }

  /** Fills `tokens` with the content from `start` on, looking only at the last occurrence of anything; returns their number. */
  #searchOnce({ buffer, heads, base }: Memory, start: number): number {
    const end = this.#end;
    const shift = 32 - this.#hashBits;
    let count = 0;
    let at = start;
    while (at <= end - MIN_MATCH) {
      const hash = hashAt(buffer, at, shift);
      let from = heads[hash]! - base;
      heads[hash] = at + base;
      let length = at - from > this.#windowSize ? 0 : matchLength(buffer, from, at, end);
      if (length < MIN_MATCH) {
        tokens[count++] = buffer[at++]!;
        continue;
      }
      const next = at + length;
      // What was taken for literals may belong to the copy.
      while (length < MAX_COPY && from > 0 && count > 0 && tokens[count - 1] === buffer[from - 1]) {
        count--;
        from--;
        at--;
        length++;
      }
      tokens[count++] = (length << 16) | (at - from);
      for (at += STRIDE; at < next && at <= end - MIN_MATCH; at += STRIDE) heads[hashAt(buffer, at, shift)] = at + base;
      at = next;
    }
    while (at < end) tokens[count++] = buffer[at++]!;
    return count;
  }

  /** Fills `tokens` as `searchOnce` does, but looks at as many occurrences as the level says. */
  #searchAll(memory: Memory, start: number): number {
    const { buffer } = memory;
    const end = this.#end;
    const lazy = this.#level >= LAZY_FROM;
    let count = 0;
    let at = start;
    let length = this.#longest(memory, at, 0);
    while (at < end) {
      if (length < MIN_MATCH) {
        tokens[count++] = buffer[at++]!;
        length = this.#longest(memory, at, 0);
        continue;
      }
      const from = this.#from;
      const next = lazy && length < LONG_MATCH ? this.#longest(memory, at + 1, length) : 0;
      if (next > length) {
        tokens[count++] = buffer[at++]!;
        length = next;
        continue;
      }
      tokens[count++] = (length << 16) | (at - from);
      this.#enter(memory, at + length);
      at += length;
      length = this.#longest(memory, at, 0);
    }
    return count;
  }

  /** Enters all positions before this one as occurrences. */
  #enter({ buffer, heads, base, chain }: Memory, before: number): void {
    const stop = Math.min(before, this.#end - MIN_MATCH + 1);
    let at = this.#entered;
    for (; at < stop; at++) {
      const hash = hashAt(buffer, at, 32 - this.#hashBits);
      const gap = at + base - heads[hash]!;
      chain[at] = gap > this.#windowSize ? 0 : gap;
      heads[hash] = at + base;
    }
    this.#entered = at;
  }

  /** The length of the longest copy for what is at `at`, found at `#from`; 0 where none is longer than `least`. */
  #longest(memory: Memory, at: number, least: number): number {
    const end = this.#end;
    if (at > end - MIN_MATCH) return 0;
    this.#enter(memory, at + 1);
    const { buffer, chain } = memory;
    let longest = least;
    let from = at;
    for (let depth = DEPTHS[this.#level]!; depth > 0; depth--) {
      const gap = chain[from]!;
      from -= gap;
      if (gap === 0 || from < 0 || at - from > this.#windowSize) break;
      if (buffer[from + longest] !== buffer[at + longest]) continue;
      const length = matchLength(buffer, from, at, end);
      if (length <= longest) continue;
      longest = length;
      this.#from = from;
      if (length === MAX_COPY || at + length === end) break;
    }
    return longest > least ? longest : 0;
  }
}

/** Takes so many positions for gone. */
function forget(memory: Memory, positions: number): void {
  memory.base += positions;
  if (memory.base < MAX_BASE) return;
  memory.heads.fill(0);
  memory.base = 1;
}

function hashAt(buffer: Uint8Array, at: number, shift: number): number {
  const word = buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24);
  return Math.imul(word, GOLDEN) >>> shift;
}

/** How many bytes from `from` on equal those from `at` on; none where `from` is none. */
function matchLength(buffer: Uint8Array, from: number, at: number, end: number): number {
  if (from < 0) return 0;
  const most = Math.min(end - at, MAX_COPY);
  let length = 0;
  while (length < most && buffer[from + length] === buffer[at + length]) length++;
  return length;
}

function enlarged<T extends Uint8Array | Uint16Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
