// The header of a frame, RFC 6455 §5.2: opcodes, legal first bytes, and the layout of the length.
// decoder.ts reads a header, mask.ts does the masking.
//
//   byte 0              byte 1         if length7 is 126 or 127   if MASK
//   FIN RSV1-3 opcode | MASK length7 | length, 16 or 64 bits    | masking key

import type { ViolationName } from "../violations.ts";

/** The opcodes of RFC 6455 §11.8. */
export const Opcode = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** In the first byte: the last frame of a message. */
export const FIN = 0x80;
/** In the first byte: a compressed message (RFC 7692 §6). */
export const RSV1 = 0x40;
/** In the second byte: a masking key is present. */
export const MASK = 0x80;
/** In the opcode: a control frame (RFC 6455 §5.5). */
export const CONTROL = 0x08;

/** The most bytes in a control frame (RFC 6455 §5.5), and the largest 7-bit length. */
export const MAX_SHORT_LENGTH = 125;
/** The largest 16-bit length. */
export const MAX_MEDIUM_LENGTH = 0xffff;
/** The longest header: two bytes, a 64-bit length and a masking key. */
export const MAX_HEADER_SIZE = 14;

/** The violation in each of the 256 values of a first byte; `undefined` for a legal one. */
export type FirstByteRules = readonly (ViolationName | undefined)[];

/** The rules without an extension: every reserved bit must be clear. */
export const PLAIN_RULES: FirstByteRules = firstByteRules(false);
/** The rules of permessage-deflate: a message's first frame may set RSV1 (RFC 7692 §6). */
export const DEFLATE_RULES: FirstByteRules = firstByteRules(true);

function firstByteRules(deflate: boolean): FirstByteRules {
  return Array.from({ length: 256 }, (_, first) => firstByteViolation(first, deflate));
}

function firstByteViolation(first: number, deflate: boolean): ViolationName | undefined {
  const opcode = first & 0x0f;
  const startsData = opcode === Opcode.text || opcode === Opcode.binary;
  const reserved = first & 0x70 & ~(deflate && startsData ? RSV1 : 0);
  if (reserved !== 0) return "reserved-bit";
  if (opcode > Opcode.pong || (opcode > Opcode.binary && opcode < Opcode.close)) {
    return "reserved-opcode";
  }
  if ((opcode & CONTROL) !== 0 && (first & FIN) === 0) return "control-fragmented";
  return undefined;
}

/** Bytes of a frame's header. */
export function headerSize(length: number, masked: boolean): number {
  const key = masked ? 4 : 0;
  if (length <= MAX_SHORT_LENGTH) return 2 + key;
  return (length <= MAX_MEDIUM_LENGTH ? 4 : 10) + key;
}

/**
 * Writes a header without its masking key; returns the offset after it.
 * "The minimal number of bytes MUST be used to encode the length" (RFC 6455 §5.2).
 */
export function writeHeader(
  target: Uint8Array,
  offset: number,
  first: number,
  length: number,
  masked: boolean,
): number {
  const mask = masked ? MASK : 0;
  target[offset] = first;
  if (length <= MAX_SHORT_LENGTH) {
    target[offset + 1] = mask | length;
    return offset + 2;
  }
  if (length <= MAX_MEDIUM_LENGTH) {
    target[offset + 1] = mask | 126;
    target[offset + 2] = length >>> 8;
    target[offset + 3] = length;
    return offset + 4;
  }
  target[offset + 1] = mask | 127;
  writeUint32(target, offset + 2, length / 0x1_0000_0000);
  writeUint32(target, offset + 6, length);
  return offset + 10;
}

/** Reads 32 bits in network byte order. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 24 | bytes[offset + 1]! << 16 | bytes[offset + 2]! << 8
    | bytes[offset + 3]!) >>> 0;
}

function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}
