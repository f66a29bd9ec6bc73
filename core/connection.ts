// Connection: the state machine of an open WebSocket connection, RFC 6455 §5 to §8. Bytes and
// times go in; events, bytes and one deadline come out. It does no I/O, sets no timer and calls
// nobody back.
//
// What comes in is receiver.ts's, which has the frames of frame/* and the messages of message.ts;
// sending is sender.ts's, pings and time are liveness.ts's, codes close.ts's, the opening handshake
// handshake/*'s. This file decides what may happen when, and how it ends.

import { CloseCode, type CloseInfo, decodeClose, encodeClose } from "./close.ts";
import type { MessageDeflate } from "./deflate/transform.ts";
import { ProtocolError, UsageError } from "./errors.ts";
import { type ClosedEvent, type ConnectionEvent, NO_EVENTS } from "./events.ts";
import { Opcode } from "./frame/header.ts";
import { type Limits, resolveLimits, resolveTimeouts, type Timeouts } from "./limits.ts";
import { Liveness } from "./liveness.ts";
import type { Delivery } from "./message.ts";
import type { PreparedMessage, SendOptions } from "./prepared.ts";
import { type Receiver, type ReceiverPool, receiverPool, type Reception } from "./receiver.ts";
import { Sender } from "./sender.ts";

/** How a connection is set up; a handshake does it from its own options. */
export interface ConnectionOptions extends Delivery {
  /** Which side this is: a client masks, a server ends the transport first. */
  readonly role: "client" | "server";
  /**
   * Bounds on what the peer can make this endpoint hold; what is not given is as in {@linkcode
   * DEFAULT_LIMITS}.
   */
  readonly limits?: Partial<Limits> | undefined;
  /**
   * Milliseconds; what is not given is as in {@linkcode DEFAULT_TIMEOUTS}. `handshake` is of no
   * effect once a connection is open.
   */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /**
   * permessage-deflate as it was negotiated (RFC 7692 §7.1), for this connection alone; without it
   * RSV1 is a violation.
   */
  readonly deflate?: MessageDeflate | undefined;
  /**
   * Whose the memory of chunks is. Given ones (the default) are the connection's, and binary
   * messages may be views of them; lent ones are the caller's again once `receive` has returned, so
   * that one buffer serves for all reads.
   */
  readonly chunks?: "given" | "lent" | undefined;
}

const NOTHING = new Uint8Array(0);

/**
 * One end of an open WebSocket connection.
 *
 * - **Inputs** `receive`, `receiveEnd`, `tick`, `noteActivity`: what the transport and the clock
 *   did. They return the events this caused.
 * - **Commands** `sendText`, `sendBinary`, `sendFragment`, `sendPrepared`, `ping`, `pong`, `close`:
 *   what the application wants. They
 *   throw `UsageError`, and never for what the peer did.
 * - **Outputs** `takeOutput`, `pendingOutput`, `outputEnded`, `deadline`: to be looked at after
 *   every input and every command.
 * - **Getters** `state`, `closeSent`, `closeReceived`, `roundTripTime`.
 *
 * The whole loop of a host:
 *
 * ```ts
 * for (const event of connection.receive(chunk, now())) handle(event); // input → events
 * for (const bytes of connection.takeOutput()) write(bytes);           // output
 * if (connection.outputEnded) endWriting();
 * wakeUpAt(connection.deadline);                                       // then: connection.tick(now())
 * ```
 *
 * Times are milliseconds on any clock that never goes back. Nothing a peer sends makes a method
 * throw.
 */
export class Connection {
  // Receiving
  readonly #receivers: ReceiverPool;
  /** While a frame or a message is under way. */
  #receiver: Receiver | undefined;
  /**
   * After the peer's Close, and after its violation, nothing it sends means anything (§1.4,
   * §7.1.7).
   */
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

