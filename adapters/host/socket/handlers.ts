// What an application says it wants to hear, and the little that all sockets of one server (or one
// client) share.

import type { ClosedEvent, PreparedMessage, Topics } from "../../../core/mod.ts";
import type { Clock } from "../clock.ts";
import type { Session } from "./session.ts";
import type { Socket } from "./socket.ts";

/** A received message: text as a string (as bytes with `text: "bytes"`), binary as bytes. */
export type Message = string | Uint8Array;

/** Which kind of message the peer sent. */
export type MessageKind = "text" | "binary";

/** What can be sent: text, bytes of any kind, or a message prepared for many. */
export type Sendable = string | Uint8Array | ArrayBuffer | ArrayBufferView | PreparedMessage;

/**
 * The events of a socket. Each handler may be async; what it throws, or rejects with, goes to
 * `error`, and closes its socket with 1011.
 */
export interface Handlers<Data = unknown> {
  /** The socket is open. */
  open?(socket: Socket<Data>): unknown;
  /**
   * A message came. Without this handler messages wait, in bounded number, for `for await (const
   * message of socket)`.
   */
  message?(socket: Socket<Data>, data: Message, kind: MessageKind): unknown;
  /**
   * A piece of a message came. With this handler messages are not put together: it replaces
   * `message`.
   */
  piece?(socket: Socket<Data>, data: Message, final: boolean, kind: MessageKind): unknown;
  /** The output has fallen below the high-water mark again, after a `send` that was `"queued"`. */
  drain?(socket: Socket<Data>): unknown;
  /** A ping came; it is answered already. */
  ping?(socket: Socket<Data>, data: Uint8Array): unknown;
  /** A pong came. */
  pong?(socket: Socket<Data>, data: Uint8Array): unknown;
  /** The peer has begun to close; it is answered already. */
  closing?(socket: Socket<Data>, code: number, reason: string): unknown;
  /** The socket is closed: exactly once, and last. */
  close?(socket: Socket<Data>, closed: ClosedEvent): unknown;
  /**
   * Something went wrong in a handler, or in the upgrade hook (then without a socket). Default:
   * `console.error`.
   */
  error?(error: unknown, socket?: Socket<Data>): void;
}

/** How much may wait for a peer that does not read, and what happens beyond. */
export interface Backpressure {
  /** Bytes that may wait for one socket, the pending message counted. Default 16 MiB. */
  readonly maxBufferedAmount: number;
  /**
   * `"close"` ends the socket with 1013, `"drop"` refuses the message. Default `"close"`: a gap in
   * a stream is worse.
   */
  readonly onOverflow: "close" | "drop";
  /**
   * Goes on reading from a peer that does not take its answers. Default false on a server, where
   * such a peer must not cost memory, and true on a client.
   */
  readonly readWhileBlocked: boolean;
}

/** What all sockets of one owner share; each socket has only a reference to it. */
export interface Owner<Data> {
  readonly handlers: Handlers<Data>;
  readonly backpressure: Backpressure;
  readonly topics: Topics<Socket<Data>>;
  readonly clock: Clock;
  /** The session's transport is gone. */
  forget(session: Session<Data>): void;
}
