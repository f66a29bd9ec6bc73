// The sending half of a connection: messages and control frames into output, RFC 6455 §5.4 to
// §5.6 and RFC 7692 §6.1. It knows whether a fragmented message is under way and how many pongs
// wait. connection.ts decides whether anything may be sent at all.

import { copyOf } from "./bytes.ts";
import type { MessageDeflate } from "./deflate/transform.ts";
import { UsageError } from "./errors.ts";
import { writeFrame, writeTextFrame } from "./frame/encoder.ts";
import { FIN, headerSize, MAX_SHORT_LENGTH, Opcode, RSV1 } from "./frame/header.ts";
import type { Liveness } from "./liveness.ts";
import { BY_REFERENCE_FROM, Output } from "./output.ts";
import { utf8Encoder } from "./platform.ts";
import type { PreparedMessage, SendOptions } from "./prepared.ts";

/** Writes messages and control frames. */
export class Sender {
  readonly #masked: boolean;
  readonly #deflate: MessageDeflate | undefined;
  readonly #liveness: Liveness;
  readonly #maxReplies: number;
  readonly #shares: boolean;
  readonly #output = new Output();

  /** The opcode of the message sent in fragments; `continuation` when there is none. */
  #fragmented: number = Opcode.continuation;
  #fragmentsCompressed = false;
  /** The first half of a surrogate pair, which the next fragment completes. */
  #heldSurrogate = "";

  /** Bytes of pongs in the output. */
  #replies = 0;
  /** The latest ping that found the output full of pongs. */
  #owedPong: Uint8Array | undefined;
  #keepAliveWaits = false;
  /** The Close frame's payload, while messages may still go in front of it. */
  #owedClose: Uint8Array | undefined;

  /** `maxReplies` bounds the bytes of pongs that wait. */
  constructor(
    masked: boolean,
    deflate: MessageDeflate | undefined,
    liveness: Liveness,
    maxReplies: number,
    output: "owned" | "shared" | undefined,
  ) {
    this.#masked = masked;
    this.#deflate = deflate;
    this.#liveness = liveness;
    this.#maxReplies = maxReplies;
    this.#shares = output === "shared";
  }

