// Connection: the state machine of an open WebSocket connection, RFC 6455 §5 to §8. Bytes and
// times go in; events, bytes and one deadline come out.
//
// This file decides what may happen when, and how a connection ends. Frames are read by
// frame/decoder.ts and become messages in message.ts; sender.ts writes; liveness.ts watches time.

import { Pieces } from "./bytes.ts";
import { CloseCode, type CloseInfo, decodeClose, encodeClose } from "./close.ts";
import type { MessageDeflate } from "./deflate/transform.ts";
import { ProtocolError, UsageError } from "./errors.ts";
import { type ClosedEvent, type ConnectionEvent, NO_EVENTS } from "./events.ts";
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
   * Whose memory the received chunks are. `"given"` (default): the connection's, and binary
   * messages may be views of them. `"lent"`: the caller's again when `receive` returns, so one
   * buffer serves all reads.
   */
  readonly chunks?: "given" | "lent" | undefined;
  /**
   * Whose memory the output is. `"owned"` (default): the caller's of `takeOutput`, to do with as it
   * likes. `"shared"`: prepared messages go out by reference, so the caller only reads the chunks.
   */
  readonly output?: "owned" | "shared" | undefined;
}

const NOTHING = new Uint8Array(0);

/**
 * One end of an open WebSocket connection.
 *
 * - **Inputs** `receive`, `receiveEnd`, `tick`, `noteActivity`: what the transport and the clock
 *   did. They return the events that this caused.
 * - **Commands** `sendText`, `sendBinary`, `sendFragment`, `sendPrepared`, `ping`, `pong`, `close`:
 *   what the application wants. They throw `UsageError`, and never for what the peer did.
 * - **Outputs** `takeOutput`, `pendingOutput`, `outputEnded`, `deadline`, `expired`: look at them
 *   after every input and every command.
 * - **Getters** `state`, `closeSent`, `closeReceived`, `roundTripTime`.
 *
 * The whole loop of a host:
 *
 * ```ts
 * for (const event of connection.receive(chunk, now())) handle(event);
 * for (const bytes of connection.takeOutput()) write(bytes);
 * if (connection.outputEnded) endWriting();
 * if (connection.expired) dropTransport();
 * wakeUpAt(connection.deadline); // then: connection.tick(now())
 * ```
 *
 * Times are milliseconds on any clock that never goes back. Nothing that a peer sends makes a
 * method throw.
 */
export class Connection implements Machine<ConnectionEvent> {
  // Receiving
  readonly #decoder: FrameDecoder;
  readonly #assembler: MessageAssembler;
  /** The payload so far of a control frame that a chunk cut. */
  #control: Pieces | undefined;
  /** After the peer's Close or violation, its input has no meaning (§1.4, §7.1.7). */
  #discarding = false;
  #events: ConnectionEvent[] | undefined;

  // Sending
  readonly #sender: Sender;
  readonly #deflate: MessageDeflate | undefined;

  // Closing
  readonly #client: boolean;
  #state: "open" | "closing" | "closed" = "open";
  #closeSent: CloseInfo | undefined;
  #closeReceived: CloseInfo | undefined;
  #outputEnded = false;
  /** What `closed` will say, once it is settled. */
  #outcome: ClosedEvent | undefined;

  // Time
  readonly #liveness: Liveness;
  readonly #closeTimeout: number;
  /** The transport should have ended by then (§7.1.1). */
  #closeDeadline = Infinity;
  #expired = false;

  /**
   * A connection whose opening handshake is over; a handshake makes one itself.
   *
   * @throws {UsageError} for an unknown or illegal limit or timeout
   */
  constructor(options: ConnectionOptions, now: number) {
    const limits = resolveLimits(options.limits);
    const timeouts = resolveTimeouts(options.timeouts);
    const { role, deflate, chunks, output } = options;
    this.#client = role === "client";
    const rules = deflate === undefined ? PLAIN_RULES : DEFLATE_RULES;
    this.#decoder = new FrameDecoder(rules, !this.#client, chunks === "lent");
    this.#assembler = new MessageAssembler(limits.maxMessageSize, options);
    this.#sender = new Sender(this.#client, deflate, limits.maxPendingReplies, output === "shared");
    this.#deflate = deflate;
    this.#liveness = new Liveness(timeouts, now);
    this.#closeTimeout = timeouts.close;
  }

  // --- Getters ---

  /** `closing` from the first Close frame or violation until `closed` was reported. */
  get state(): "open" | "closing" | "closed" {
    return this.#state;
  }

  /**
   * Whether messages can be sent. It stays true for a moment when the peer ended the connection
   * behind other things it sent: answers to these, given before the output is taken, still go in
   * front of the Close frame.
   */
  get canSend(): boolean {
    return this.#state === "open" || (this.#state === "closing" && this.#sender.owesClose);
  }

  /** The Close frame that this end sent. */
  get closeSent(): CloseInfo | undefined {
    return this.#closeSent;
  }

