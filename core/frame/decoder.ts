// Chunks in, pieces of frames out: RFC 6455 §5.2. A piece is what one chunk holds of one frame's
// payload, unmasked in place.
//
// The decoder is read like a cursor: `push` a chunk, then `next` until it returns false; after each
// true its fields describe one piece. It makes no object per frame. It checks what a header alone
// can break; the order of frames is message.ts's affair.

import { ProtocolError } from "../errors.ts";
import type { FirstByteRules } from "./header.ts";
import {
  CONTROL,
  FIN,
  MASK,
  MAX_HEADER_SIZE,
  MAX_MEDIUM_LENGTH,
  MAX_SHORT_LENGTH,
  readUint32,
  RSV1,
} from "./header.ts";
import { applyMask, readKey, rotateKey } from "./mask.ts";

const NOTHING = new Uint8Array(0);

/** Splits a stream of chunks into pieces of frames. */
export class FrameDecoder {
  // The frame under way
  opcode = 0;
  fin = false;
  rsv1 = false;
  /** Bytes of the frame's whole payload. */
  length = 0;

  // The piece: bytes `start` to `end` of `chunk`
  chunk: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  /**
   * Whether the frame begins with this piece; only such a piece can be empty while the frame goes
   * on.
   */
  first = false;
  /** Whether the frame ends with this piece. */
  last = true;
  /** Bytes of the frame's payload behind this piece. */
  remaining = 0;

  // Reading
  /** Whether the memory of chunks is somebody else's again once they are used up. */
  readonly #lent: boolean;
  #kept = false;
  #offset = 0;
  #key = 0;
  readonly #rules: FirstByteRules;
  readonly #mask: number;
  /** The beginning of a header that the previous chunk cut off. */
  #spill: Uint8Array | undefined;
  #spilled = 0;

  /**
   * `masked` says whether the peer's frames must be masked: "a client MUST mask all frames that it
   * sends" (§5.1).
   */
  constructor(rules: FirstByteRules, masked: boolean, lent: boolean = false) {
    this.#rules = rules;
    this.#mask = masked ? MASK : 0;
    this.#lent = lent;
  }

  /** Takes the next chunk, when `next` has used up the one before; it will be unmasked in place. */
  push(chunk: Uint8Array): void {
    this.chunk = chunk;
    this.#offset = 0;
    this.#kept = !this.#lent;
  }

  /**
   * Returns the chunk with memory that stays as it is, which a view of the piece needs. A lent one
   * is copied, but only once: a copy of each message would cost more where there are many.
   */
  keep(): Uint8Array {
    if (!this.#kept) this.chunk = this.chunk.slice();
    this.#kept = true;
    return this.chunk;
  }

  /**
   * Lets go of the chunk; returns whether it ended with a frame, so that nothing of it is left to
   * remember.
   */
  release(): boolean {
    this.chunk = NOTHING;
    this.#offset = 0;
    return this.last && this.#spilled === 0;
  }

  /**
   * Moves to the next piece; false when the chunk is used up.
   *
   * @throws {ProtocolError} for a header that breaks a rule
   */
  next(): boolean {
    this.first = this.last;
    if (this.first) {
      if (!this.#readHeader()) return false;
    } else if (this.#offset === this.chunk.length) {
      return false;
    }
    this.start = this.#offset;
    const available = this.chunk.length - this.start;
    const size = this.remaining < available ? this.remaining : available;
    this.end = this.#offset = this.start + size;
    this.remaining -= size;
    this.last = this.remaining === 0;
    if (this.#mask !== 0 && size !== 0) this.#unmask(size);
    return true;
  }

  #unmask(size: number): void {
    applyMask(this.chunk, this.start, this.end, this.#key);
    this.#key = rotateKey(this.#key, size);
  }

  #readHeader(): boolean {
    if (this.#spilled !== 0) return this.#readSplitHeader();
    const size = this.#parseHeader(this.chunk, this.#offset, this.chunk.length);
    if (size === 0) return this.#keepRest();
    this.#offset += size;
    return true;
  }

  // What is left of the chunk is the beginning of a header, 13 bytes at most: the only bytes that
  // are ever copied to be read later.
  #keepRest(): boolean {
    const rest = this.chunk.length - this.#offset;
    if (rest !== 0) {
      this.#spill ??= new Uint8Array(MAX_HEADER_SIZE);
      this.#spill.set(this.chunk.subarray(this.#offset));
      this.#spilled = rest;
      this.#offset = this.chunk.length;
    }
    return false;
  }

  #readSplitHeader(): boolean {
    const spill = this.#spill!;
    const before = this.#spilled;
    const added = Math.min(MAX_HEADER_SIZE - before, this.chunk.length - this.#offset);
    spill.set(this.chunk.subarray(this.#offset, this.#offset + added), before);
    const size = this.#parseHeader(spill, 0, before + added);
    if (size === 0) {
      this.#spilled += added;
      this.#offset += added;
      return false;
    }
    this.#offset += size - before;
    this.#spilled = 0;
    return true;
  }

  /**
   * Reads the header at `offset`, where bytes up to `end` have arrived; returns its size, or 0 when
   * there are too few.
   */
  #parseHeader(bytes: Uint8Array, offset: number, end: number): number {
    if (end - offset < 2) return 0;
    const first = bytes[offset]!;
    const second = bytes[offset + 1]!;
    this.#checkFirstBytes(first, second);
    const length7 = second & 0x7f;
    const lengthSize = length7 <= MAX_SHORT_LENGTH ? 0 : length7 === 126 ? 2 : 8;
    const size = 2 + lengthSize + (this.#mask >>> 5);
    if (end - offset < size) return 0;
    this.length = lengthSize === 0 ? length7 : extendedLength(bytes, offset + 2, lengthSize);
    if (this.#mask !== 0) this.#key = readKey(bytes, offset + size - 4);
    this.opcode = first & 0x0f;
    this.fin = (first & FIN) !== 0;
    this.rsv1 = (first & RSV1) !== 0;
    this.remaining = this.length;
    return size;
  }

  #checkFirstBytes(first: number, second: number): void {
    const fault = this.#rules[first];
    if (fault !== undefined) throw new ProtocolError(fault);
    if ((second & MASK) !== this.#mask) {
      throw new ProtocolError(this.#mask === 0 ? "mask-unexpected" : "mask-missing");
    }
    if ((first & CONTROL) !== 0 && (second & 0x7f) > MAX_SHORT_LENGTH) {
      throw new ProtocolError("control-too-long");
    }
  }
}

// The check of the top bit comes before any arithmetic; a length that is legal but beyond 2^53 is
// only rounded, and no limit lets it pass.
function extendedLength(bytes: Uint8Array, offset: number, size: number): number {
  if (size === 2) {
    const length = bytes[offset]! << 8 | bytes[offset + 1]!;
    return atLeast(length, MAX_SHORT_LENGTH + 1);
  }
  if (bytes[offset]! >= 0x80) throw new ProtocolError("length-too-large");
  return atLeast(
    readUint32(bytes, offset) * 0x1_0000_0000 + readUint32(bytes, offset + 4),
    MAX_MEDIUM_LENGTH + 1,
  );
}

function atLeast(length: number, least: number): number {
  if (length < least) throw new ProtocolError("length-not-minimal");
  return length;
}
