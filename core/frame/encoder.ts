// Frames out: RFC 6455 §5.2, written into an Output. A client's payload is copied and masked, a
// server's large payload goes by reference, and short text is encoded straight into the output.
// connection.ts decides whether the frame may be sent.

import { BY_REFERENCE_FROM, type Output } from "../output.ts";
import { utf8Encoder } from "../platform.ts";
import { writeUtf8 } from "../utf8.ts";
import { FIN, headerSize, writeHeader } from "./header.ts";
import { applyMask, freshKey, writeKey } from "./mask.ts";

// A UTF-16 code unit takes at most three bytes of UTF-8, so a shorter string always fits a block.
const ENCODE_IN_PLACE_BELOW = 8192;

/** Writes one frame; `first` is its first byte. An unmasked payload belongs to the output. */
export function writeFrame(out: Output, first: number, payload: Uint8Array, masked: boolean): void {
  const length = payload.length;
  const size = headerSize(length, masked);
  const inPlace = masked || length < BY_REFERENCE_FROM;
  const block = out.reserve(inPlace ? size + length : size);
  const start = out.position;
  const offset = writeHeader(block, start, first, length, masked);
  if (inPlace) block.set(payload, start + size);
  if (masked) maskPayload(block, offset, length);
  out.commit(inPlace ? size + length : size);
  if (!inPlace) out.push(payload);
}

/** Writes an uncompressed text message as one frame. */
export function writeTextFrame(out: Output, opcode: number, text: string, masked: boolean): void {
  if (text.length >= ENCODE_IN_PLACE_BELOW) {
    return writeFrame(out, FIN | opcode, utf8Encoder.encode(text), masked);
  }
  // The header's size depends on the encoded length. Guess it from the shortest encoding. Where the
  // real length crosses 125 or 65535 bytes the guess is wrong, and the payload moves up.
  const guessed = headerSize(text.length, masked);
  const block = out.reserve(guessed + 8 + text.length * 3);
  const start = out.position;
  const length = writeUtf8(block, start + guessed, text);
  const size = headerSize(length, masked);
  if (size !== guessed) block.copyWithin(start + size, start + guessed, start + guessed + length);
  const offset = writeHeader(block, start, FIN | opcode, length, masked);
  if (masked) maskPayload(block, offset, length);
  out.commit(size + length);
}

/** An unmasked frame, header and payload in one array. */
export function encodeServerFrame(first: number, payload: Uint8Array): Uint8Array {
  const size = headerSize(payload.length, false);
  const frame = new Uint8Array(size + payload.length);
  writeHeader(frame, 0, first, payload.length, false);
  frame.set(payload, size);
  return frame;
}

function maskPayload(block: Uint8Array, offset: number, length: number): void {
  const key = freshKey();
  writeKey(block, offset, key);
  applyMask(block, offset + 4, offset + 4 + length, key);
}
