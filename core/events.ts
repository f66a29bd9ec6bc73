// What a Connection reports: one discriminated union on `type`, in the order in which things happened.

import type { ProtocolError } from "./errors.ts";

/** A whole text message. */
export interface TextEvent {
  readonly type: "text";
  readonly data: string;
}

/** A whole text message as UTF-8 bytes, already checked; comes instead of `text` with `text: "bytes"`. */
export interface Utf8Event {
  readonly type: "utf8";
  readonly data: Uint8Array;
}

/** A whole binary message; the bytes may be a view of the chunk that brought them. */
export interface BinaryEvent {
  readonly type: "binary";
  readonly data: Uint8Array;
}

/**
 * A piece of a message, as it arrived; comes instead of whole messages with `messages: "pieces"`.
 * A text piece is a string that never ends inside a character (bytes with `text: "bytes"`); the last piece may be empty.
 */
export interface PieceEvent {
  readonly type: "piece";
  readonly opcode: "text" | "binary";
  readonly data: string | Uint8Array;
  /** Whether the message ends with this piece. */
  readonly final: boolean;
}

/** A ping; its pong is already in the output (RFC 6455 §5.5.3). */
export interface PingEvent {
  readonly type: "ping";
  readonly data: Uint8Array;
}

/** A pong, asked for or not (RFC 6455 §5.5.3). */
export interface PongEvent {
  readonly type: "pong";
  readonly data: Uint8Array;
}

/** The peer began the closing handshake; the answering Close frame is already in the output (RFC 6455 §5.5.1). */
export interface ClosingEvent {
  readonly type: "closing";
  /** The peer's code; 1005 when it gave none. */
  readonly code: number;
  readonly reason: string;
}

/** The end of the connection: exactly once, and last. */
export interface ClosedEvent {
  readonly type: "closed";
  /** The peer's code; 1005 when its Close had none, 1006 when no Close came; for `violation`, the code that answered it. */
  readonly code: number;
  readonly reason: string;
  /** Whether Close frames went both ways (RFC 6455 §7.1.4). */
  readonly clean: boolean;
  /** Who or what ended it: this side, the peer, a rule the peer broke, a deadline, or the loss of the transport. */
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

/** The one empty answer: most chunks of a large message cause no event, and should cost no array. */
export const NO_EVENTS: readonly ConnectionEvent[] = Object.freeze([]);