  /**
   * A connection whose opening handshake is over; a handshake makes one itself.
   *
   * @throws {UsageError} for an unknown or illegal limit or timeout
   */
  constructor(options: ConnectionOptions, now: number) {
    const limits = resolveLimits(options.limits);
    const timeouts = resolveTimeouts(options.timeouts);
    const { deflate } = options;
    this.#client = options.role === "client";
    this.#receivers = receiverPool(receptionOf(options), limits);
    this.#sender = new Sender(this.#client, deflate, limits.maxPendingReplies);
    this.#deflate = deflate;
    this.#liveness = new Liveness(timeouts, now);
    this.#closeTimeout = timeouts.close;
  }

  // --- Getters ---

  /**
   * `closing` from the first Close frame in either direction, or the first violation, until
   * `closed` was reported.
   */
  get state(): "open" | "closing" | "closed" {
    return this.#state;
  }

  /**
   * Whether messages can be sent: while `open`, and for a moment longer when the peer ended the
   * connection behind other things it sent. What these were answered with, before the output is
   * taken, still goes in front of the Close frame.
   */
  get canSend(): boolean {
    return this.#state === "open" || (this.#state === "closing" && this.#sender.owesClose);
  }

  /** The Close frame this side sent. */
  get closeSent(): CloseInfo | undefined {
    return this.#closeSent;
  }

  /** The Close frame the peer sent. */
  get closeReceived(): CloseInfo | undefined {
    return this.#closeReceived;
  }

  /**
   * Milliseconds from the last keep-alive ping that was answered to its pong; `undefined` before
   * the first.
   */
  get roundTripTime(): number | undefined {
    return this.#liveness.roundTripTime;
  }

  // --- Inputs ---

