// The types of a reconnecting client: its options, its states, and its target for each attempt.
// `retry` and `queue` are in retry.ts and messages.ts. All types here are public, of
// `sansws/reconnecting`.

import type { ConnectOptions } from "../client/connect.ts";
import type { Handlers, Socket } from "../socket/socket.ts";
import type { QueueOptions } from "./messages.ts";
import type { AttemptEnd, RetryOptions } from "./retry.ts";

/** In an attempt; with an open socket; waiting for the next attempt; over. */
export type ReconnectingState = "connecting" | "open" | "waiting" | "closed";

/** A change of state. */
export type StateChange<Data = unknown> =
  | { readonly state: "connecting"; readonly attempt: number; }
  | { readonly state: "open"; readonly attempt: number; readonly socket: Socket<Data>; }
  | {
    readonly state: "waiting";
    readonly attempt: number;
    readonly delay: number;
    readonly end: AttemptEnd;
  }
  | { readonly state: "closed"; readonly end: AttemptEnd | undefined; };

/** An attempt that is about to begin. */
export interface Attempt {
  /** From 1, and again from 1 after a stable connection. */
  readonly number: number;
  /** How the previous one ended. */
  readonly end: AttemptEnd | undefined;
  /** Aborted when the attempt is no longer wanted. */
  readonly signal: AbortSignal;
}

/** The URL of one attempt, with options for it alone, such as headers with a fresh token. */
export interface AttemptTarget
  extends Omit<ConnectOptions, "signal" | "lifetime" | "data" | keyof Handlers>
{
  /** As `connect` takes it; an illegal one ends the reconnecting. */
  readonly url: string | URL;
}

/** Where to connect to, or a function that returns that for each attempt. */
export type ReconnectTarget =
  | string
  | URL
  | ((attempt: Attempt) => string | URL | AttemptTarget | Promise<string | URL | AttemptTarget>);

/** How to connect, and when to connect again. */
export interface ReconnectOptions<Data = unknown>
  extends Omit<ConnectOptions<Data>, "signal" | "lifetime">
{
  /** When to try again. */
  readonly retry?: Partial<RetryOptions> | undefined;
  /** How much may wait while there is no connection. */
  readonly queue?: Partial<QueueOptions> | undefined;
  /** Ends the reconnecting: gives up an attempt, or closes the open socket with 1001. */
  readonly signal?: AbortSignal | undefined;
  /** Called at every change of state. */
  change?(change: StateChange<Data>): void;
}
