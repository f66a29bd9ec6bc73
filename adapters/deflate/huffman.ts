// Making Huffman codes for a block, RFC 1951 §3.2.2: lengths from frequencies, no length above a limit, codes from lengths.

import { MAX_CODE_LENGTH, reverseBits } from "./format.ts";

// A code in a table: the bits in the order in which they are sent, above 4 bits of length; 0 where a symbol has no code.
export const CODE_SHIFT = 4;
export const LENGTH_MASK = 15;

/** Enough for every alphabet of DEFLATE. */
const MAX_SYMBOLS = 288;

// Scratch of one construction.
const sorted = new Int32Array(MAX_SYMBOLS);
const weights = new Int32Array(MAX_SYMBOLS);
const counts = new Uint16Array(MAX_SYMBOLS + 1);
const nextCode = new Uint16Array(MAX_CODE_LENGTH + 2);

// Frequencies are sorted with their symbols in the low bits.
const SYMBOL_BITS = 9;

/** Sets the lengths of an optimal code for the frequencies, none above `limit`; at least two of them must not be zero. */
export function buildLengths(frequencies: Uint16Array, lengths: Uint8Array, limit: number): void {
  let used = 0;
  for (let symbol = 0; symbol < frequencies.length; symbol++) {
    const frequency = frequencies[symbol]!;
    if (frequency > 0) sorted[used++] = (frequency << SYMBOL_BITS) | symbol;
  }
  sorted.subarray(0, used).sort();
  for (let index = 0; index < used; index++) weights[index] = sorted[index]! >> SYMBOL_BITS;
  countLengths(used);
  limitLengths(used, limit);
  lengths.fill(0);
  let index = used;
  for (let length = 1; length <= limit; length++) {
    for (let count = counts[length]!; count > 0; count--) lengths[sorted[--index]! & ((1 << SYMBOL_BITS) - 1)] = length;
  }
}

/**
 * Counts how many codes of each length an optimal code for the ascending `weights` has, in their own memory (Moffat and
 * Katajainen, "In-place calculation of minimum-redundancy codes", 1995): weights become parents, parents become depths.
 */
function countLengths(used: number): void {
  let leaf = 0;
  let root = 0;
  for (let next = 0; next < used - 1; next++) {
    let sum = 0;
    for (let child = 0; child < 2; child++) {
      if (leaf >= used || (root < next && weights[root]! < weights[leaf]!)) {
        sum += weights[root]!;
        weights[root++] = next;
      } else sum += weights[leaf++]!;
    }
    weights[next] = sum;
  }
  counts.fill(0);
  weights[used - 2] = 0;
  for (let node = used - 3; node >= 0; node--) weights[node] = weights[weights[node]!]! + 1;
  let available = 1;
  let inner = used - 2;
  for (let depth = 0; available > 0; depth++) {
    let taken = 0;
    while (inner >= 0 && weights[inner] === depth) {
      taken++;
      inner--;
    }
    counts[depth] = available - taken;
    available = 2 * taken;
  }
}

/** Moves codes that are too long up to the limit, and lengthens others until the code is one again (Kraft's sum is 1). */
function limitLengths(used: number, limit: number): void {
  for (let length = limit + 1; length < used; length++) {
    counts[limit]! += counts[length]!;
    counts[length] = 0;
  }
  let sum = 0;
  for (let length = 1; length <= limit; length++) sum += counts[length]! << (limit - length);
  for (; sum > 1 << limit; sum--) {
    counts[limit]!--;
    let length = limit - 1;
    while (counts[length] === 0) length--;
    counts[length]!--;
    counts[length + 1]! += 2;
  }
}

/** The canonical code of these lengths (§3.2.2). */
export function assignCodes(lengths: Uint8Array, codes: Int32Array): void {
  counts.fill(0, 0, MAX_CODE_LENGTH + 1);
  for (let symbol = 0; symbol < lengths.length; symbol++) counts[lengths[symbol]!]!++;
  counts[0] = 0;
  let code = 0;
  for (let length = 1; length <= MAX_CODE_LENGTH; length++) {
    code = (code + counts[length - 1]!) << 1;
    nextCode[length] = code;
  }
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!;
    codes[symbol] = length === 0 ? 0 : (reverseBits(nextCode[length]!++, length) << CODE_SHIFT) | length;
  }
}
