// Bodies of compressed messages, as hexadecimal text: the examples of RFC 7692 §7.2.3, and what
// zlib made of known content. All of them are without the tail 00 00 ff ff, as a frame carries
// them.

/** One message of a stream: what its frames carry, and what that means. */
export interface BodyRow {
  readonly why: string;
  readonly body: string;
  readonly content: string;
}

/** RFC 7692 §7.2.3, each the first message of a stream. */
export const RFC_BODIES: readonly BodyRow[] = [
  { why: "§7.2.3.1 one compressed block", body: "f248cdc9c90700", content: "Hello" },
  { why: "§7.2.3.3 a stored block", body: "000500faff48656c6c6f00", content: "Hello" },
  { why: "§7.2.3.4 a block with BFINAL", body: "f348cdc9c9070000", content: "Hello" },
  { why: "§7.2.3.5 two blocks", body: "f24805000000ffffcac9c90700", content: "Hello" },
  { why: "§7.2.3.6 an empty message", body: "00", content: "" },
];

/** RFC 7692 §7.2.3.2: the second message refers to the first. */
export const RFC_SHARED_WINDOW: readonly BodyRow[] = [
  { why: "the first", body: "f248cdc9c90700", content: "Hello" },
  { why: "the second, out of the window", body: "f200110000", content: "Hello" },
];

/** Blocks in other shapes that senders make, each the first message of a stream. */
export const SHAPES: readonly BodyRow[] = [
  { why: "BFINAL without the empty block after it", body: "f348cdc9c90700", content: "Hello" },
  {
    why: "two streams, each with BFINAL",
    body: "f348cdc9c90700f348cdc9c9070000",
    content: "HelloHello",
  },
  { why: "a stored block with BFINAL", body: "010500faff48656c6c6f00", content: "Hello" },
  { why: "stored blocks with nothing in them", body: "000000ffff000000ffff00", content: "" },
  { why: "a fixed block with nothing in it", body: "0200", content: "" },
  { why: "a stored block between fixed ones", body: "4a0400 0200fdff6263 4a0100", content: "abcd" },
];

/** One stream of zlib level 6 over three messages, window shared. */
export const JSON_STREAM: readonly BodyRow[] = [
  {
    why: "the first",
    body:
      "aa562aa92c4855b2524a2f4a4d2dc9cc4b57d2512a49ad2851b252722f3abce7f0fc5485c4d26205efc3db72f2947494325394ac0c6b0100",
    content: "{\"type\":\"greeting\",\"text\":\"Grüße aus Köln\",\"id\":1}",
  },
  {
    why: "the second, nearly the same",
    body: "aa265d93512d00",
    content: "{\"type\":\"greeting\",\"text\":\"Grüße aus Köln\",\"id\":2}",
  },
  {
    why: "the third, with a dynamic block's worth of news",
    body: "826b4a4b2c4a2d4fcdc941687adc38f57153c7e3c6b6c78dab1e377542b518d70200",
    content: "{\"type\":\"farewell\",\"text\":\"さようなら\",\"id\":3}",
  },
];

const MARK = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/**
 * The farthest zlib looks back with a window of so many bits: it keeps 262 bytes of it free, and
 * has no window of 8 bits.
 */
function reach(bits: number): number {
  return 2 ** Math.max(bits, 9) - 262;
}

/**
 * Content that ends in a copy of its beginning, as far back as zlib's window of so many bits lets
 * it refer to.
 */
export function windowContent(bits: number): string {
  return MARK + ".".repeat(reach(bits) - MARK.length) + MARK;
}

/** What zlib at level 9 with a window of so many bits made of {@linkcode windowContent}. */
export const WINDOWS: readonly { readonly bits: number; readonly body: string; }[] = [
  {
    bits: 8,
    body:
      "3230343236313533b7b074747276717573f7f0f4f2f6f1f5f30f080c0a0e090d0b8f888cd21b96c0c0d0c8d8c4d40cafcf0100",
  },
  {
    bits: 9,
    body:
      "3230343236313533b7b074747276717573f7f0f4f2f6f1f5f30f080c0a0e090d0b8f888cd21b96c0c0d0c8d8c4d40cafcf0100",
  },
  {
    bits: 10,
    body:
      "3230343236313533b7b074747276717573f7f0f4f2f6f1f5f30f080c0a0e090d0b8f888cd21b05a360d80103432363135333bc291f00",
  },
  {
    bits: 11,
    body:
      "3230343236313533b7b074747276717573f7f0f4f2f6f1f5f30f080c0a0e090d0b8f888cd21b05a360148c8251300a860d30303432363135c35bf30100",
  },
  {
    bits: 12,
    body:
      "ecd7470d804000004147e43af0a41cbd77f02f0407fc49765c8c904a1bebc2284ed22cf74559d54ddbf5c338cdcbbaedc779dd4f0000000000c06f09a9b4b1ee73be2f00",
  },
  {
    bits: 13,
    body:
      "ecd9c71540400040c18ebccd380a2be74cff85e8c0d9e14f1b23a4d2c6ba308a9334cb7d515675d376fd304ef3b26efb715ef7130000000000000000000000f05b422a6dacfb9cef17",
  },
  {
    bits: 14,
    body:
      "ecdbc71182000000b08d383afa44aa5d0105dd7f1036e0c72fd923611427699617876379aaeaa6edfaf3e57abb3f9eaff7304e9fefbcfcfe01000000000000000000000000000000ec268ce224cdf2cdf9be02",
  },
  {
    bits: 15,
    body:
      "ecddc71182000000b08d383afa44aa5d0105dd7f103660002e5924611427699617876379aaeaa6edfaf3e57abb3f9eaff7304e9fefbcfcfe01000000000000000000000000000000000000000000000000000000000000003b1646719266f9e67cbf02",
  },
];

/** Bytes of zeros that each body of {@linkcode ZEROS} stands for. */
export const ZEROS_SIZE: number = 64 * 1024;

/**
 * Zeros by zlib level 9, tail included, so that it may be repeated: the first of a stream, and each
 * that follows it.
 */
export const ZEROS: { readonly first: string; readonly next: string; } = {
  first: "ecc101010000008090feafee080a" + "00".repeat(63) + "6a000000ffff",
  next: "ecc1010900000080a0ffafa31f2a" + "00".repeat(63) + "2c000000ffff",
};

/** Bodies that no content has. */
export const CORRUPT: readonly { readonly why: string; readonly body: string; }[] = [
  { why: "the reserved block type", body: "0700" },
  { why: "a stored block whose length is not confirmed", body: "000500f0ff48656c6c6f00" },
  { why: "a distance beyond the beginning", body: "02210000" },
  { why: "a dynamic block with too many length codes", body: "fc00000000" },
  { why: "a dynamic block whose code lengths are all zero", body: "04000000000000" },
  { why: "a dynamic block with too many codes of one length", body: "04c0812449922449" },
  { why: "the header of a gzip file", body: "1f8b0800000000000003" },
  { why: "text that was never compressed", body: "48656c6c6f2c20776f726c6421" },
  { why: "cut off inside of a fixed block", body: "f248cd" },
  { why: "cut off inside of a stored block", body: "000500faff4865" },
  { why: "cut off inside of a stored block's header", body: "000500" },
  { why: "cut off inside of a dynamic block", body: ZEROS.first.slice(0, 20) },
  { why: "the end of the last block missing", body: "f248cdc9c9" },
];

/** The bytes that hexadecimal text stands for; spaces are for the reader. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replaceAll(" ", "");
  return Uint8Array.from(
    { length: digits.length / 2 },
    (_, index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16),
  );
}