  /**
   * Takes the next bytes from the transport. They are unmasked in place; see
   * `ConnectionOptions.chunks` for whose their memory is.
   */
  receive(chunk: Uint8Array, now: number): readonly ConnectionEvent[] {
    if (this.#discarding) return NO_EVENTS;
    this.#liveness.heard();
    const receiver = this.#receiver ??= this.#receivers.take();
    try {
      receiver.push(chunk);
      while (!this.#discarding && receiver.next()) this.#receivePiece(receiver, now);
    } catch (error) {
      this.#failFor(error, now);
    }
    this.#settleReceiver(receiver);
    return this.#takeEvents();
  }

  /**
   * The transport has ended in this direction, or is gone; `error` says why, if it did not just
   * end.
   */
  receiveEnd(_now: number, error?: Error): readonly ConnectionEvent[] {
    this.#finish(this.#outcome ?? unclean("lost", error));
    return this.#takeEvents();
  }

  /** Does what is due by `now`; a call before the deadline changes nothing. */
  tick(now: number): readonly ConnectionEvent[] {
    if (now >= this.#closeDeadline) this.#finish(this.#outcome ?? unclean("timeout"));
    const finding = this.#liveness.check(now);
    if (finding === "ping-due") this.#keepAlive(now);
    else if (finding !== undefined) this.#fail(new ProtocolError(finding), "timeout", now);
    return this.#takeEvents();
  }

  /**
   * Counts as a sign of the peer's life: for a host that has stopped reading, or that sees the peer
   * take what was written, so that a silence which is not the peer's fault is not held against it.
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
   * Sends the next part of a message as a frame of its own (§5.4). The kind of the first part,
   * string or bytes, is the kind of the message, and its options are those of the whole message.
   *
   * @throws {UsageError} when the connection is not open, or the part is of another kind than the
   *   message
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
   * Begins the closing handshake (§7.1.2). On a connection that is closing or closed already it
   * does nothing.
   *
   * @param code 1000-1003, 1007-1014 or 3000-4999; 1005 for a Close frame without a code
   * @param reason at most 123 bytes of UTF-8; a longer one is cut after a whole character
   * @throws {UsageError} for any other code
   */
  close(code: number, reason: string, now: number): void {
    const payload = encodeClose(code, reason);
    if (this.#state !== "open") return;
    // What was sent is what the payload holds: a long reason was cut.
    this.#sendClose(decodeClose(payload) as CloseInfo, payload);
    this.#beginClosing(now);
  }

  // --- Outputs ---

  /** All bytes to write now, in order. They belong to the caller. */
  takeOutput(): Uint8Array[] {
    return this.#sender.take();
  }

  /** Bytes that `takeOutput` would return. */
  get pendingOutput(): number {
    return this.#sender.pending;
  }

  /**
   * Whether nothing will follow the output there is: write it, then end the transport in this
   * direction.
   */
  get outputEnded(): boolean {
    return this.#outputEnded && !this.canSend;
  }

  /** When to call `tick`; `Infinity` for never. */
  get deadline(): number {
    return Math.min(this.#closeDeadline, this.#liveness.deadline);
  }

  // --- Receiving ---

  #receivePiece(receiver: Receiver, now: number): void {
    if (receiver.control) {
      const payload = receiver.controlPayload();
      if (payload !== undefined) this.#receiveControl(receiver.opcode, payload, now);
    } else {
      const event = receiver.message(this.#deflate);
      if (event === undefined) return;
      this.#liveness.messageReceived(now);
      this.#emit(event);
    }
  }

  #settleReceiver(receiver: Receiver): void {
    if (receiver.release()) {
      this.#receiver = undefined;
      this.#receivers.giveBack(receiver);
    } else if (this.#discarding) {
      this.#dropReceiver();
    }
  }

  // One that stopped in the middle of something is of no use to another connection.
  #dropReceiver(): void {
    this.#receiver?.discard();
    this.#receiver = undefined;
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
    this.#outcome = {
      type: "closed",
      ...info,
      clean: true,
      cause: this.#state === "open" ? "peer" : "local",
    };
    if (this.#state === "open") {
      // "the endpoint typically echos the status code it received" (§5.5.1): verbatim, and empty
      // for empty.
      this.#sendClose(info, payload);
      this.#emit({ type: "closing", ...info });
    }
    // "the server MUST close the underlying TCP connection immediately; the client SHOULD wait for
    // the server" (§5.5.1, §7.1.1).
    this.#outputEnded = !this.#client;
    this.#discarding = true;
    this.#beginClosing(now);
  }

  // A ping that has not even left asks all there is to ask; another behind it would only lengthen
  // the queue of a peer that does not read.
  #keepAlive(now: number): void {
    if (!this.#sender.keepAliveWaits) this.#sender.keepAlive(this.#liveness.beginPing(now));
  }

  // --- Closing ---

  #requireOpen(): void {
    if (!this.canSend) {
      throw new UsageError(`the connection is ${this.#state}: nothing can be sent on it`);
    }
  }

  // The application has yet to see the events that came before in the same chunk, and what it
  // answers belongs in front: "An endpoint MAY delay sending a Close frame until its current
  // message is sent" (§5.5.1).
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

  #failFor(error: unknown, now: number): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.#fail(error, "violation", now);
  }

  /**
   * "Fail the WebSocket Connection" (§7.1.7): the one place where a violation becomes a Close
   * frame.
   */
  #fail(error: ProtocolError, cause: "violation" | "timeout", now: number): void {
    const { code, message: reason } = error;
    this.#outcome = { type: "closed", code, reason, clean: false, cause, error };
    if (this.#state === "open") this.#sendClose({ code, reason }, encodeClose(code, reason));
    this.#outputEnded = true;
    this.#discarding = true;
    this.#dropReceiver();
    this.#beginClosing(now);
  }

  #finish(outcome: ClosedEvent): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#outputEnded = true;
    this.#discarding = true;
    this.#dropReceiver();
    this.#deflate?.close();
    this.#liveness.stop();
    this.#closeDeadline = Infinity;
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

function receptionOf({ role, chunks, deflate, messages, text }: ConnectionOptions): Reception {
  return {
    masked: role === "server",
    lent: chunks === "lent",
    compressed: deflate !== undefined,
    messages,
    text,
  };
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
