// A Huffman code made ready for decoding, RFC 1951 §3.2.2: short codes by one look-up, long ones bit by bit.
//
// What a symbol stands for is packed into its entry, so that the loop which decodes needs no second table.

import {
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  DISTANCE_SYMBOLS,
  END_OF_BLOCK,
  LENGTH_BASE,
  LENGTH_EXTRA,
  LITERAL_SYMBOLS,
  MAX_CODE_LENGTH,
} from "./format.ts";

// An entry, from the lowest bit: 4 bits length of the code, 4 bits number of extra bits, 2 bits kind, the rest the value.
// Zero is no entry, since no code is shorter than one bit.
export const LENGTH_MASK = 15;
export const EXTRA_SHIFT = 4;
export const EXTRA_MASK = 15;
const KIND_SHIFT = 8;
const KIND_MASK = 3;
export const VALUE_SHIFT = 10;
const LITERAL_MASK = (KIND_MASK << KIND_SHIFT) | (EXTRA_MASK << EXTRA_SHIFT);
export const KIND_LITERAL = 0;
export const KIND_COPY = 1;
export const KIND_END = 2;
export const KIND_ZEROS = 3;

/** Whether the entry is one, and one of a literal, which has neither kind nor extra bits. */
export function isLiteral(entry: number): boolean {
  return entry !== 0 && (entry & LITERAL_MASK) === 0;
}

export function kindOf(entry: number): number {
  return (entry >> KIND_SHIFT) & KIND_MASK;
}

function entry(value: number, kind: number, extra: number): number {
  return (value << VALUE_SHIFT) | (kind << KIND_SHIFT) | (extra << EXTRA_SHIFT);
}

/** What literal/length symbols stand for, without the lengths of their codes. */
export const LITERAL_ENTRIES: Int32Array = Int32Array.from({ length: LITERAL_SYMBOLS }, (_, symbol) => {
  if (symbol < END_OF_BLOCK) return entry(symbol, KIND_LITERAL, 0);
  if (symbol === END_OF_BLOCK) return entry(0, KIND_END, 0);
  return entry(LENGTH_BASE[symbol - 257]!, KIND_COPY, LENGTH_EXTRA[symbol - 257]!);
});

/** What distance symbols stand for. */
export const DISTANCE_ENTRIES: Int32Array = Int32Array.from(
  { length: DISTANCE_SYMBOLS },
  (_, symbol) => entry(DISTANCE_BASE[symbol]!, KIND_COPY, DISTANCE_EXTRA[symbol]!),
);

/** What symbols of the code for code lengths stand for (§3.2.7): a length, how often to repeat the one before, or how many zeros. */
export const LENGTH_ENTRIES: Int32Array = Int32Array.of(
  ...Array.from({ length: 16 }, (_, length) => entry(length, KIND_LITERAL, 0)),
  entry(3, KIND_COPY, 2),
  entry(3, KIND_ZEROS, 3),
  entry(11, KIND_ZEROS, 7),
);

/** Where the symbols of each code length begin, while a table is built. */
const OFFSETS = new Uint16Array(MAX_CODE_LENGTH + 2);

/** One Huffman code for decoding; it can be built anew any number of times. */
export class DecodeTable {
  /** Entries by the next `rootBits` bits of input; 0 where the code is longer or there is none. */
  readonly fast: Int32Array;
  readonly rootBits: number;

  readonly #entries: Int32Array;
  /** How many codes there are of each length, and their symbols in the order of the codes. */
  readonly #counts = new Uint16Array(MAX_CODE_LENGTH + 1);
  readonly #symbols = new Uint16Array(288);

  constructor(rootBits: number, entries: Int32Array) {
    this.rootBits = rootBits;
    this.fast = new Int32Array(1 << rootBits);
    this.#entries = entries;
  }

  /** Builds the code from the lengths of its codes, by symbol; returns whether they are a code that may be used. */
  build(lengths: Uint8Array, start: number, end: number): boolean {
    const counts = this.#counts.fill(0);
    for (let index = start; index < end; index++) counts[lengths[index]!]!++;
    counts[0] = 0;
    OFFSETS[1] = 0;
    let left = 1;
    for (let length = 1; length <= MAX_CODE_LENGTH; length++) {
      left = left * 2 - counts[length]!;
      if (left < 0) return false;
      OFFSETS[length + 1] = OFFSETS[length]! + counts[length]!;
    }
    for (let index = start; index < end; index++) {
      const length = lengths[index]!;
      if (length !== 0) this.#symbols[OFFSETS[length]!++] = index - start;
    }
    this.#fill();
    // §3.2.7: a code must be complete, but for one of a single symbol ("one distance code of zero bits" has none).
    const used = OFFSETS[MAX_CODE_LENGTH]!;
    return left === 0 || used === 0 || (used === 1 && counts[1] === 1);
  }

  #fill(): void {
    const { fast, rootBits } = this;
    fast.fill(0);
    let code = 0;
    let index = 0;
    for (let length = 1; length <= rootBits; length++) {
      for (let count = this.#counts[length]!; count > 0; count--) {
        const value = this.#entry(index++, length);
        for (let at = code; at < fast.length; at += 1 << length) fast[at] = value;
        code = nextReversed(code, length);
      }
    }
  }

  /** A symbol past the entries has a code in the fixed code and no meaning. */
  #entry(index: number, length: number): number {
    const symbol = this.#symbols[index]!;
    return symbol < this.#entries.length ? this.#entries[symbol]! | length : 0;
  }

  /** The entry for the next bits of input where `fast` has none; 0 where there is none at all. */
  slow(bits: number): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= MAX_CODE_LENGTH; length++) {
      code |= (bits >> (length - 1)) & 1;
      const count = this.#counts[length]!;
      if (code - first < count) return this.#entry(index + code - first, length);
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return 0;
  }
}

/** The code after this one of the same length, both with their bits in the order in which they are sent. */
function nextReversed(code: number, length: number): number {
  let bit = 1 << (length - 1);
  while ((code & bit) !== 0) bit >>= 1;
  return (code & (bit - 1)) | bit;
}
