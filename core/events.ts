// What a Connection reports, in order: one union, discriminated on `type`.

import type { ProtocolError } from "./errors.ts";

/** A whole text message. */
export interface TextEvent {
  /** Opcode 1 with `text: "string"` (RFC 6455 §5.6). */
  readonly type: "text";
  /** The content, inflated and decoded; may be empty. A leading U+FEFF is kept. */
  readonly data: string;
}

/** A whole text message as checked UTF-8. */
export interface Utf8Event {
  /** Opcode 1 with `text: "bytes"` (RFC 6455 §5.6). */
  readonly type: "utf8";
  /** The content, unmasked and inflated; may be empty, and may be a view of the chunk. */
  readonly data: Uint8Array;
}

/** A whole binary message. */
export interface BinaryEvent {
  /** Opcode 2 (RFC 6455 §5.6). */
  readonly type: "binary";
  /** The content, unmasked and inflated; may be empty, and may be a view of the chunk. */
  readonly data: Uint8Array;
}

/** A piece of a message as it arrived, with `messages: "pieces"`. */
export interface PieceEvent {
  /** Any part of a message. Frame boundaries are not reported (RFC 6455 §5.4). */
  readonly type: "piece";
  /** The kind of the message, from its first frame. */
  readonly opcode: "text" | "binary";
  /**
   * The content, unmasked and inflated; only the last piece may be empty. Text is a string that
   * never ends inside a character, or bytes with `text: "bytes"`. Bytes may be a view of the chunk.
   */
  readonly data: string | Uint8Array;
  /** Whether the message ends with this piece. */
  readonly final: boolean;
}

/** A ping; its pong is already in the output (RFC 6455 §5.5.3). */
export interface PingEvent {
  /** Opcode 9 (RFC 6455 §5.5.2). */
  readonly type: "ping";
  /** The payload, unmasked: 0-125 bytes, which the pong repeats. */
  readonly data: Uint8Array;
}

/** A pong, solicited or not (RFC 6455 §5.5.3). */
export interface PongEvent {
  /** Opcode 10 (RFC 6455 §5.5.3). */
  readonly type: "pong";
  /** The payload, unmasked: 0-125 bytes, those of the ping if it answers one. */
  readonly data: Uint8Array;
}

/** The peer began to close; the answering Close is already in the output (RFC 6455 §5.5.1). */
export interface ClosingEvent {
  /** Opcode 8, before this side sent a Close; `closed` follows when the transport ends. */
  readonly type: "closing";
  /** The peer's code; 1005 for none. */
  readonly code: number;
  /** The peer's reason: 0-123 bytes of UTF-8 (RFC 6455 §7.1.6). */
  readonly reason: string;
}

/** The end of the connection: exactly one, and the last event. */
export interface ClosedEvent {
  /** No event follows, whatever else arrives (RFC 6455 §7.1.4). */
  readonly type: "closed";
  /** The peer's code; 1005 for a Close without one, 1006 for no Close; or a violation's code. */
  readonly code: number;
  /** The peer's reason, or the sentence of a ProtocolError in `error`, or empty. */
  readonly reason: string;
  /** Whether Close frames went both ways (RFC 6455 §7.1.4). */
  readonly clean: boolean;
  /** What ended it: this side, the peer, a violation, a deadline, or the loss of the transport. */
  readonly cause: "local" | "peer" | "violation" | "timeout" | "lost";
  /** The violation, or the transport's error. */
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

/** A shared empty list: most chunks of a large message cause no event. */
export const NO_EVENTS: readonly never[] = Object.freeze([]);
