// Chunks in, pieces of frames out: RFC 6455 §5.2. A piece is the part of one frame's payload that
// lies in one chunk, unmasked in place. Headers are checked alone; message.ts checks their order.
// A cursor: `push` a chunk, then call `next` until it returns false. After each true the fields
// describe one piece, so no object is made per frame.

import { copyOf, NOTHING, Pieces } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import { CONTROL, FIN, type FirstByteRules, MASK, readUint32, RSV1 } from "./header.ts";
import { MAX_HEADER_SIZE, MAX_MEDIUM_LENGTH, MAX_SHORT_LENGTH } from "./header.ts";
import { applyMask, readKey, rotateKey } from "./mask.ts";

/** Splits a stream of chunks into pieces of frames. */
export class FrameDecoder {
  // The current frame
  opcode = 0;
  fin = false;
  rsv1 = false;
  /** Bytes of the whole payload. */
  length = 0;

  // The current piece: bytes `start` to `end` of `chunk`
  chunk: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  /** Whether the frame begins with this piece. Only such a piece can be empty and not the last. */
  first = false;
  /** Whether the frame ends with this piece. */
  last = true;
  /** Bytes of the payload after this piece. */
  remaining = 0;

  readonly #rules: FirstByteRules;
  readonly #mask: number;
  /** Whether the transport reuses a chunk's memory once the chunk is used up. */
  readonly #lent: boolean;
  /** Whether the memory of `chunk` stays as it is. */
  #kept = false;
  #offset = 0;
  #key = 0;
  /** The start of a header that the previous chunk cut off. */
  #spill: Uint8Array | undefined;
  #spilled = 0;
  /** The payload so far of a control frame that a chunk cut. */
  #control: Pieces | undefined;

  /** `masked`: the peer is a client, which "MUST mask all frames that it sends" (§5.1). */
  constructor(rules: FirstByteRules, masked: boolean, lent: boolean = false) {
    this.#rules = rules;
    this.#mask = masked ? MASK : 0;
    this.#lent = lent;
  }

  /** Sets the next chunk, once `next` has returned false. The chunk is unmasked in place. */
  push(chunk: Uint8Array): void {
    this.chunk = chunk;
    this.#offset = 0;
    this.#kept = !this.#lent;
  }

  /** The chunk, as an event may refer to it. Copies a lent one once: cheaper than every message. */
  keep(): Uint8Array {
    if (!this.#kept) this.chunk = copyOf(this.chunk);
    this.#kept = true;
    return this.chunk;
  }

  /** Drops the chunk, which is used up. */
  release(): void {
    this.chunk = NOTHING;
    this.#offset = 0;
  }

  /** Whether no frame is under way. */
  get between(): boolean {
    return this.last && this.#spilled === 0;
  }

  /**
   * Moves to the next piece; returns false when the chunk is used up.
   * @throws {ProtocolError} for a violation in a header
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

  /** The payload of the current control frame, once it is whole. */
  wholePayload(): Uint8Array | undefined {
    if (this.first && this.last) return this.keep().subarray(this.start, this.end);
    this.#control ??= new Pieces();
    this.#control.append(this.chunk, this.start, this.end);
    return this.last ? this.#control.join() : undefined;
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

  // Keeps the start of a header, at most 13 bytes, for the next chunk. No other bytes are copied.
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

  /** Reads the header at `offset`; returns its size, or 0 when it is not complete before `end`. */
  #parseHeader(bytes: Uint8Array, offset: number, end: number): number {
    if (end - offset < 2) return 0;
    const first = bytes[offset]!;
    const second = bytes[offset + 1]!;
    this.#checkFirstBytes(first, second);
    const length7 = second & 0x7f;
    const lengthSize = length7 <= MAX_SHORT_LENGTH ? 0 : length7 === 126 ? 2 : 8;
    const size = 2 + lengthSize + (this.#mask === 0 ? 0 : 4);
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
    const violation = this.#rules[first];
    if (violation !== undefined) throw new ProtocolError(violation);
    if ((second & MASK) !== this.#mask) {
      throw new ProtocolError(this.#mask === 0 ? "mask-unexpected" : "mask-missing");
    }
    if ((first & CONTROL) !== 0 && (second & 0x7f) > MAX_SHORT_LENGTH) {
      throw new ProtocolError("control-too-long");
    }
  }
}

// A legal length above 2^53 is rounded. That is harmless: no transport delivers so many bytes.
function extendedLength(bytes: Uint8Array, offset: number, size: number): number {
  if (size === 8 && bytes[offset]! >= 0x80) throw new ProtocolError("length-too-large");
  const length = size === 2
    ? bytes[offset]! << 8 | bytes[offset + 1]!
    : readUint32(bytes, offset) * 0x1_0000_0000 + readUint32(bytes, offset + 4);
  if (length <= (size === 2 ? MAX_SHORT_LENGTH : MAX_MEDIUM_LENGTH)) {
    throw new ProtocolError("length-not-minimal");
  }
  return length;
}
