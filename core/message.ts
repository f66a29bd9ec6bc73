// Pieces of frames in, messages out: RFC 6455 §5.4 (fragmentation), §8.1 (UTF-8), RFC 7692 §6.2
// (compressed messages), and the limit on a message's size.
//
// A message in one uncompressed frame in one chunk, which most are, is taken straight from the
// chunk. Control frames never come here.

import { concat } from "./bytes.ts";
import type { MessageDeflate } from "./deflate/transform.ts";
import { ProtocolError } from "./errors.ts";
import type { ConnectionEvent } from "./events.ts";
import type { FrameDecoder } from "./frame/decoder.ts";
import { Opcode } from "./frame/header.ts";
import { Pieces } from "./pieces.ts";
import { decodeUtf8, requireUtf8, Utf8Validator } from "./utf8.ts";

/** How messages are handed over. */
export interface Delivery {
  /** Whole messages (the default), or their pieces as they arrive. */
  readonly messages?: "whole" | "pieces" | undefined;
  /** Text as strings (the default), or as checked bytes of UTF-8. */
  readonly text?: "string" | "bytes" | undefined;
}

const NOTHING = new Uint8Array(0);

/** Puts messages together from the pieces of their frames. */
export class MessageAssembler {
  readonly #limit: number;
  readonly #whole: boolean;
  readonly #strings: boolean;

  // The message under way
  /** Its opcode; `continuation` when there is no message. */
  #opcode: number = Opcode.continuation;
  #compressed = false;
  /** Bytes of content so far, inflated. */
  #size = 0;
  #pieces: Pieces | undefined;
  #utf8: Utf8Validator | undefined;
  /**
   * The beginning of a character that the next piece will go on with; only where pieces are handed
   * over.
   */
  #held: Uint8Array = NOTHING;

  /** `limit` is in bytes of content. */
  constructor(limit: number, delivery: Delivery) {
    this.#limit = limit;
    this.#whole = delivery.messages !== "pieces";
    this.#strings = delivery.text !== "bytes";
  }

  /**
   * Takes the piece that the decoder stands on; returns the message, or the piece of one, that it
   * gives. `deflate` is the connection's, if messages may be compressed.
   *
   * @throws {ProtocolError} for a rule of messages that the peer broke
   */
  accept(frame: FrameDecoder, deflate: MessageDeflate | undefined): ConnectionEvent | undefined {
    if (frame.first) this.#beginFrame(frame);
    const final = frame.last && frame.fin;
    if (this.#compressed) {
      const content = this.#inflate(frame, final, deflate!);
      return this.#content(content, 0, content.length, 0, final);
    }
    const chunk = this.#refersToPiece(final) ? frame.keep() : frame.chunk;
    return this.#content(chunk, frame.start, frame.end, frame.remaining, final);
  }

  /** Lets go of a message that will never be whole. */
  discard(): void {
    this.#pieces = undefined;
    this.#held = NOTHING;
  }

  /** Whether no message is under way. */
  get between(): boolean {
    return this.#opcode === Opcode.continuation;
  }

  #beginFrame(frame: FrameDecoder): void {
    const underWay = this.#opcode !== Opcode.continuation;
    if (frame.opcode !== Opcode.continuation) {
      if (underWay) throw new ProtocolError("continuation-expected");
      this.#opcode = frame.opcode;
      this.#compressed = frame.rsv1;
      this.#size = 0;
    } else if (!underWay) {
      throw new ProtocolError("continuation-unexpected");
    }
    // Before any of the payload has come. A compressed frame says nothing about the size of its
    // content.
    if (!this.#compressed && frame.length > this.#limit - this.#size) {
      throw new ProtocolError("message-too-big");
    }
  }

  /** Whether the event that the piece gives will be a view of it. */
  #refersToPiece(final: boolean): boolean {
    if (this.#strings && this.#opcode === Opcode.text) return false;
    return !this.#whole || (final && this.#size === 0);
  }

  #inflate(frame: FrameDecoder, final: boolean, deflate: MessageDeflate): Uint8Array {
    const room = this.#limit - this.#size;
    const body = deflate.inflate(frame.chunk.subarray(frame.start, frame.end), room);
    if (!final) return body;
    const tail = deflate.finish(room - body.length);
    return tail.length === 0 ? body : concat([body, tail]);
  }

  /** `announced` is how many more bytes the frame says it has. */
  #content(
    bytes: Uint8Array,
    start: number,
    end: number,
    announced: number,
    final: boolean,
  ): ConnectionEvent | undefined {
    if (!this.#whole) return this.#handOver(bytes, start, end, final);
    if (final && this.#size === 0) return this.#complete(bytes, start, end);
    this.#size += end - start;
    // Compressed text is checked when it is whole: how much of it a fault in the compression leaves
    // to check hangs on where the chunks were cut, and which of two faults is told must not.
    if (this.#opcode === Opcode.text && !this.#compressed) {
      this.#checkUtf8(bytes, start, end, final);
    }
    this.#pieces ??= new Pieces();
    this.#pieces.append(bytes, start, end, announced);
    if (!final) return undefined;
    const joined = this.#pieces.join();
    return this.#complete(joined, 0, joined.length);
  }

  /** The event for a whole message. */
  #complete(bytes: Uint8Array, start: number, end: number): ConnectionEvent {
    const opcode = this.#opcode;
    this.#opcode = Opcode.continuation;
    if (opcode === Opcode.binary) return { type: "binary", data: bytes.subarray(start, end) };
    if (this.#strings) return { type: "text", data: decodeUtf8(bytes, start, end) };
    return { type: "utf8", data: requireUtf8(bytes, start, end) };
  }

  /** The event for a piece of a message; none when it is empty and not the last. */
  #handOver(
    bytes: Uint8Array,
    start: number,
    end: number,
    final: boolean,
  ): ConnectionEvent | undefined {
    this.#size += end - start;
    const text = this.#opcode === Opcode.text;
    if (text) this.#checkUtf8(bytes, start, end, final);
    if (final) this.#opcode = Opcode.continuation;
    const piece = bytes.subarray(start, end);
    const data = text && this.#strings ? this.#wholeCharacters(piece) : piece;
    if (data.length === 0 && !final) return undefined;
    return { type: "piece", opcode: text ? "text" : "binary", data, final };
  }

  #checkUtf8(bytes: Uint8Array, start: number, end: number, final: boolean): void {
    this.#utf8 ??= new Utf8Validator();
    if (!this.#utf8.push(bytes, start, end)) throw new ProtocolError("text-not-utf8");
    if (final && this.#utf8.pending !== 0) throw new ProtocolError("text-not-utf8");
  }

  #wholeCharacters(data: Uint8Array): string {
    const bytes = this.#held.length === 0 ? data : concat([this.#held, data]);
    const end = bytes.length - this.#utf8!.pending;
    this.#held = end === bytes.length ? NOTHING : bytes.slice(end);
    return decodeUtf8(bytes, 0, end);
  }
}
