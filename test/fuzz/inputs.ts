// Where inputs come from: streams that are in order, scripts of frames, random bytes, and changes
// to any of them.

import type { Prng } from "../sim/prng.ts";
import { FLAG } from "./case.ts";

const FIRST_BYTES = [
  0x81,
  0x82,
  0x01,
  0x02,
  0x00,
  0x80,
  0x89,
  0x8a,
  0x88,
  0xc1,
  0xc2,
  0x41,
  0x42,
  0x09,
  0x83,
  0x40,
];
const TEXTS = [
  "",
  "Hello",
  "é",
  "€uro",
  "\u{1f600}",
  "\ufeffBOM",
  "a".repeat(125),
  "b".repeat(126),
  "ü".repeat(200),
];
/**
 * Valid and invalid UTF-8 where it matters, and the corners of DEFLATE: an empty stored block, a
 * last block, a bad block type.
 */
const SNIPPETS = [
  "c080",
  "eda080",
  "f4908080",
  "f09f98",
  "80",
  "fe",
  "e282",
  "0000ffff",
  "000000ffff",
  "f2489cc90700",
  "07",
  "4b4c4a0600",
  "03e8",
  "03ed",
  "0bb8",
  "1387",
  "03",
  "0010ffef",
  "010000ffff",
  "6300",
];
/** Bytes at the edges of something: of lengths, signs, opcodes. */
const EDGES = [0x00, 0x01, 0x02, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x88, 0x89, 0xc1, 0xfd, 0xfe, 0xff];

/** A fresh input for a connection. */
export function freshInput(prng: Prng): Uint8Array {
  const script = prng.chance(75);
  const flags = (prng.below(256) & ~FLAG.script) | (script ? FLAG.script : 0);
  const sizes = Array.from({ length: prng.below(6) }, () => prng.scaled(255));
  const body = script ? freshScript(prng) : randomBytes(prng, prng.scaled(300));
  return Uint8Array.from([
    flags,
    prng.chance(40) ? 0 : prng.below(16),
    sizes.length,
    ...sizes,
    ...body,
  ]);
}

function freshScript(prng: Prng): number[] {
  const parts = prng.between(1, 8);
  return Array.from(
    { length: parts },
    () => prng.chance(40) ? freshMessage(prng) : freshFrame(prng),
  ).flat();
}

function freshFrame(prng: Prng): number[] {
  const make = prng.chance(70) ? 0 : prng.chance(70) ? 0x40 : prng.pick([0x80, 0xc0]);
  const first = prng.chance(95) ? prng.pick(FIRST_BYTES) : prng.below(256);
  return scripted(first, make, freshPayload(prng));
}

/** A message in fragments that are in order, with a ping between them now and then. */
function freshMessage(prng: Prng): number[] {
  const payload = [...freshPayload(prng), ...freshPayload(prng)];
  const compressed = prng.chance(40);
  const opcode = (compressed ? 0x40 : 0) | prng.pick([0x01, 0x02]);
  const fragments = prng.between(1, 5);
  const frames: number[][] = [];
  for (let index = 0, at = 0; index < fragments; index++) {
    const last = index === fragments - 1;
    const end = last ? payload.length : Math.min(payload.length, at + prng.scaled(200));
    const first = (index === 0 ? opcode : 0) | (last ? 0x80 : 0);
    frames.push(scripted(first, compressed ? 0x40 : 0, payload.slice(at, end)));
    if (prng.chance(10)) frames.push(scripted(0x89, 0, []));
    at = end;
  }
  return frames.flat();
}

/**
 * A frame as a script has it; a long payload loses its end, so as to have a size that a script can
 * tell.
 */
function scripted(first: number, make: number, payload: readonly number[]): number[] {
  if (payload.length < 0x3f) return [first, make | payload.length, ...payload];
  const units = Math.min(255, payload.length >> 3);
  return [first, make | 0x3f, units, ...payload.slice(0, units * 8)];
}

function freshPayload(prng: Prng): number[] {
  const sort = prng.below(10);
  if (sort < 4) return [...new TextEncoder().encode(prng.pick(TEXTS))];
  if (sort < 7) return bytesOf(prng.pick(SNIPPETS));
  if (sort < 8) return [...bytesOf(prng.pick(SNIPPETS)), ...bytesOf(prng.pick(SNIPPETS))];
  return randomBytes(prng, prng.scaled(300));
}

function bytesOf(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16));
}

function randomBytes(prng: Prng, length: number): number[] {
  return Array.from({ length }, () => prng.below(256));
}

type Mutation = (bytes: number[], prng: Prng, other: Uint8Array) => void;

const MUTATIONS: readonly Mutation[] = [
  (bytes, prng) => (bytes[prng.below(bytes.length)]! ^= 1 << prng.below(8)),
  (bytes, prng) => (bytes[prng.below(bytes.length)] = prng.pick(EDGES)),
  (bytes, prng) => (bytes[prng.below(bytes.length)] = prng.below(256)),
  (bytes, prng) => (bytes[prng.below(bytes.length)]! += prng.between(-4, 4)),
  (bytes, prng) => bytes.splice(prng.below(bytes.length), prng.scaled(16)),
  (bytes, prng) =>
    bytes.splice(prng.below(bytes.length + 1), 0, ...randomBytes(prng, prng.scaled(8))),
  (bytes, prng) => bytes.splice(prng.below(bytes.length + 1), 0, ...bytesOf(prng.pick(SNIPPETS))),
  (bytes, prng) => bytes.splice(prng.below(bytes.length + 1), 0, ...someOf(bytes, prng)),
  (bytes, prng, other) => bytes.splice(prng.below(bytes.length + 1), 0, ...someOf(other, prng)),
  (bytes, prng, other) =>
    bytes.splice(prng.below(bytes.length), bytes.length, ...someOf(other, prng)),
  (bytes, prng) => bytes.splice(prng.below(bytes.length)),
];

function someOf(bytes: ArrayLike<number>, prng: Prng): number[] {
  const from = prng.below(bytes.length + 1);
  return Array.from(bytes).slice(from, from + prng.scaled(64));
}

/** The longest input; what is longer tells nothing new and takes longer. */
const LONGEST = 4096;

/** The input with some changes, of which some come from another input. */
export function mutate(input: Uint8Array, other: Uint8Array, prng: Prng): Uint8Array {
  const bytes = [...input];
  for (let count = prng.between(1, 6); count > 0; count--) {
    if (bytes.length === 0) bytes.push(prng.below(256));
    prng.pick(MUTATIONS)(bytes, prng, other);
  }
  return Uint8Array.from(bytes.slice(0, LONGEST));
}