  /** The Close frame that the peer sent. */
  get closeReceived(): CloseInfo | undefined {
    return this.#closeReceived;
  }

  /** Milliseconds from the last answered keep-alive ping to its pong; `undefined` before it. */
  get roundTripTime(): number | undefined {
    return this.#liveness.roundTripTime;
  }

  // --- Inputs ---

  /** Takes the next bytes, which are unmasked in place; see `ConnectionOptions.chunks`. */
  receive(chunk: Uint8Array, now: number): readonly ConnectionEvent[] {
    if (this.#discarding || chunk.length === 0) return NO_EVENTS;
    this.#liveness.heard();
    try {
      this.#decoder.push(chunk);
      while (!this.#discarding && this.#decoder.next()) this.#receivePiece(now);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fail(error, "violation", now);
    }
    this.#decoder.release();
    return this.#takeEvents();
  }

  /**
   * The transport has ended in this direction, or is gone; `error` is the reason, if it failed.
   * The connection is closed then, and the transport has `timeouts.close` to be gone.
   */
  receiveEnd(now: number, error?: Error): readonly ConnectionEvent[] {
    if (this.#state === "closed") return NO_EVENTS;
    this.#finish(this.#outcome ?? unclean("lost", error));
    this.#closeDeadline = now + this.#closeTimeout;
    return this.#takeEvents();
  }

  tick(now: number): readonly ConnectionEvent[] {
    if (now >= this.#closeDeadline) {
      this.#finish(this.#outcome ?? unclean("timeout"));
      this.#closeDeadline = Infinity;
      this.#expired = true;
    }
    const finding = this.#liveness.check(now);
    if (finding === "ping-due") this.#keepAlive(now);
    else if (finding !== undefined) this.#fail(new ProtocolError(finding), "timeout", now);
    return this.#takeEvents();
  }

  /**
   * Counts as a sign of the peer's life: for a host that has stopped reading, or that sees the peer
   * take what was written. A silence that is not the peer's fault is not held against it.
   */
  noteActivity(): void {
    this.#liveness.heard();
  }

  // --- Commands ---

  /**
   * Sends a text message. Lone surrogates become U+FFFD.
   *
   * @throws {UsageError} when the connection is not open, or a fragmented message is under way
   */
  sendText(text: string, options?: SendOptions): void {
    this.#requireOpen();
    this.#sender.text(text, options);
    this.#liveness.messageSent();
  }

  /**
   * Sends a binary message. The bytes belong to the connection until they have left: a server does
   * not copy large ones.
   *
   * @throws {UsageError} when the connection is not open, or a fragmented message is under way
   */
  sendBinary(bytes: Uint8Array, options?: SendOptions): void {
    this.#requireOpen();
    this.#sender.binary(bytes, options);
    this.#liveness.messageSent();
  }

  /**
   * Sends the next part of a message as a frame of its own (§5.4). The first part, string or
   * bytes, decides the kind of the message; its options are those of the whole message.
   *
   * @throws {UsageError} when the connection is not open, or the part is of another kind
   */
  sendFragment(data: string | Uint8Array, final: boolean, options?: SendOptions): void {
    this.#requireOpen();
    this.#sender.fragment(data, final, options);
    this.#liveness.messageSent();
  }

  /**
   * Sends a message that was prepared once for many connections.
   *
   * @throws {UsageError} when the connection is not open, or a fragmented message is under way
   */
  sendPrepared(message: PreparedMessage): void {
    this.#requireOpen();
    this.#sender.prepared(message);
    this.#liveness.messageSent();
  }

  /**
   * Sends a ping of at most 125 bytes (§5.5.2).
   *
   * @throws {UsageError} when the payload is longer, or the connection is not open
   */
  ping(payload: Uint8Array = NOTHING): void {
    this.#requireOpen();
    this.#sender.control(Opcode.ping, payload);
  }

  /**
   * Sends a pong that answers no ping, of at most 125 bytes (§5.5.3). Pings are answered without
   * it.
   *
   * @throws {UsageError} when the payload is longer, or the connection is not open
   */
  pong(payload: Uint8Array = NOTHING): void {
    this.#requireOpen();
    this.#sender.control(Opcode.pong, payload);
  }

  /**
   * Begins the closing handshake (§7.1.2). A connection that is closing or closed ignores it.
   *
   * @param code 1000-1003, 1007-1014 or 3000-4999; 1005 for a Close frame without a code
   * @param reason at most 123 bytes of UTF-8; a longer one is cut after a whole character
   * @throws {UsageError} for any other code
   */
  close(code: number, reason: string, now: number): void {
    const payload = encodeClose(code, reason);
    if (this.#state !== "open") return;
    // The payload holds what was sent: a long reason was cut.
    this.#sendClose(decodeClose(payload) as CloseInfo, payload);
    this.#beginClosing(now);
  }

  // --- Outputs ---

  takeOutput(): Uint8Array[] {
    return this.#sender.take();
  }

  get pendingOutput(): number {
    return this.#sender.pending;
  }

  get outputEnded(): boolean {
    return this.#outputEnded && !this.canSend;
  }

  get deadline(): number {
    return Math.min(this.#closeDeadline, this.#liveness.deadline);
  }

  get expired(): boolean {
    return this.#expired;
  }

  // --- Receiving ---

  #receivePiece(now: number): void {
    const decoder = this.#decoder;
    if ((decoder.opcode & CONTROL) !== 0) {
      const payload = this.#controlPayload();
      if (payload !== undefined) this.#receiveControl(decoder.opcode, payload, now);
    } else {
      const event = this.#assembler.accept(decoder, this.#deflate);
      if (event === undefined) return;
      this.#liveness.messageReceived(now);
      this.#emit(event);
    }
  }

  /** The payload of the control frame, once it is whole. */
  #controlPayload(): Uint8Array | undefined {
    const { chunk, start, end, first, last } = this.#decoder;
    if (first && last) return this.#decoder.keep().subarray(start, end);
    this.#control ??= new Pieces();
    this.#control.append(chunk, start, end);
    return last ? this.#control.join() : undefined;
  }

  #receiveControl(opcode: number, payload: Uint8Array, now: number): void {
    if (opcode === Opcode.close) {
      this.#receiveClose(payload, now);
    } else if (opcode === Opcode.ping) {
      // Nothing may follow a Close frame of our own, not even a pong (§5.5.1).
      if (this.#state === "open") this.#sender.answerPing(payload);
      this.#emit({ type: "ping", data: payload });
    } else {
      this.#liveness.pongReceived(payload, now);
      this.#emit({ type: "pong", data: payload });
    }
  }

  #receiveClose(payload: Uint8Array, now: number): void {
    const info = decodeClose(payload);
    if (typeof info === "string") throw new ProtocolError(info);
    this.#closeReceived = info;
    const cause = this.#state === "open" ? "peer" : "local";
    this.#outcome = { type: "closed", ...info, clean: true, cause };
    if (this.#state === "open") {
      // "the endpoint typically echos the status code it received" (§5.5.1): verbatim, and empty
      // for empty.
      this.#sendClose(info, payload);
      this.#emit({ type: "closing", ...info });
    }
    // "the server MUST close the underlying TCP connection immediately; the client SHOULD wait for
    // the server" (§5.5.1, §7.1.1).
    this.#outputEnded = !this.#client;
    this.#discard();
    this.#beginClosing(now);
  }

  #discard(): void {
    this.#discarding = true;
    this.#assembler.discard();
  }

  // A ping that has not left asks all there is to ask: a second one would only lengthen the queue
  // of a peer that does not read.
  #keepAlive(now: number): void {
    if (!this.#sender.keepAliveWaits) this.#sender.keepAlive(this.#liveness.beginPing(now));
  }

  // --- Closing ---

  #requireOpen(): void {
    if (this.canSend) return;
    throw new UsageError(`the connection is ${this.#state}: nothing can be sent on it`);
  }

