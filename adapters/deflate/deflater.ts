// Compression: finding what came before (RFC 1951 §4), with the window kept from call to call. What is found is written by block.ts.
//
// The window and the content of the block under way lie in one buffer, which grows with what it holds. Where four bytes occurred last
// is looked up by their hash; above level 1, earlier occurrences are chained.

import { concat } from "../../core/bytes.ts";
import type { Deflater, DeflaterOptions } from "../../core/deflate/codec.ts";
import { BLOCK_SIZE, flush, takeOutput, tokens, writeBlock } from "./block.ts";
import { MAX_COPY } from "./format.ts";

/** The shortest copy that is looked for: shorter ones save next to nothing over their literals. */
const MIN_MATCH = 4;
/** How many earlier occurrences are looked at, by level; level 1 keeps only the last. */
const DEPTHS = [0, 1, 4, 8, 16, 32, 64, 128, 512, 4096];
/** From this level on, a copy waits for a longer one that begins a byte later. */
const LAZY_FROM = 4;
const FIRST_SIZE = 1024;

/** A {@linkcode Deflater} in TypeScript. */
export class WindowDeflater implements Deflater {
  readonly #windowSize: number;
  readonly #level: number;
  readonly #hashShift: number;

  // The window, and behind it the content of the block under way
  #buffer: Uint8Array = new Uint8Array(FIRST_SIZE);
  #end = 0;

  // Positions in the buffer plus one, so that 0 is none: of each hash's last occurrence, and of the occurrence before each position
  readonly #heads: Uint16Array;
  readonly #chain: Uint16Array | undefined;

  constructor({ windowBits, level, memLevel }: DeflaterOptions) {
    this.#windowSize = 2 ** windowBits;
    this.#level = level;
    const hashBits = Math.min(memLevel + 5, windowBits);
    this.#hashShift = 32 - hashBits;
    this.#heads = new Uint16Array(2 ** hashBits);
    if (DEPTHS[level]! > 1) this.#chain = new Uint16Array(this.#windowSize);
  }

  deflate(bytes: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < bytes.length; offset += BLOCK_SIZE) {
      const content = bytes.length <= BLOCK_SIZE ? bytes : bytes.subarray(offset, offset + BLOCK_SIZE);
      this.#makeRoom(content.length);
      const start = this.#end;
      this.#buffer.set(content, start);
      this.#end = start + content.length;
      const count = this.#level === 1 ? this.#searchOnce(start) : this.#searchChain(start);
      writeBlock(count, this.#buffer, start, this.#end);
      if (offset + BLOCK_SIZE >= bytes.length) flush();
      parts.push(takeOutput());
    }
    return parts.length === 1 ? parts[0]! : concat(parts);
  }

  reset(): void {
    this.#end = 0;
    this.#heads.fill(0);
  }

  close(): void {
  }

  #makeRoom(size: number): void {
    const needed = this.#end + size;
    if (needed <= this.#buffer.length) return;
    const most = this.#windowSize + BLOCK_SIZE;
    if (needed <= most) {
      const larger = new Uint8Array(Math.min(Math.max(this.#buffer.length * 2, needed), most));
      larger.set(this.#buffer.subarray(0, this.#end));
      this.#buffer = larger;
    } else this.#slide(this.#end - this.#windowSize + 0);
  }

  #slide(by: number): void {
    this.#buffer.copyWithin(0, by, this.#end);
    this.#end -= by;
    const heads = this.#heads;
    for (let index = 0; index < heads.length; index++) {
      const head = heads[index]!;
      heads[index] = head > by ? head - by : 0;
    }
  }

  #searchOnce(start: number): number {
    const buffer = this.#buffer;
    const heads = this.#heads;
    const shift = this.#hashShift;
    const end = this.#end;
    const windowSize = this.#windowSize;
    const last = end - MIN_MATCH;
    let count = 0;
    let at = start;
    while (at <= last) {
      const word = buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24);
      const hash = Math.imul(word, 0x9e3779b1) >>> shift;
      let earlier = heads[hash]! - 1;
      heads[hash] = at + 1;
      if (
        earlier < 0 || at - earlier > windowSize || buffer[earlier] !== buffer[at] || buffer[earlier + 1] !== buffer[at + 1]
        || buffer[earlier + 2] !== buffer[at + 2] || buffer[earlier + 3] !== buffer[at + 3]
      ) {
        tokens[count++] = buffer[at++]!;
        continue;
      }
      const most = Math.min(end - at, MAX_COPY);
      let length = MIN_MATCH;
      while (length < most && buffer[earlier + length] === buffer[at + length]) length++;
      const next = at + length;
      // What was taken for literals may have been the beginning of the copy.
      while (length < MAX_COPY && count > 0 && earlier > 0 && tokens[count - 1]! < 256 && buffer[earlier - 1] === buffer[at - 1]) {
        count--; earlier--; at--; length++;
      }
      tokens[count++] = (length << 16) | (at - earlier);
      const upTo = Math.min(next, last + 1);
      for (at += STEP; at < upTo; at += STEP) {
        const some = buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24);
        heads[Math.imul(some, 0x9e3779b1) >>> shift] = at + 1;
      }
      at = next;
    }
    while (at < end) tokens[count++] = buffer[at++]!;
    return count;
  }

  #searchChain(start: number): number {
    throw new Error(`${start}${LAZY_FROM}${this.#chain}`);
  }
}
const STEP = 8;
