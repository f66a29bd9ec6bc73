// What a Connection reports: one discriminated union on `type`, in the order in which things
// happened.

import type { ProtocolError } from "./errors.ts";

/** A whole text message. */
export interface TextEvent {
  /** Opcode 1, and `text: "string"` (RFC 6455 §5.6). */
  readonly type: "text";
  /** The content, inflated and decoded; may be empty. A leading U+FEFF is kept. */
  readonly data: string;
}

/**
 * A whole text message as UTF-8 bytes, already checked; comes instead of `text` with `text:
 * "bytes"`.
 */
export interface Utf8Event {
  /** Opcode 1, and `text: "bytes"` (RFC 6455 §5.6). */
  readonly type: "utf8";
  /**
   * The content, unmasked and inflated; may be empty, and a view of the chunk where chunks are
   * given.
   */
  readonly data: Uint8Array;
}

/** A whole binary message; the bytes may be a view of the chunk that brought them. */
export interface BinaryEvent {
  /** Opcode 2 (RFC 6455 §5.6). */
  readonly type: "binary";
  /**
   * The content, unmasked and inflated; may be empty, and a view of the chunk where chunks are
   * given.
   */
  readonly data: Uint8Array;
}

/**
 * A piece of a message, as it arrived; comes instead of whole messages with `messages: "pieces"`. A
 * text piece is a string that never ends inside a character (bytes with `text: "bytes"`); the last
 * piece may be empty.
 */
export interface PieceEvent {
  /**
   * Some of a message: where it was cut tells nothing about its frames, which RFC 6455 §5.4 gives
   * no meaning.
   */
  readonly type: "piece";
  /** The kind of the whole message: of its first frame, whichever frame this is of. */
  readonly opcode: "text" | "binary";
  /**
   * The content, inflated; bytes may be a view of the chunk where chunks are given. Empty only in
   * the last piece.
   */
  readonly data: string | Uint8Array;
  /** Whether the message ends with this piece. */
  readonly final: boolean;
}

/** A ping; its pong is already in the output (RFC 6455 §5.5.3). */
export interface PingEvent {
  /** Opcode 9 (RFC 6455 §5.5.2). */
  readonly type: "ping";
  /** The payload, unmasked: 0 to 125 bytes, which the pong repeats. */
  readonly data: Uint8Array;
}

/** A pong, asked for or not (RFC 6455 §5.5.3). */
export interface PongEvent {
  /** Opcode 10 (RFC 6455 §5.5.3). */
  readonly type: "pong";
  /** The payload, unmasked: 0 to 125 bytes, those of the ping if it answers one. */
  readonly data: Uint8Array;
}

/**
 * The peer began the closing handshake; the answering Close frame is already in the output (RFC
 * 6455 §5.5.1).
 */
export interface ClosingEvent {
  /**
   * Opcode 8, when this side had sent no Close frame; `closed` follows once the transport has
   * ended.
   */
  readonly type: "closing";
  /** The peer's code; 1005 when it gave none. */
  readonly code: number;
  /**
   * What the peer says of it: 0 to 123 bytes of UTF-8; empty when it says nothing (RFC 6455
   * §7.1.6).
   */
  readonly reason: string;
}

/** The end of the connection: exactly once, and last. */
export interface ClosedEvent {
  /** Nothing follows this one, whatever the transport still brings (RFC 6455 §7.1.4). */
  readonly type: "closed";
  /**
   * The peer's code; 1005 when its Close had none, 1006 when no Close came; for `violation`, the
   * code that answered it.
   */
  readonly code: number;
  /** The peer's reason; the broken rule's sentence where `error` is a ProtocolError; else empty. */
  readonly reason: string;
  /** Whether Close frames went both ways (RFC 6455 §7.1.4). */
  readonly clean: boolean;
  /**
   * Who or what ended it: this side, the peer, a rule the peer broke, a deadline, or the loss of
   * the transport.
   */
  readonly cause: "local" | "peer" | "violation" | "timeout" | "lost";
  /** The broken rule, or what the transport reported. */
  readonly error?: ProtocolError | Error;
}

/** Everything a connection reports. */
export type ConnectionEvent =
  | TextEvent
  | Utf8Event
  | BinaryEvent
  | PieceEvent
  | PingEvent
  | PongEvent
  | ClosingEvent
  | ClosedEvent;

/**
 * The one empty answer: most chunks of a large message cause no event, and should cost no array.
 */
export const NO_EVENTS: readonly ConnectionEvent[] = Object.freeze([]);
