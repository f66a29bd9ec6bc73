// Connection: the state machine of an open WebSocket connection, RFC 6455 §5 to §8. Bytes and
// times go in; events, bytes and one deadline come out. It decides what may happen when.
// frame/decoder.ts reads frames, message.ts assembles messages, sender.ts writes, liveness.ts
// watches the time, closing.ts knows how a connection ends.

import { NOTHING } from "./bytes.ts";
import { type CloseInfo, decodeClose, encodeClose } from "./close.ts";
import { Closing } from "./closing.ts";
import type { MessageDeflate } from "./deflate/transform.ts";
import { ProtocolError, UsageError } from "./errors.ts";
import { type ConnectionEvent, NO_EVENTS } from "./events.ts";
import { FrameDecoder } from "./frame/decoder.ts";
import { CONTROL, DEFLATE_RULES, Opcode, PLAIN_RULES } from "./frame/header.ts";
import { type Limits, resolveLimits, resolveTimeouts, type Timeouts } from "./limits.ts";
import { Liveness } from "./liveness.ts";
import type { Machine } from "./machine.ts";
import { type Delivery, MessageAssembler } from "./message.ts";
import type { PreparedMessage, SendOptions } from "./prepared.ts";
import { Sender } from "./sender.ts";

/** How a connection is set up; a handshake does it from its own options. */
export interface ConnectionOptions extends Delivery {
  /** Which end this is: a client masks, a server ends the transport first. */
  readonly role: "client" | "server";
  /** Bounds on what the peer can make this end hold. Default {@linkcode DEFAULT_LIMITS}. */
  readonly limits?: Partial<Limits> | undefined;
  /** Milliseconds. Default {@linkcode DEFAULT_TIMEOUTS}; `handshake` has no effect here. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** permessage-deflate as negotiated (RFC 7692 §7.1); without it RSV1 is a violation. */
  readonly deflate?: MessageDeflate | undefined;
  /**
   * Who owns a received chunk. `"given"` (default): the connection; binary messages may be views of
   * it. `"lent"`: the caller again, once `receive` returns, so one buffer serves all reads.
   */
  readonly chunks?: "given" | "lent" | undefined;
  /**
   * Who owns the output. `"owned"` (default): the caller of `takeOutput`. `"shared"`: prepared
   * messages go out by reference, so the caller only reads the chunks.
   */
  readonly output?: "owned" | "shared" | undefined;
}

/**
 * One end of an open WebSocket connection. Nothing that a peer sends makes a method throw.
 *
 * - **Inputs** `receive`, `receiveEnd`, `tick`, `noteActivity`: what the transport and the clock
 *   did. They return the events that this caused.
 * - **Commands** `sendText`, `sendBinary`, `sendFragment`, `sendPrepared`, `ping`, `pong`, `close`:
 *   what the application wants. They throw `UsageError` for a mistake of the caller only.
 * - **Outputs** `takeOutput`, `pendingOutput`, `outputEnded`, `deadline`, `expired`: look at them
 *   after every input and every command.
 *
 * Times are milliseconds on any clock that never goes back. The whole loop of a host:
 *
 * ```ts
 * for (const event of connection.receive(chunk, now())) handle(event);
 * for (const bytes of connection.takeOutput()) write(bytes);
 * if (connection.outputEnded) endWriting();
 * if (connection.expired) dropTransport();
 * wakeUpAt(connection.deadline); // then: connection.tick(now())
 * ```
 */
export class Connection implements Machine<ConnectionEvent> {
  readonly #options: ConnectionOptions;
  // Only while a frame or a message is under way: the two are a quarter of an idle connection.
  #decoder: FrameDecoder | undefined;
  #assembler: MessageAssembler | undefined;
  readonly #deflate: MessageDeflate | undefined;
  readonly #sender: Sender;
  readonly #liveness: Liveness;
  readonly #closing: Closing;
  #events: ConnectionEvent[] | undefined;

  /**
   * A connection whose opening handshake is over; a handshake makes one itself.
   * @throws {UsageError} for an unknown or illegal limit or timeout
   */
  constructor(options: ConnectionOptions, now: number) {
    const limits = resolveLimits(options.limits);
    const timeouts = resolveTimeouts(options.timeouts);
    const { role, deflate, output } = options;
    const client = role === "client";
    this.#options = options;
    this.#deflate = deflate;
    this.#liveness = new Liveness(timeouts, now);
    this.#sender = new Sender(client, deflate, this.#liveness, limits.maxPendingReplies, output);
    this.#closing = new Closing(client, timeouts.close, this.#sender);
  }

