// UTF-8 as RFC 3629 §4 draws the line: every class of well-formed sequence with its bounds, and
// every class of byte sequence that is not UTF-8, with the byte at which that is certain.

import { hex, join, utf8 } from "../core/support.ts";

export interface ValidText {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly text: string;
}

export interface InvalidText {
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * The index of the first byte after which no continuation is UTF-8; the length of the bytes when
   * only their end is wrong.
   */
  readonly badAt: number;
}

function codePoints(name: string, ...points: number[]): ValidText {
  return { name, bytes: join(points.map(encode)), text: String.fromCodePoint(...points) };
}

/** RFC 3629 §3, by its table. */
function encode(point: number): Uint8Array {
  if (point < 0x80) return Uint8Array.of(point);
  if (point < 0x800) return Uint8Array.of(0xc0 | point >> 6, 0x80 | point & 0x3f);
  const tail = [0x80 | point >> 6 & 0x3f, 0x80 | point & 0x3f];
  if (point < 0x10000) return Uint8Array.of(0xe0 | point >> 12, ...tail);
  return Uint8Array.of(0xf0 | point >> 18, 0x80 | point >> 12 & 0x3f, ...tail);
}

const PLANES = Array.from({ length: 17 }, (_, plane) => plane);

/** Everything that is UTF-8. */
export const VALID_TEXTS: readonly ValidText[] = [
  { name: "nothing", bytes: hex(""), text: "" },
  codePoints("the first and last of one byte", 0x00, 0x7f),
  codePoints("the first and last of two bytes", 0x80, 0x7ff),
  codePoints("the first and last of three bytes", 0x800, 0xffff),
  codePoints("the first and last of four bytes", 0x10000, 0x10ffff),
  codePoints("either side of the surrogates", 0xd7ff, 0xe000),
  codePoints("the rows of UTF8-3", 0xfff, 0x1000, 0xcfff, 0xd000, 0xd7ff, 0xe000),
  codePoints("the rows of UTF8-4", 0x3ffff, 0x40000, 0xfffff, 0x100000),
  codePoints("the byte order mark, first", 0xfeff, 0x61),
  codePoints("the byte order mark, twice and last", 0xfeff, 0xfeff, 0x61, 0xfeff),
  codePoints("the replacement character", 0xfffd),
  codePoints("the reversed byte order mark", 0xfffe),
  codePoints(
    "non-characters of every plane",
    ...PLANES.flatMap((plane) => [plane << 16 | 0xfffe, plane << 16 | 0xffff]),
  ),
  codePoints("non-characters of the Arabic block", 0xfdd0, 0xfdef),
  codePoints("the private use area", 0xe000, 0xf8ff),
  codePoints("controls", 0x00, 0x01, 0x1f, 0x7f, 0x80, 0x9f),
  { name: "Greek", bytes: hex("ceba e1bdb9 cf83 cebc ceb5"), text: "κ\u1f79σμε" },
  { name: "mixed lengths", bytes: hex("48 c2b5 40 c39f e282ac 2d f09d849e 21"), text: "Hµ@ß€-𝄞!" },
  { name: "long ASCII", bytes: utf8("0123456789".repeat(9)), text: "0123456789".repeat(9) },
  {
    name: "ASCII around one other",
    bytes: utf8(`${"a".repeat(33)}é${"b".repeat(33)}`),
    text: `${"a".repeat(33)}é${"b".repeat(33)}`,
  },
  { name: "combining characters", bytes: utf8("e\u0301👩‍👩‍👧"), text: "e\u0301👩‍👩‍👧" },
];

/** Sequences that are not UTF-8, alone and behind well-formed ones. */
type Row = readonly [name: string, digits: string, badAt: number];

const IMPOSSIBLE: readonly Row[] = [
  "c0",
  "c1",
  "f5",
  "f6",
  "f7",
  "f8",
  "f9",
  "fa",
  "fb",
  "fc",
  "fd",
  "fe",
  "ff",
].map((
  byte,
) => [
  `${byte}, which begins nothing`,
  byte,
  0,
]);

const ROWS: readonly Row[] = [
  ...IMPOSSIBLE,
  ["80, a lone continuation", "80", 0],
  ["bf, a lone continuation", "bf", 0],
  ["two lone continuations", "80bf", 0],
  ["a continuation too many after two bytes", "c3a980", 2],
  ["a continuation too many after three bytes", "e282ac80", 3],
  ["a continuation too many after four bytes", "f09d849e80", 4],
  ["an overlong U+0000 of two bytes", "c080", 0],
  ["an overlong slash of two bytes", "c0af", 0],
  ["an overlong U+007F of two bytes", "c1bf", 0],
  ["an overlong slash of three bytes", "e080af", 1],
  ["an overlong U+07FF of three bytes", "e09fbf", 1],
  ["an overlong slash of four bytes", "f08080af", 1],
  ["an overlong U+FFFF of four bytes", "f08fbfbf", 1],
  ["an overlong slash of five bytes", "f8808080af", 0],
  ["an overlong slash of six bytes", "fc80808080af", 0],
  ["the first high surrogate", "eda080", 1],
  ["the last high surrogate", "edafbf", 1],
  ["the first low surrogate", "edb080", 1],
  ["the last low surrogate", "edbfbf", 1],
  ["a surrogate pair", "eda080edb080", 1],
  ["a surrogate pair, the last", "edafbfedbfbf", 1],
  ["U+110000", "f4908080", 1],
  ["U+13FFFF", "f4bfbfbf", 1],
  ["U+140000", "f5808080", 0],
  ["U+1FFFFF", "f7bfbfbf", 0],
  ["five bytes", "f888808080", 0],
  ["six bytes", "fd80808080bf", 0],
  ["two bytes, cut", "c3", 1],
  ["three bytes, cut after one", "e2", 1],
  ["three bytes, cut after two", "e282", 2],
  ["four bytes, cut after one", "f0", 1],
  ["four bytes, cut after two", "f09d", 2],
  ["four bytes, cut after three", "f09d84", 3],
  ["the last code point, cut", "f48fbf", 3],
  ["two bytes, broken by ASCII", "c341", 1],
  ["two bytes, broken by a lead", "c3c3a9", 1],
  ["three bytes, broken by ASCII", "e24141", 1],
  ["three bytes, broken at the third", "e28241", 2],
  ["four bytes, broken at the third", "f09d41", 2],
  ["four bytes, broken at the fourth", "f09d84c3", 3],
];

function behind(prefix: Uint8Array, name: string): (row: Row) => InvalidText {
  return ([what, digits, badAt]) => ({
    name: `${what}${name}`,
    bytes: join([prefix, hex(digits)]),
    badAt: prefix.length + badAt,
  });
}

/**
 * The same, followed by what would be well-formed; what was cut short is then broken by its first
 * byte.
 */
function before(suffix: Uint8Array, name: string): (row: Row) => InvalidText {
  return ([what, digits, badAt]) => ({
    name: `${what}${name}`,
    bytes: join([hex(digits), suffix]),
    badAt,
  });
}

/** Everything that is not UTF-8. */
export const INVALID_TEXTS: readonly InvalidText[] = [
  ...ROWS.map(behind(hex(""), "")),
  ...ROWS.map(behind(utf8("κόσμε"), ", behind Greek")),
  ...ROWS.map(behind(utf8("a".repeat(17)), ", behind 17 letters")),
  ...ROWS.map(before(utf8("edited"), ", before letters")),
];
