// The parts of a message that has not ended, joined when it has.
//
// What parts cost is bounded by their bytes, not by their number: a large part that is most of its buffer is kept as a view, any other
// is copied behind the ones before it. A million one-byte parts cost what one part of a megabyte costs.

import { concat } from "./bytes.ts";

/** Bytes from which a part may be kept as a view: an array and its buffer cost some 400 bytes beside those they hold. */
const VIEW_FROM = 1024;
const FIRST_BLOCK = 128;
const LARGEST_BLOCK = 64 * 1024;

/** An append-only sequence of bytes. */
export class Pieces {
  /** Bytes in all parts. */
  size = 0;

  #parts: Uint8Array[] = [];
  /** The block that small parts are copied into, filled up to `#filled`, of which `#listed` are in `#parts` already. */
  #block: Uint8Array | undefined;
  #filled = 0;
  #listed = 0;

  /** Appends the bytes from `start` to `end`, which must not change afterwards. */
  append(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.size += length;
    if (length >= VIEW_FROM && length * 2 >= bytes.buffer.byteLength) {
      this.#listBlock();
      this.#parts.push(bytes.subarray(start, end));
    } else {
      this.#copy(bytes, start, end);
    }
  }

  /** All bytes in one array, which belongs to the caller; the sequence is empty afterwards. */
  join(): Uint8Array {
    this.#listBlock();
    this.#block = undefined;
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
    this.#listBlock();
    const size = Math.max(FIRST_BLOCK, atLeast, this.size);
    this.#block = new Uint8Array(Math.min(size, LARGEST_BLOCK));
    this.#filled = this.#listed = 0;
  }

  // The block stays open: were it given up for every large part between small ones, each of these would cost a block.
  #listBlock(): void {
    if (this.#block === undefined || this.#listed === this.#filled) return;
    this.#parts.push(this.#block.subarray(this.#listed, this.#filled));
    this.#listed = this.#filled;
  }
}

// A view for `set` costs more than a loop over a few bytes.
function copyBytes(source: Uint8Array, start: number, target: Uint8Array, offset: number, length: number): void {
  if (length > 64) target.set(source.subarray(start, start + length), offset);
  else for (let i = 0; i < length; i++) target[offset + i] = source[start + i]!;
}
