// Whether the peer is still there: keep-alive pings (RFC 6455 §5.5.2), overdue pongs, idle
// connections, and the times at which to look. One fixed table of deadlines, of which `deadline` is
// the minimum.
//
// What is sent, and what happens to a connection found dead, is connection.ts's affair.

import { equalBytes } from "./bytes.ts";
import type { Timeouts } from "./limits.ts";
import type { ViolationName } from "./violations.ts";

/**
 * What a look at the clock can find: a ping is due, or the peer has failed one of its deadlines.
 */
export type LivenessFinding = "ping-due" | Extract<ViolationName, "pong-overdue" | "idle-too-long">;

/** The clock side of an open connection; times in milliseconds. */
export class Liveness {
  readonly #timeouts: Timeouts;

  // Deadlines; `Infinity` when there is none
  #ping: number;
  #pong = Infinity;
  #idle: number;

  // What was seen
  #lastMessage: number;
  #sent = false;
  #pingCount = 0;
  #pingSentAt = 0;
  /** The payload of the last keep-alive ping, until its pong comes. */
  #awaited: Uint8Array | undefined;
  #roundTripTime: number | undefined;

  constructor(timeouts: Timeouts, now: number) {
    this.#timeouts = timeouts;
    this.#lastMessage = now;
    this.#ping = now + timeouts.pingInterval;
    this.#idle = now + timeouts.idle;
  }

  /** When to look at the clock. */
  get deadline(): number {
    return Math.min(this.#ping, this.#pong, this.#idle);
  }

  /** Milliseconds from the last answered keep-alive ping to its pong. */
  get roundTripTime(): number | undefined {
    return this.#roundTripTime;
  }

  /** Bytes came: whatever they are, the peer lives. */
  heard(): void {
    this.#pong = Infinity;
  }

  /** A message came. */
  messageReceived(now: number): void {
    this.#lastMessage = now;
  }

  /**
   * A message was sent. Commands do not tell the time, so the next look at the clock counts it as
   * sent then.
   */
  messageSent(): void {
    this.#sent = true;
  }

  /** A pong came; one that answers the last keep-alive ping measures the round trip. */
  pongReceived(payload: Uint8Array, now: number): void {
    if (this.#awaited === undefined || !equalBytes(payload, this.#awaited)) return;
    this.#roundTripTime = now - this.#pingSentAt;
    this.#awaited = undefined;
  }

  /** The first thing that is due by `now`, if anything is. */
  check(now: number): LivenessFinding | undefined {
    if (now >= this.#pong) return "pong-overdue";
    if (now >= this.#idle && this.#idleSince(now) >= this.#timeouts.idle) return "idle-too-long";
    if (now >= this.#ping) {
      this.#ping = now + this.#timeouts.pingInterval;
      if (this.#pong === Infinity) return "ping-due";
    }
    return undefined;
  }

  /**
   * Starts the wait for a sign of life, and returns the payload of the ping to send: a number no
   * earlier ping had.
   */
  beginPing(now: number): Uint8Array {
    const count = ++this.#pingCount;
    this.#pingSentAt = now;
    this.#pong = now + this.#timeouts.pongTimeout;
    return this.#awaited = Uint8Array.of(count >>> 24, count >>> 16, count >>> 8, count);
  }

  /** Stops the clock: an ending connection neither pings nor idles. */
  stop(): void {
    this.#ping = this.#pong = this.#idle = Infinity;
  }

  #idleSince(now: number): number {
    if (this.#sent) this.#lastMessage = now;
    this.#sent = false;
    this.#idle = this.#lastMessage + this.#timeouts.idle;
    return now - this.#lastMessage;
  }
}