  /** `closing` from the first Close frame or violation until `closed` was reported. */
  get state(): "open" | "closing" | "closed" {
    return this.#closing.state;
  }

  /**
   * Whether messages can be sent. If the peer ended the connection behind other input, answers to
   * that still go in front of the Close frame, until the output is taken.
   */
  get canSend(): boolean {
    const { state } = this.#closing;
    return state === "open" || (state === "closing" && this.#sender.owesClose);
  }

  /** The Close frame that this end sent. */
  get closeSent(): CloseInfo | undefined {
    return this.#closing.sent;
  }

  /** The Close frame that the peer sent. */
  get closeReceived(): CloseInfo | undefined {
    return this.#closing.received;
  }

  /** Milliseconds from the last answered keep-alive ping to its pong; `undefined` before it. */
  get roundTripTime(): number | undefined {
    return this.#liveness.roundTripTime;
  }

  /** Takes the next bytes, which are unmasked in place; see `ConnectionOptions.chunks`. */
  receive(chunk: Uint8Array, now: number): readonly ConnectionEvent[] {
    if (this.#closing.outcome !== undefined || chunk.length === 0) return NO_EVENTS;
    this.#liveness.heard();
    const decoder = this.#decoder ??= this.#createDecoder();
    try {
      decoder.push(chunk);
      while (this.#closing.outcome === undefined && decoder.next()) {
        this.#receivePiece(decoder, now);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fail(error, "violation", now);
    }
    decoder.release();
    if (decoder.between && this.#assembler?.between !== false) {
      this.#decoder = this.#assembler = undefined;
    }
    return this.#takeEvents();
  }

  /**
   * The transport has ended in this direction, or is gone; `error` is the reason, if it failed.
   * The connection is closed then, and the transport has `timeouts.close` to be gone.
   */
  receiveEnd(now: number, error?: Error): readonly ConnectionEvent[] {
    if (this.#closing.state === "closed") return NO_EVENTS;
    this.#finish("lost", now, error);
    return this.#takeEvents();
  }

  /** Does what is due by `now`; an early call changes nothing. */
  tick(now: number): readonly ConnectionEvent[] {
    if (this.#closing.state === "open") {
      const finding = this.#liveness.check(now);
      if (finding === "ping-due") this.#sender.keepAlive(now);
      else if (finding !== undefined) this.#fail(new ProtocolError(finding), "timeout", now);
    } else if (now >= this.#closing.deadline) {
      if (this.#closing.state === "closing") this.#finish("timeout", now);
      this.#closing.expire();
    }
    return this.#takeEvents();
  }

  /**
   * Counts as a sign of the peer's life, for a host that has stopped reading, or that sees the peer
   * take what was written: such a silence is not the peer's fault.
   */
  noteActivity(): void {
    this.#liveness.heard();
  }

  /**
   * Sends a text message. Lone surrogates become U+FFFD.
   * @throws {UsageError} when the connection is not open, or a fragmented message is under way
   */
  sendText(text: string, options?: SendOptions): void {
    this.#requireOpen().text(text, options);
  }

  /**
   * Sends a binary message. The bytes belong to the connection until they have left: a server does
   * not copy large ones.
   * @throws {UsageError} when the connection is not open, or a fragmented message is under way
   */
  sendBinary(bytes: Uint8Array, options?: SendOptions): void {
    this.#requireOpen().binary(bytes, options);
  }

  /**
   * Sends the next part of a message as a frame of its own (§5.4). The first part, string or
   * bytes, decides the kind of the message; its options are those of the whole message.
   * @throws {UsageError} when the connection is not open, or the part is of another kind
   */
  sendFragment(data: string | Uint8Array, final: boolean, options?: SendOptions): void {
    this.#requireOpen().fragment(data, final, options);
  }

  /**
   * Sends a message that was prepared once for many connections.
   * @throws {UsageError} when the connection is not open, or a fragmented message is under way
   */
  sendPrepared(message: PreparedMessage): void {
    this.#requireOpen().prepared(message);
  }

  /**
   * Sends a ping of at most 125 bytes (§5.5.2).
   * @throws {UsageError} when the payload is longer, or the connection is not open
   */
  ping(payload: Uint8Array = NOTHING): void {
    this.#requireOpen().control(Opcode.ping, payload);
  }

  /**
   * Sends a pong of at most 125 bytes that answers no ping (§5.5.3). Pings need no call.
   * @throws {UsageError} when the payload is longer, or the connection is not open
   */
  pong(payload: Uint8Array = NOTHING): void {
    this.#requireOpen().control(Opcode.pong, payload);
  }

  /**
   * Begins the closing handshake (§7.1.2). A connection that is closing or closed ignores it.
   * @param code 1000-1003, 1007-1014 or 3000-4999; 1005 for a Close frame without a code
   * @param reason at most 123 bytes of UTF-8; a longer one is cut after a whole character
   * @throws {UsageError} for any other code
   */
  close(code: number, reason: string, now: number): void {
    const payload = encodeClose(code, reason);
    if (this.#closing.state === "open") this.#closing.send(payload, false, now);
  }

  /** Takes all bytes to write now, in order. */
  takeOutput(): Uint8Array[] {
    return this.#sender.take();
  }

  /** Bytes that `takeOutput` would return. */
  get pendingOutput(): number {
    return this.#sender.pending;
  }

  /** Whether to end the transport's output once the pending bytes are written. */
  get outputEnded(): boolean {
    return this.#closing.outputEnded && !this.canSend;
  }

  /** When to call `tick`; `Infinity` for never. */
  get deadline(): number {
    const { state, deadline } = this.#closing;
    return state === "open" ? this.#liveness.deadline : deadline;
  }

  /** Whether the peer has had its time to end the transport: drop it. */
  get expired(): boolean {
    return this.#closing.expired;
  }

  #createDecoder(): FrameDecoder {
    const { role, chunks } = this.#options;
    const rules = this.#deflate === undefined ? PLAIN_RULES : DEFLATE_RULES;
    return new FrameDecoder(rules, role === "server", chunks === "lent");
  }

  #createAssembler(): MessageAssembler {
    const { maxMessageSize } = resolveLimits(this.#options.limits);
    return new MessageAssembler(maxMessageSize, this.#options, this.#deflate);
  }

  #receivePiece(decoder: FrameDecoder, now: number): void {
    const { opcode } = decoder;
    if ((opcode & CONTROL) !== 0) {
      const payload = decoder.wholePayload();
      if (payload !== undefined) this.#receiveControl(opcode, payload, now);
    } else {
      const event = (this.#assembler ??= this.#createAssembler()).accept(decoder);
      if (event === undefined) return;
      this.#liveness.messageReceived(now);
      this.#emit(event);
    }
  }

  #receiveControl(opcode: number, payload: Uint8Array, now: number): void {
    if (opcode === Opcode.close) {
      this.#receiveClose(payload, now);
    } else if (opcode === Opcode.ping) {
      // Nothing may follow a Close frame of our own, not even a pong (§5.5.1).
      if (this.#closing.state === "open") this.#sender.answerPing(payload);
      this.#emit({ type: "ping", data: payload });
    } else {
      this.#liveness.pongReceived(payload, now);
      this.#emit({ type: "pong", data: payload });
    }
  }

  #receiveClose(payload: Uint8Array, now: number): void {
    const info = decodeClose(payload);
    if (typeof info === "string") throw new ProtocolError(info);
    const began = this.#closing.receive(info, payload, this.#events !== undefined, now);
    if (began) this.#emit({ type: "closing", ...info });
    this.#assembler = undefined;
  }

  #requireOpen(): Sender {
    if (this.canSend) return this.#sender;
    throw new UsageError(`the connection is ${this.state}: nothing can be sent on it`);
  }

  #fail(error: ProtocolError, cause: "violation" | "timeout", now: number): void {
    this.#closing.fail(error, cause, this.#events !== undefined, now);
    this.#assembler = undefined;
  }

  #finish(cause: "lost" | "timeout", now: number, error?: Error): void {
    this.#emit(this.#closing.finish(cause, now, error));
    this.#assembler = undefined;
    this.#deflate?.close();
  }

  #emit(event: ConnectionEvent): void {
    if (this.#events === undefined) this.#events = [event];
    else this.#events.push(event);
  }

  #takeEvents(): readonly ConnectionEvent[] {
    const events = this.#events ?? NO_EVENTS;
    this.#events = undefined;
    return events;
  }
}
