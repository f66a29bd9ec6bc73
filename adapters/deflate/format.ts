// The constants of the DEFLATE format, RFC 1951 §3.2: what the length and distance codes stand for, and the fixed code.

/** The block types of §3.2.3. */
export const STORED = 0;
export const FIXED = 1;
export const DYNAMIC = 2;

/** The literal/length symbol that ends a block (§3.2.5). */
export const END_OF_BLOCK = 256;
/** Literal/length symbols; 286 and 287 have codes in the fixed code only, and never occur (§3.2.6). */
export const LITERAL_SYMBOLS = 286;
/** Distance symbols. */
export const DISTANCE_SYMBOLS = 30;
/** The shortest and the longest copy. */
export const MIN_COPY = 3;
export const MAX_COPY = 258;
/** The longest code of a literal/length or distance symbol (§3.2.7). */
export const MAX_CODE_LENGTH = 15;

/** Extra bits of length symbol 257 + index (§3.2.5). */
export const LENGTH_EXTRA: Uint8Array = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0],
);
/** Extra bits of a distance symbol: none for the first four, then one more for every second symbol. */
export const DISTANCE_EXTRA: Uint8Array = Uint8Array.from(
  { length: DISTANCE_SYMBOLS },
  (_, symbol) => Math.max(0, (symbol >> 1) - 1),
);

/** The smallest length of length symbol 257 + index. The last one would come out as 259: 258 has a symbol of its own. */
export const LENGTH_BASE: Uint16Array = bases(LENGTH_EXTRA, MIN_COPY);
LENGTH_BASE[28] = MAX_COPY;
/** The smallest distance of a distance symbol. */
export const DISTANCE_BASE: Uint16Array = bases(DISTANCE_EXTRA, 1);

/** The order in which the lengths of the code length code are sent (§3.2.7), and the extra bits of its symbols 16 to 18. */
export const LENGTHS_ORDER: Uint8Array = Uint8Array.of(
  16,
  17,
  18,
  0,
  8,
  7,
  9,
  6,
  10,
  5,
  11,
  4,
  12,
  3,
  13,
  2,
  14,
  1,
  15,
);

/** Code lengths of the fixed literal/length code (§3.2.6). */
export const FIXED_LITERAL_LENGTHS: Uint8Array = new Uint8Array(288).fill(8).fill(9, 144, 256).fill(7, 256, 280);
/** Code lengths of the fixed distance code. */
export const FIXED_DISTANCE_LENGTHS: Uint8Array = new Uint8Array(32).fill(5);

function bases(extra: Uint8Array, first: number): Uint16Array {
  const result = new Uint16Array(extra.length);
  let base = first;
  extra.forEach((bits, index) => {
    result[index] = base;
    base += 2 ** bits;
  });
  return result;
}

/** A code with its bits in the order in which they are sent: most significant bit first (§3.1.1). */
export function reverseBits(code: number, length: number): number {
  let bits = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555);
  bits = ((bits & 0x3333) << 2) | ((bits >> 2) & 0x3333);
  bits = ((bits & 0x0f0f) << 4) | ((bits >> 4) & 0x0f0f);
  return (((bits & 0xff) << 8) | (bits >> 8)) >> (16 - length);
}
