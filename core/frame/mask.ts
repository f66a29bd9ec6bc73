// Masking, RFC 6455 §5.3: every byte from client to server is XORed with a repeated four-byte key.
//
// A key is one 32-bit integer here, its first byte lowest, so that turning it for a later position
// is a rotation. What is done per byte matters more in this file than anywhere else: long runs go
// word by word.

import { fillRandom } from "../platform.ts";

// Below this the view that word access needs costs more than it saves.
const WORDWISE_FROM = 128;

// Words of an Int32Array hold a key in memory order only on little-endian machines, which is all of
// them that run JavaScript today; on another the byte loop does all the work.
const LITTLE_ENDIAN = new Uint8Array(new Int32Array([1]).buffer)[0] === 1;

/** The key as it applies from the position `phase` of the payload on. */
export function rotateKey(key: number, phase: number): number {
  const bits = (phase & 3) << 3;
  // A shift by 32 is one by 0, so that this is the key itself where there is nothing to turn.
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

/**
 * Masks, or unmasks, the bytes from `start` to `end` in place; `key` applies to the byte at
 * `start`.
 */
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
  const turned = rotateKey(key, lead);
  maskBytes(bytes, start, aligned, key);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + aligned, count);
  let i = 0;
  for (const last = count - 7; i < last; i += 8) {
    words[i]! ^= turned;
    words[i + 1]! ^= turned;
    words[i + 2]! ^= turned;
    words[i + 3]! ^= turned;
    words[i + 4]! ^= turned;
    words[i + 5]! ^= turned;
    words[i + 6]! ^= turned;
    words[i + 7]! ^= turned;
  }
  for (; i < count; i++) words[i]! ^= turned;
  maskBytes(bytes, aligned + count * 4, end, turned);
}

// "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong
// source of entropy" (§5.3). One call for 2048 keys: asking for four bytes at a time costs up to a
// hundred times as much a key.
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
