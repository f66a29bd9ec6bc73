/**
 * A client that connects again whenever its connection ends.
 *
 * @module
 */

import type { ReconnectOptions, ReconnectTarget } from "./host/reconnect/options.ts";
import { dependencies, ReconnectingSocket } from "./host/reconnect/reconnecting.ts";
import { connect } from "./runtime.ts";

export type { QueueOptions } from "./host/reconnect/messages.ts";
export type * from "./host/reconnect/options.ts";
export { ReconnectingSocket } from "./host/reconnect/reconnecting.ts";
export type { AttemptEnd, RetryOptions } from "./host/reconnect/retry.ts";

/**
 * Connects to a server, and again whenever the connection ends, until it is closed or the end is
 * one that would come again.
 *
 * @param target a URL, or a function that gives one for each attempt, with other options if it
 *   wants
 * @example
 * ```ts
 * const socket = reconnecting("wss://example.com/feed");
 * for await (const message of socket) console.log(message);
 * ```
 * @throws {UsageError} for a URL or option that is not legal
 */
export function reconnecting<Data = unknown>(
  target: ReconnectTarget,
  options: ReconnectOptions<Data> = {},
): ReconnectingSocket<Data> {
  return new ReconnectingSocket(target, options, dependencies(connect));
}
