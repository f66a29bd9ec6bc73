// The handlers that an application gives, and how they are called: bound to the options they came
// in, and what one throws or rejects with goes to `error` and never further.

import type { ClosedEvent } from "../../../core/mod.ts";
import { isThenable } from "../waiting.ts";
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

/** The handlers among the options, bound to the options; `names` are those of all handlers. */
export function pickHandlers<S>(
  options: SocketHandlers<S>,
  names: readonly string[],
): SocketHandlers<S> {
  const handlers: Record<string, unknown> = {};
  for (const name of names) {
    const handler = options[name as keyof SocketHandlers<S>];
    if (handler !== undefined) handlers[name] = handler.bind(options);
  }
  return handlers;
}

/**
 * Calls into the application. `failed` hears what it throws, and what its promise rejects with; the
 * promise, of whatever realm or class, is returned.
 */
export function call(
  handler: () => unknown,
  failed: (error: unknown) => void,
): Promise<unknown> | undefined {
  try {
    const result = handler();
    return isThenable(result) ? Promise.resolve(result).catch(failed) : undefined;
  } catch (error) {
    failed(error);
    return undefined;
  }
}

/** Hands an error to the `error` handler; without one, or when it fails too, to the console. */
export function report<S>(handlers: SocketHandlers<S>, error: unknown, socket?: S): void {
  if (handlers.error === undefined) return console.error(error);
  void call(() => handlers.error!(error, socket), (second) => console.error(second));
}
