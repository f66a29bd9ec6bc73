// Output of the deflaters, bit by bit: RFC 1951 §3.1.1. One buffer for all of them, since no call yields to another.
//
// Between two calls of a deflater nothing is left here: each ends in a sync flush, which ends on a byte boundary.

import { STORED } from "./format.ts";
import { CODE_SHIFT, LENGTH_MASK } from "./huffman.ts";

/** Content of one block, in bytes, at most. What is written between two calls of `takeOutput` stands for no more than this. */
export const BLOCK_SIZE: number = 8 * 1024;

/** No form of a block is chosen that takes more room than its content stored; the rest is for headers and the flush. */
const MAX_OUTPUT = BLOCK_SIZE + 64;
/** Short results are given away as parts of one slab, which is much cheaper than an array for each. */
const SLAB_SIZE = 4 * MAX_OUTPUT;
const SHORT_BELOW = 1024;

let slab = new Uint8Array(SLAB_SIZE);
/** What is taken next begins here. */
let start = 0;
let at = 0;
let hold = 0;
let held = 0;

/** Writes a number of up to 16 bits, least significant bit first. */
export function put(value: number, length: number): void {
  hold |= value << held;
  held += length;
  if (held < 16) return;
  slab[at++] = hold;
  slab[at++] = hold >> 8;
  hold >>>= 16;
  held -= 16;
}

/** Writes a Huffman code in the form that huffman.ts gives it. */
export function putCode(code: number): void {
  put(code >> CODE_SHIFT, code & LENGTH_MASK);
}

/** Writes the header of a stored block (§3.2.4), up to the byte boundary that its lengths begin on. */
export function putStoredHeader(): void {
  put(STORED << 1, 3);
  put(0, -held & 7);
  if (held === 8) slab[at++] = hold;
  hold = 0;
  held = 0;
}

/** Writes a stored block of the bytes from `from` to `to`. */
export function putStored(content: Uint8Array, from: number, to: number): void {
  const length = to - from;
  putStoredHeader();
  put(length, 16);
  put(length ^ 0xffff, 16);
  slab.set(content.subarray(from, to), at);
  at += length;
}

/** What was written since the last call, but for the bits of a byte that is not complete. It belongs to the caller. */
export function takeOutput(): Uint8Array {
  const short = at - start < SHORT_BELOW;
  const output = short ? slab.subarray(start, at) : slab.slice(start, at);
  if (short) start = at;
  if (start + MAX_OUTPUT > SLAB_SIZE) {
    slab = new Uint8Array(SLAB_SIZE);
    start = 0;
  }
  at = start;
  return output;
}
