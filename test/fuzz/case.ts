// What the bytes of a fuzzer's input mean for a connection: its role and options, where the stream
// is cut, and the stream itself, either as it is or as a script of frames. Every input means
// something, and a change of one byte changes one thing.
//
//    flags | options | count of sizes | sizes … | stream or script

import type { ConnectionOptions } from "sansws/core";
import { deflateCodec } from "../../adapters/deflate.ts";
import { resolveDeflate } from "../../core/deflate/negotiate.ts";
import { MessageDeflate } from "../../core/deflate/transform.ts";
import type { Role } from "../core/support.ts";

/** One run of a connection. */
export interface Case {
  readonly role: Role;
  readonly stream: Uint8Array;
  /** Sizes of the chunks, over and over; zero is an empty chunk. */
  readonly sizes: readonly number[];
  readonly pieces: boolean;
  readonly compressed: boolean;
  readonly maxMessageSize: number;
  /** Options for a fresh connection, to which chunks are given or only lent. */
  options(chunks: "given" | "lent"): ConnectionOptions;
}

/** The bits of the first byte. */
export const FLAG = {
  client: 1,
  deflate: 2,
  pieces: 4,
  bytes: 8,
  script: 16,
  noTakeover: 32,
  smallWindow: 64,
} as const;

const MESSAGE_LIMITS = [1 << 20, 1000, 100, 1] as const;
const REPLY_LIMITS = [1 << 16, 300, 20, 1] as const;

/** Reads an input. */
export function readCase(input: Uint8Array): Case {
  const flags = input[0] ?? 0;
  const options = input[1] ?? 0;
  const count = (input[2] ?? 0) & 0x0f;
  const rest = input.subarray(3 + count);
  const role = (flags & FLAG.client) !== 0 ? "client" : "server";
  const compressed = (flags & FLAG.deflate) !== 0;
  const pieces = (flags & FLAG.pieces) !== 0;
  const maxMessageSize = MESSAGE_LIMITS[options & 3]!;
  return {
    role,
    stream: (flags & FLAG.script) !== 0 ? runScript(rest, flags) : rest.slice(),
    sizes: [...input.subarray(3, 3 + count)],
    pieces,
    compressed,
    maxMessageSize,
    options: (chunks) => ({
      role,
      chunks,
      messages: pieces ? "pieces" : "whole",
      text: (flags & FLAG.bytes) !== 0 ? "bytes" : "string",
      limits: { maxMessageSize, maxPendingReplies: REPLY_LIMITS[(options >> 2) & 3]! },
      deflate: compressed ? transform(flags) : undefined,
    }),
  };
}

function transform(flags: number): MessageDeflate {
  const takeover = (flags & FLAG.noTakeover) === 0;
  const windowBits = (flags & FLAG.smallWindow) !== 0 ? 9 : 15;
  const params = { windowBits, takeover, peerWindowBits: windowBits, peerTakeover: takeover };
  return new MessageDeflate(params, resolveDeflate({ codec: deflateCodec, memLevel: 1 }));
}

/** The chunks of a stream; fresh copies, for a connection unmasks them in place. */
export function* chunksOf(stream: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  const advancing = sizes.some((size) => size > 0) ? sizes : [stream.length];
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const end = Math.min(stream.length, at + advancing[turn % advancing.length]!);
    yield stream.slice(at, end);
    at = end;
  }
}

// --- Scripts ---
//
// A script is a list of frames: the first byte, a byte that says how the frame is made, and its
// payload. So a mutation changes a frame's content without breaking the frames behind it.

/** Payload bytes by the low six bits; what the next byte says, times eight, for the highest. */
const LONG = 0x3f;

/** What a sync flush ends in. */
export const TAIL: Uint8Array = Uint8Array.of(0, 0, 0xff, 0xff);

/** The two high bits of the second byte. */
const MAKE = { plainly: 0, deflated: 0x40, wastefully: 0x80, wrongly: 0xc0 } as const;

function runScript(script: Uint8Array, flags: number): Uint8Array<ArrayBuffer> {
  const masked = (flags & FLAG.client) === 0;
  const stream: number[] = [];
  const deflater = deflateCodec.createDeflater({ windowBits: 9, level: 1, memLevel: 1 });
  for (let at = 0; at + 1 < script.length;) {
    const first = script[at]!;
    const make = script[at + 1]! & 0xc0;
    let length = script[at + 1]! & LONG;
    at += 2;
    if (length === LONG) length = (script[at++] ?? 0) * 8;
    let payload = script.subarray(at, at + length);
    at += length;
    if (make === MAKE.deflated && payload.length > 0) {
      const body = deflater.deflate(payload);
      // RFC 7692 §7.2.1: only the end of a message lacks the end of its flush.
      payload = (first & 0x80) !== 0 ? body.subarray(0, -TAIL.length) : body;
      if ((first & 0x80) !== 0 && (flags & FLAG.noTakeover) !== 0) deflater.reset();
    }
    writeFrame(
      stream,
      first,
      payload,
      make === MAKE.wrongly ? !masked : masked,
      make === MAKE.wastefully,
    );
  }
  return Uint8Array.from(stream);
}

function writeFrame(
  stream: number[],
  first: number,
  payload: Uint8Array,
  masked: boolean,
  wasteful: boolean,
): void {
  const mask = masked ? 0x80 : 0;
  const { length } = payload;
  if (length > 0xffff || wasteful) {
    stream.push(first, mask | 127, 0, 0, 0, 0, 0, length >> 16, length >> 8 & 0xff, length & 0xff);
  } else if (length > 125) stream.push(first, mask | 126, length >> 8, length & 0xff);
  else stream.push(first, mask | length);
  const key = masked ? [first, 0x55, length & 0xff, 0xc3] : [0, 0, 0, 0];
  if (masked) stream.push(...key);
  for (let i = 0; i < length; i++) stream.push(payload[i]! ^ key[i & 3]!);
}
