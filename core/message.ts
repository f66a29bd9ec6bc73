// Pieces of frames in, messages out: RFC 6455 §5.4 (fragmentation), §8.1 (UTF-8), RFC 7692 §6.2
// (compressed messages), and the limit on a message's size. Control frames do not come here.
// A message in one frame in one chunk, as most are, is read straight from the chunk.

import { concat, copyOf, NOTHING, Pieces } from "./bytes.ts";
import type { MessageDeflate } from "./deflate/transform.ts";
import { ProtocolError } from "./errors.ts";
import type { ConnectionEvent } from "./events.ts";
import type { FrameDecoder } from "./frame/decoder.ts";
import { Opcode } from "./frame/header.ts";
import { decodeUtf8, requireUtf8, Utf8Validator } from "./utf8.ts";

/** The form in which messages are reported. */
export interface Delivery {
  /** Whole messages (the default), or their pieces as they arrive. */
  readonly messages?: "whole" | "pieces" | undefined;
  /** Text as strings (the default), or as checked UTF-8. */
  readonly text?: "string" | "bytes" | undefined;
}

/** Assembles messages from the pieces of their frames. */
export class MessageAssembler {
  readonly #limit: number;
  readonly #whole: boolean;
  readonly #strings: boolean;
  readonly #deflate: MessageDeflate | undefined;

  /** The current message's opcode; `continuation` between messages. */
  #opcode: number = Opcode.continuation;
  #compressed = false;
  /** Bytes of content so far, inflated. */
  #size = 0;
  #pieces: Pieces | undefined;
  #utf8: Utf8Validator | undefined;
  /** With `messages: "pieces"`: the start of a character that the next piece completes. */
  #held: Uint8Array = NOTHING;

  /** `limit` is in bytes of content. Without `deflate`, no frame may have RSV1 set. */
  constructor(limit: number, delivery: Delivery, deflate: MessageDeflate | undefined) {
    this.#limit = limit;
    this.#whole = delivery.messages !== "pieces";
    this.#strings = delivery.text !== "bytes";
    this.#deflate = deflate;
  }

  /**
   * Takes the decoder's current piece; returns the message that it completes, or its piece event.
   * @throws {ProtocolError} for a violation
   */
  accept(frame: FrameDecoder): ConnectionEvent | undefined {
    if (frame.first) this.#beginFrame(frame);
    const final = frame.last && frame.fin;
    if (this.#compressed) {
      const content = this.#inflate(frame, final);
      return this.#content(content, 0, content.length, 0, final);
    }
    const chunk = this.#refersToPiece(final) ? frame.keep() : frame.chunk;
    return this.#content(chunk, frame.start, frame.end, frame.remaining, final);
  }

  /** Whether no message is under way. */
  get between(): boolean {
    return this.#opcode === Opcode.continuation;
  }

  #beginFrame(frame: FrameDecoder): void {
    if (frame.opcode !== Opcode.continuation) {
      if (!this.between) throw new ProtocolError("continuation-expected");
      this.#opcode = frame.opcode;
      this.#compressed = frame.rsv1;
      this.#size = 0;
    } else if (this.between) {
      throw new ProtocolError("continuation-unexpected");
    }
    // Fails before the payload arrives. A compressed frame's length does not tell its content's.
    if (!this.#compressed && frame.length > this.#limit - this.#size) {
      throw new ProtocolError("message-too-big");
    }
  }

  /** Whether the event of this piece will be a view of the chunk. */
  #refersToPiece(final: boolean): boolean {
    if (this.#strings && this.#opcode === Opcode.text) return false;
    return !this.#whole || (final && this.#size === 0);
  }

  #inflate(frame: FrameDecoder, final: boolean): Uint8Array {
    const room = this.#limit - this.#size;
    const body = this.#deflate!.inflate(frame.chunk.subarray(frame.start, frame.end), room);
    if (!final) return body;
    const tail = this.#deflate!.finish(room - body.length);
    return tail.length === 0 ? body : concat([body, tail]);
  }

  /** `announced` is how many bytes of the frame follow. */
  #content(
    bytes: Uint8Array,
    start: number,
    end: number,
    announced: number,
    final: boolean,
  ): ConnectionEvent | undefined {
    if (!this.#whole) return this.#handOver(bytes.subarray(start, end), final);
    if (final && this.#size === 0) return this.#complete(bytes, start, end);
    this.#size += end - start;
    // Compressed text is checked when it is whole: corrupt DEFLATE comes first, however it was cut.
    if (this.#opcode === Opcode.text && !this.#compressed) {
      this.#checkUtf8(bytes, start, end, final);
    }
    this.#pieces ??= new Pieces();
    this.#pieces.append(bytes, start, end, announced);
    if (!final) return undefined;
    const joined = this.#pieces.join();
    return this.#complete(joined, 0, joined.length);
  }

  #complete(bytes: Uint8Array, start: number, end: number): ConnectionEvent {
    const opcode = this.#opcode;
    this.#opcode = Opcode.continuation;
    if (opcode === Opcode.binary) return { type: "binary", data: bytes.subarray(start, end) };
    if (this.#strings) return { type: "text", data: decodeUtf8(bytes, start, end) };
    return { type: "utf8", data: requireUtf8(bytes, start, end) };
  }

  /** The event of a piece; none when it is empty and not the last. */
  #handOver(piece: Uint8Array, final: boolean): ConnectionEvent | undefined {
    this.#size += piece.length;
    const text = this.#opcode === Opcode.text;
    if (text) this.#checkUtf8(piece, 0, piece.length, final);
    if (final) this.#opcode = Opcode.continuation;
    const data = text && this.#strings ? this.#wholeCharacters(piece) : piece;
    if (data.length === 0 && !final) return undefined;
    return { type: "piece", opcode: text ? "text" : "binary", data, final };
  }

  #checkUtf8(bytes: Uint8Array, start: number, end: number, final: boolean): void {
    const utf8 = this.#utf8 ??= new Utf8Validator();
    if (!utf8.push(bytes, start, end) || (final && utf8.pending !== 0)) {
      throw new ProtocolError("text-not-utf8");
    }
  }

  #wholeCharacters(data: Uint8Array): string {
    const bytes = this.#held.length === 0 ? data : concat([this.#held, data]);
    const end = bytes.length - this.#utf8!.pending;
    this.#held = end === bytes.length ? NOTHING : copyOf(bytes.subarray(end));
    return decodeUtf8(bytes, 0, end);
  }
}
