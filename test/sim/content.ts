// What the simulated applications say: texts of every plane with whole and halved surrogate pairs,
// and bytes that compress well or not at all. A content is named by a few numbers, so that a
// program can be printed, and shrunk.

import { Prng } from "./prng.ts";

/** One message's content, or a part of one. */
export interface Content {
  readonly kind: "text" | "binary";
  /** Bytes, or UTF-16 code units. */
  readonly size: number;
  /** Where in the pool of its sort it begins. */
  readonly from: number;
  readonly sort: Sort;
}

/** The alphabet of a text; bytes have those of `words`, or are random for every other sort. */
export type Sort = "ascii" | "words" | "latin" | "wide" | "astral" | "surrogates" | "mixed";

const ALPHABETS: Readonly<Record<Sort, (prng: Prng) => number>> = {
  ascii: (prng) => prng.between(0, 0x7f),
  words: (prng) => prng.pick([0x20, 0x61, 0x62, 0x65, 0x72, 0x7b, 0x22]),
  latin: (prng) => prng.between(0x80, 0x24f),
  // The byte order mark is a character like any other inside a message.
  wide: (prng) => prng.pick([prng.between(0x800, 0xd7ff), prng.between(0xe000, 0xffff), 0xfeff]),
  astral: (prng) => prng.between(0x1_0000, 0x10_ffff),
  // Mostly halves of pairs, in any order.
  surrogates: (prng) =>
    prng.pick([prng.between(0xd800, 0xdfff), prng.between(0xd800, 0xdbff), 0x41]),
  mixed: (prng) =>
    prng.pick([0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x1_0000, 0x10_ffff, prng.between(0, 0xd7ff)]),
};

/** All sorts. */
export const SORTS = Object.keys(ALPHABETS) as readonly Sort[];

/** The largest content, in bytes or in code units. */
export const LARGEST = 150_000;

const POOL = 1 << 16;
const encoder = new TextEncoder();
// Lone surrogates become U+FFFD on the way, as they must on the wire; a leading U+FEFF stays.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const texts = new Map<Sort, string>();
const bytes = new Map<boolean, Uint8Array>();

function textPool(sort: Sort): string {
  let pool = texts.get(sort);
  if (pool === undefined) {
    const prng = new Prng(SORTS.indexOf(sort));
    const units = Array.from({ length: POOL }, () => String.fromCodePoint(ALPHABETS[sort](prng)));
    pool = units.join("").slice(0, POOL).repeat(Math.ceil(LARGEST * 2 / POOL));
    texts.set(sort, pool);
  }
  return pool;
}

function bytePool(words: boolean): Uint8Array {
  let pool = bytes.get(words);
  if (pool === undefined) {
    const prng = new Prng(words ? 1 : 2);
    pool = Uint8Array.from(
      { length: LARGEST * 2 },
      () => words ? ALPHABETS.words(prng) : prng.below(256),
    );
    bytes.set(words, pool);
  }
  return pool;
}

/** The content as it is given to `send`; bytes are a fresh copy each time. */
export function produce(content: Content): string | Uint8Array {
  const data = peek(content);
  return typeof data === "string" ? data : data.slice();
}

/** The same, but bytes are a view that must not be written to. */
function peek({ kind, size, from, sort }: Content): string | Uint8Array {
  const end = from + size;
  return kind === "text"
    ? textPool(sort).slice(from, end)
    : bytePool(sort === "words").subarray(from, end);
}

/** A message as it must arrive: text with every lone surrogate replaced. */
export interface Message {
  readonly kind: "text" | "binary";
  readonly text: string;
  /** The bytes, which are UTF-8 for a text. */
  readonly bytes: Uint8Array;
}

/** The message that the parts make. */
export function messageOf(parts: readonly Content[]): Message {
  const data = parts.map(peek);
  if (parts[0]?.kind === "text") {
    const bytes = encoder.encode(data.join(""));
    return { kind: "text", text: decoder.decode(bytes), bytes };
  }
  return { kind: "binary", text: "", bytes: joined(data as Uint8Array[]) };
}

/** One array of all the chunks. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const all = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}

/** Whether both hold the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A content with a size that is often at one of the edges of the frame format. */
export function randomContent(prng: Prng, largest: number): Content {
  const edges = [0, 1, 125, 126, 127, 4095, 4096, 65_535, 65_536];
  const size = prng.chance(10) ? prng.pick(edges) : prng.scaled(prng.chance(4) ? LARGEST : 600);
  return {
    kind: prng.chance(50) ? "text" : "binary",
    size: Math.min(size, largest),
    from: prng.below(POOL),
    sort: prng.pick(SORTS),
  };
}
