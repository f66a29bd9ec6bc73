// What a connection needs while a frame or a message of its peer is under way: the decoder of
// frames, the assembler of messages, and the payload of a control frame that a chunk cut.
//
// Between messages, which is where a connection is nearly all the time, none of it holds anything.
// So connections hand one around, and one that is idle has none: of many thousands, only those in
// the middle of something pay for it. What frames mean is connection.ts's.

import type { MessageDeflate } from "./deflate/transform.ts";
import type { ConnectionEvent } from "./events.ts";
import { FrameDecoder } from "./frame/decoder.ts";
import { CONTROL, DEFLATE_RULES, PLAIN_RULES } from "./frame/header.ts";
import type { Limits } from "./limits.ts";
import { type Delivery, MessageAssembler } from "./message.ts";
import { Pieces } from "./pieces.ts";

/** What is common to all receivers of a pool. */
export interface Reception extends Delivery {
  /** Whether the peer's frames must be masked. */
  readonly masked: boolean;
  /** Whether chunks are only lent, so that what refers to them must be copied. */
  readonly lent: boolean;
  /** Whether messages may be compressed. */
  readonly compressed: boolean;
}

/** Reads what the peer sends. */
export class Receiver {
  readonly #decoder: FrameDecoder;
  readonly #assembler: MessageAssembler;
  /** The payload so far of a control frame that a chunk cut. */
  #control: Pieces | undefined;

  constructor(reception: Reception, limits: Limits) {
    const rules = reception.compressed ? DEFLATE_RULES : PLAIN_RULES;
    this.#decoder = new FrameDecoder(rules, reception.masked, reception.lent);
    this.#assembler = new MessageAssembler(limits.maxMessageSize, reception);
  }

  /** Takes the next chunk. */
  push(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
  }

  /**
   * Moves to the next piece of a frame; false when the chunk is used up.
   *
   * @throws {ProtocolError} for a header that breaks a rule
   */
  next(): boolean {
    return this.#decoder.next();
  }

  /** The opcode of the frame that the piece is of. */
  get opcode(): number {
    return this.#decoder.opcode;
  }

  /** Whether the piece is of a control frame. */
  get control(): boolean {
    return (this.#decoder.opcode & CONTROL) !== 0;
  }

  /**
   * The message, or the piece of one, that the piece of a data frame gives.
   *
   * @throws {ProtocolError} for a rule of messages that the peer broke
   */
  message(deflate: MessageDeflate | undefined): ConnectionEvent | undefined {
    return this.#assembler.accept(this.#decoder, deflate);
  }

  /** The payload of the control frame, once it is whole. */
  controlPayload(): Uint8Array | undefined {
    const { chunk, start, end, first, last } = this.#decoder;
    if (first && last) return this.#decoder.keep().subarray(start, end);
    this.#control ??= new Pieces();
    this.#control.append(chunk, start, end);
    return last ? this.#control.join() : undefined;
  }

  /**
   * Lets go of a message that will never be whole. An engine's stack traces hold on to what threw,
   * and so to this receiver.
   */
  discard(): void {
    this.#assembler.discard();
  }

  /**
   * Lets go of the chunk; returns whether nothing is under way, and any connection may go on with
   * this receiver.
   */
  release(): boolean {
    return this.#decoder.release() && this.#assembler.between;
  }
}

/**
 * Receivers for connections of one kind. One that is not in use is enough: a connection gives its
 * back before the next takes it.
 */
export class ReceiverPool {
  readonly #reception: Reception;
  readonly #limits: Limits;
  #spare: Receiver | undefined;

  constructor(reception: Reception, limits: Limits) {
    this.#reception = reception;
    this.#limits = limits;
  }

  take(): Receiver {
    const receiver = this.#spare ?? new Receiver(this.#reception, this.#limits);
    this.#spare = undefined;
    return receiver;
  }

  /** Takes back one whose `release` returned true. */
  giveBack(receiver: Receiver): void {
    this.#spare = receiver;
  }
}

// By what distinguishes them: the limits, which a server gives to all its connections, and then the
// bits of the reception.
const pools = new WeakMap<Limits, (ReceiverPool | undefined)[]>();

/** The pool for such connections. */
export function receiverPool(reception: Reception, limits: Limits): ReceiverPool {
  let kinds = pools.get(limits);
  if (kinds === undefined) pools.set(limits, kinds = []);
  return kinds[kindOf(reception)] ??= new ReceiverPool(reception, limits);
}

function kindOf({ masked, lent, compressed, messages, text }: Reception): number {
  const bits = [masked, lent, compressed, messages === "pieces", text === "bytes"];
  return bits.reduce((kind, bit) => kind << 1 | Number(bit), 0);
}
