// The parts of a message that has not ended, joined when it has.
//
// What parts cost is bounded by their bytes, not by their number: a part that is most of its buffer is kept as a view, any other is
// copied behind the ones before it. A million one-byte parts cost what one part of a megabyte costs.

import { concat } from "./bytes.ts";

const FIRST_BLOCK = 128;
const LARGEST_BLOCK = 64 * 1024;

/** An append-only sequence of bytes. */
export class Pieces {
  /** Bytes in all parts. */
  size = 0;

  #parts: Uint8Array[] = [];
  /** The block that small parts are copied into, filled up to `#filled`. */
  #block: Uint8Array | undefined;
  #filled = 0;

  /** Appends the bytes from `start` to `end`, which must not change afterwards. */
  append(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.size += length;
    if (length * 2 >= bytes.buffer.byteLength) {
      this.#closeBlock();
      this.#parts.push(bytes.subarray(start, end));
    } else {
      this.#copy(bytes, start, end);
    }
  }

  /** All bytes in one array, which belongs to the caller; the sequence is empty afterwards. */
  join(): Uint8Array {
    this.#closeBlock();
    const joined = concat(this.#parts);
    this.#parts = [];
    this.size = 0;
    return joined;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    while (start < end) {
      if (this.#block === undefined || this.#filled === this.#block.length) this.#openBlock(end - start);
      const block = this.#block!;
      const length = Math.min(end - start, block.length - this.#filled);
      copyBytes(bytes, start, block, this.#filled, length);
      this.#filled += length;
      start += length;
    }
  }

  #openBlock(atLeast: number): void {
    this.#closeBlock();
    const size = Math.max(FIRST_BLOCK, atLeast, this.size);
    this.#block = new Uint8Array(Math.min(size, LARGEST_BLOCK));
    this.#filled = 0;
  }

  #closeBlock(): void {
    if (this.#block === undefined) return;
    if (this.#filled > 0) this.#parts.push(this.#block.subarray(0, this.#filled));
    this.#block = undefined;
  }
}

// A view for `set` costs more than a loop over a few bytes.
function copyBytes(source: Uint8Array, start: number, target: Uint8Array, offset: number, length: number): void {
  if (length > 64) target.set(source.subarray(start, start + length), offset);
  else for (let i = 0; i < length; i++) target[offset + i] = source[start + i]!;
}
