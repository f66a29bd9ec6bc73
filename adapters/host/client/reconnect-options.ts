// What a reconnecting client is told, and what it tells.

import type { Handlers } from "../socket/handlers.ts";
import type { Socket } from "../socket/socket.ts";
import type { ConnectOptions } from "./client.ts";
import type { AttemptEnd, RetryOptions } from "./retry.ts";
import type { QueueOptions } from "./sending-queue.ts";

/** An attempt is under way; there is an open socket; the next attempt is awaited; it is over. */
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
  /** From 1, and anew after a stable connection. */
  readonly number: number;
  /** How the one before ended. */
  readonly end: AttemptEnd | undefined;
  /** Aborted when the attempt is no longer wanted. */
  readonly signal: AbortSignal;
}

/** Where an attempt goes, with options for this one alone: mostly headers with a fresh token. */
export interface AttemptTarget
  extends Omit<ConnectOptions, "signal" | "lifetime" | "data" | keyof Handlers>
{
  /** As `connect` takes it; an illegal one ends the reconnecting. */
  readonly url: string | URL;
}

/** Where to connect to, or who says so for each attempt. */
export type ReconnectTarget =
  | string
  | URL
  | ((attempt: Attempt) => string | URL | AttemptTarget | Promise<string | URL | AttemptTarget>);

/** How to connect, and when to do so again. */
export interface ReconnectOptions<Data = unknown>
  extends Omit<ConnectOptions<Data>, "signal" | "lifetime">
{
  /** When to try again. */
  readonly retry?: Partial<RetryOptions> | undefined;
  /** How much may wait while there is no connection. */
  readonly queue?: Partial<QueueOptions> | undefined;
  /** Ends it all: gives up an attempt, or closes the open socket with 1001. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of every change of state. */
  change?(change: StateChange<Data>): void;
}
