// Masking, RFC 6455 §5.3: a client's payload is XORed with a repeated four-byte key.
// A key is one 32-bit integer here, its first byte lowest, so a shift to a later position is a
// rotation. These are the library's hottest loops: long payloads go word by word.

import { fillRandom } from "../platform.ts";

// In bytes. Below this the Int32Array costs more than it saves.
const WORDWISE_FROM = 128;
// On a big-endian machine a word does not match the key's byte order; the byte loop does the work.
const LITTLE_ENDIAN = new Uint8Array(new Int32Array([1]).buffer)[0] === 1;

/** The key that applies from byte `phase` of the payload on. */
export function rotateKey(key: number, phase: number): number {
  const bits = (phase & 3) << 3;
  // JavaScript shifts by 32 as by 0, so phase 0 gives the key itself.
  return (key >>> bits) | (key << (32 - bits));
}

/** Reads a key from the wire. */
export function readKey(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | bytes[offset + 1]! << 8 | bytes[offset + 2]! << 16
    | bytes[offset + 3]! << 24;
}

/** Writes a key to the wire. */
export function writeKey(target: Uint8Array, offset: number, key: number): void {
  target[offset] = key;
  target[offset + 1] = key >>> 8;
  target[offset + 2] = key >>> 16;
  target[offset + 3] = key >>> 24;
}

/** Masks or unmasks the bytes from `start` to `end` in place; `key` applies from `start` on. */
export function applyMask(bytes: Uint8Array, start: number, end: number, key: number): void {
  if (LITTLE_ENDIAN && end - start >= WORDWISE_FROM) maskWords(bytes, start, end, key);
  else maskBytes(bytes, start, end, key);
}

function maskBytes(bytes: Uint8Array, start: number, end: number, key: number): void {
  const key1 = key >>> 8, key2 = key >>> 16, key3 = key >>> 24;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    bytes[i]! ^= key;
    bytes[i + 1]! ^= key1;
    bytes[i + 2]! ^= key2;
    bytes[i + 3]! ^= key3;
  }
  if (i < end) bytes[i]! ^= key;
  if (i + 1 < end) bytes[i + 1]! ^= key1;
  if (i + 2 < end) bytes[i + 2]! ^= key2;
}

function maskWords(bytes: Uint8Array, start: number, end: number, key: number): void {
  const lead = -(bytes.byteOffset + start) & 3;
  const aligned = start + lead;
  const count = (end - aligned) >>> 2;
  const rotated = rotateKey(key, lead);
  maskBytes(bytes, start, aligned, key);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + aligned, count);
  let i = 0;
  for (const last = count - 7; i < last; i += 8) {
    words[i]! ^= rotated;
    words[i + 1]! ^= rotated;
    words[i + 2]! ^= rotated;
    words[i + 3]! ^= rotated;
    words[i + 4]! ^= rotated;
    words[i + 5]! ^= rotated;
    words[i + 6]! ^= rotated;
    words[i + 7]! ^= rotated;
  }
  for (; i < count; i++) words[i]! ^= rotated;
  maskBytes(bytes, aligned + count * 4, end, rotated);
}

// "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong
// source of entropy" (§5.3). One call fills 2048 keys: a call per key costs up to 100 times more.
const pool = new Uint8Array(8192);
let used = pool.length;

/** A fresh masking key. */
export function freshKey(): number {
  if (used === pool.length) {
    fillRandom(pool);
    used = 0;
  }
  const key = readKey(pool, used);
  used += 4;
  return key;
}