  get pending(): number {
    const { size } = this.#output;
    if (this.#owedPong === undefined && this.#owedClose === undefined) return size;
    return size + this.#controlSize(this.#owedPong) + this.#controlSize(this.#owedClose);
  }

  /** Whether a Close frame waits for `take`, behind whatever is sent until then. */
  get owesClose(): boolean {
    return this.#owedClose !== undefined;
  }

  take(): Uint8Array[] {
    if (this.#owedClose === undefined) this.#sendOwedPong();
    else this.close(this.#owedClose);
    this.#replies = 0;
    this.#keepAliveWaits = false;
    return this.#output.take();
  }

  text(text: string, options: SendOptions | undefined): void {
    this.#beginMessage();
    if (this.#compresses(text.length, options)) {
      this.#compressed(Opcode.text, utf8Encoder.encode(text));
    } else {
      writeTextFrame(this.#output, Opcode.text, text, this.#masked);
    }
  }

  binary(bytes: Uint8Array, options: SendOptions | undefined): void {
    this.#beginMessage();
    if (this.#compresses(bytes.length, options)) this.#compressed(Opcode.binary, bytes);
    else writeFrame(this.#output, FIN | Opcode.binary, bytes, this.#masked);
  }

  prepared(message: PreparedMessage): void {
    this.#beginMessage();
    const deflate = this.#deflate;
    if (!this.#compresses(message.payload.length, message)) {
      if (this.#masked) writeFrame(this.#output, FIN | message.opcode, message.payload, true);
      else this.#prepared(message.plainFrame);
    } else if (this.#masked || deflate!.shareKey === undefined) {
      this.#compressed(message.opcode, message.payload);
    } else {
      this.#prepared(message.sharedFrame(deflate!.shareKey, deflate!));
    }
  }

  // A small frame behind others joins their block: one more chunk to write costs more than a copy.
  #prepared(frame: Uint8Array): void {
    const alone = this.#output.size === 0 || frame.length >= BY_REFERENCE_FROM;
    if (this.#shares && alone) this.#output.push(frame);
    else this.#output.copy(frame);
  }

  fragment(data: string | Uint8Array, final: boolean, options: SendOptions | undefined): void {
    const opcode = typeof data === "string" ? Opcode.text : Opcode.binary;
    const first = this.#fragmented === Opcode.continuation;
    if (first) {
      this.#fragmentsCompressed = this.#deflate !== undefined && options?.compress !== false;
    } else if (opcode !== this.#fragmented) {
      throw new UsageError(
        "a fragment must be of the kind of its message: all strings, or all bytes",
      );
    }
    this.#fragmented = final ? Opcode.continuation : opcode;
    this.#liveness.messageSent();
    const payload = typeof data === "string" ? this.#encodeFragment(data, final) : data;
    const body = this.#fragmentsCompressed ? this.#deflate!.compress(payload, final) : payload;
    const start = first ? opcode | (this.#fragmentsCompressed ? RSV1 : 0) : Opcode.continuation;
    writeFrame(this.#output, start | (final ? FIN : 0), body, this.#masked);
  }

  control(opcode: number, payload: Uint8Array): void {
    if (payload.length > MAX_SHORT_LENGTH) {
      throw new UsageError(
        `a control frame carries at most ${MAX_SHORT_LENGTH} bytes, not ${payload.length}`,
      );
    }
    writeFrame(this.#output, FIN | opcode, payload, this.#masked);
  }

  // One waiting ping is enough: a second only lengthens the queue of a peer that does not read.
  keepAlive(now: number): void {
    if (this.#keepAliveWaits) return;
    this.#keepAliveWaits = true;
    writeFrame(this.#output, FIN | Opcode.ping, this.#liveness.beginPing(now), this.#masked);
  }

  // Past the bound, only "the most recently processed Ping frame" is answered (RFC 6455 §5.5.3).
  answerPing(payload: Uint8Array): void {
    if (this.#replies >= this.#maxReplies) {
      this.#owedPong = copyOf(payload);
      return;
    }
    this.#replies += this.#controlSize(payload);
    writeFrame(this.#output, FIN | Opcode.pong, payload, this.#masked);
  }

  /** Writes the Close frame, which is the last. */
  close(payload: Uint8Array): void {
    this.#sendOwedPong();
    writeFrame(this.#output, FIN | Opcode.close, payload, this.#masked);
    this.#owedClose = undefined;
  }

  /** Writes the Close frame when the output is taken: messages until then go in front of it. */
  closeLater(payload: Uint8Array): void {
    this.#owedClose = payload;
  }

  #beginMessage(): void {
    if (this.#fragmented === Opcode.continuation) return this.#liveness.messageSent();
    throw new UsageError("a fragmented message is under way: end it before another message begins");
  }

  #compresses(length: number, options: SendOptions | undefined): boolean {
    return this.#deflate !== undefined && length >= this.#deflate.threshold
      && options?.compress !== false;
  }

  #compressed(opcode: number, payload: Uint8Array): void {
    const body = this.#deflate!.compress(payload, true);
    writeFrame(this.#output, FIN | RSV1 | opcode, body, this.#masked);
  }

  // Half a surrogate pair would become U+FFFD, so it waits for the other half.
  #encodeFragment(data: string, final: boolean): Uint8Array {
    const text = this.#heldSurrogate + data;
    const last = text.charCodeAt(text.length - 1);
    const cut = !final && last >= 0xd800 && last <= 0xdbff;
    this.#heldSurrogate = cut ? text.slice(-1) : "";
    return utf8Encoder.encode(cut ? text.slice(0, -1) : text);
  }

  #controlSize(payload: Uint8Array | undefined): number {
    return payload === undefined ? 0 : headerSize(payload.length, this.#masked) + payload.length;
  }

  #sendOwedPong(): void {
    if (this.#owedPong === undefined) return;
    writeFrame(this.#output, FIN | Opcode.pong, this.#owedPong, this.#masked);
    this.#owedPong = undefined;
  }
}
