// The handlers that an application gives, and how they are called: bound to the options they came
// in, and what one throws or rejects with goes to `error` and never further.

import { type ClosedEvent, UsageError } from "../../../core/mod.ts";
import type { Message, MessageKind } from "./inbox.ts";

/**
 * The events of a socket of type `S`. Each handler may be async. What it throws, or rejects with,
 * goes to `error`, and closes its socket with 1011.
 */
export interface SocketHandlers<S> {
  /** The socket is open. */
  open?(socket: S): unknown;
  /** A message came. Without this handler messages wait, in bounded number, for `for await`. */
  message?(socket: S, data: Message, kind: MessageKind): unknown;
  /** A piece of a message came. It replaces `message`: messages are not put together. */
  piece?(socket: S, data: Message, final: boolean, kind: MessageKind): unknown;
  /** The output has fallen below the high-water mark again, after a `send` that was `"queued"`. */
  drain?(socket: S): unknown;
  /** A ping came; it is answered already. */
  ping?(socket: S, data: Uint8Array): unknown;
  /** A pong came. */
  pong?(socket: S, data: Uint8Array): unknown;
  /** The peer has begun to close; it is answered already. */
  closing?(socket: S, code: number, reason: string): unknown;
  /** The socket is closed: exactly once, and last. */
  close?(socket: S, closed: ClosedEvent): unknown;
  /**
   * Something went wrong in a handler, or in a hook (then without a socket). Default:
   * `console.error`.
   */
  error?(error: unknown, socket?: S): void;
}

/** The names of the handlers. */
export const HANDLER_NAMES: readonly (keyof SocketHandlers<unknown>)[] = [
  "open",
  "message",
  "piece",
  "drain",
  "ping",
  "pong",
  "closing",
  "close",
  "error",
];

/**
 * The handlers among the options, as an object of their own, bound to the options.
 *
 * @throws {UsageError} for one that is no function
 */
export function pickHandlers<S>(options: SocketHandlers<S>): SocketHandlers<S> {
  const handlers: SocketHandlers<S> = {};
  for (const name of HANDLER_NAMES) {
    const handler = options[name];
    if (handler === undefined) continue;
    if (typeof handler !== "function") throw new UsageError(`${name} must be a function`);
    Object.assign(handlers, { [name]: handler.bind(options) });
  }
  return handlers;
}

/** Calls into the application; `failed` hears what it throws or rejects with. */
export function call(handler: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = handler();
    if (result instanceof Promise) result.catch(failed);
  } catch (error) {
    failed(error);
  }
}

/** Hands an error to the `error` handler; without one, or when it fails too, to the console. */
export function report<S>(handlers: SocketHandlers<S>, error: unknown, socket?: S): void {
  if (handlers.error === undefined) return console.error(error);
  call(() => handlers.error!(error, socket), (second) => console.error(second));
}