  // The application has yet to see the events that came before in the same chunk, and its answers
  // belong in front: "An endpoint MAY delay sending a Close frame until its current message is
  // sent" (§5.5.1).
  #sendClose(info: CloseInfo, payload: Uint8Array): void {
    this.#closeSent = info;
    if (this.#events === undefined) this.#sender.close(payload);
    else this.#sender.closeLater(payload.slice());
  }

  #beginClosing(now: number): void {
    this.#state = "closing";
    this.#liveness.stop();
    this.#closeDeadline = now + this.#closeTimeout;
  }

  /** "Fail the WebSocket Connection" (§7.1.7): where a violation becomes a Close frame. */
  #fail(error: ProtocolError, cause: "violation" | "timeout", now: number): void {
    const { code, message: reason } = error;
    this.#outcome = { type: "closed", code, reason, clean: false, cause, error };
    if (this.#state === "open") this.#sendClose({ code, reason }, encodeClose(code, reason));
    this.#outputEnded = true;
    this.#discard();
    this.#beginClosing(now);
  }

  #finish(outcome: ClosedEvent): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#outputEnded = true;
    this.#discard();
    this.#deflate?.close();
    this.#liveness.stop();
    this.#emit(outcome);
  }

  // --- Events ---

  #emit(event: ConnectionEvent): void {
    if (this.#events === undefined) this.#events = [event];
    else this.#events.push(event);
  }

  #takeEvents(): readonly ConnectionEvent[] {
    const events = this.#events;
    if (events === undefined) return NO_EVENTS;
    this.#events = undefined;
    return events;
  }
}

function unclean(cause: "lost" | "timeout", error?: Error): ClosedEvent {
  const event: ClosedEvent = {
    type: "closed",
    code: CloseCode.abnormal,
    reason: "",
    clean: false,
    cause,
  };
  return error === undefined ? event : { ...event, error };
}
