// Whether the peer is still there: keep-alive pings (RFC 6455 §5.5.2), overdue pongs and idle
// connections. connection.ts sends the pings and ends a dead connection.

import { equalBytes } from "./bytes.ts";
import type { Timeouts } from "./limits.ts";

/** The timers of an open connection, in milliseconds. */
export class Liveness {
  readonly #timeouts: Timeouts;

  // Deadlines
  #ping: number;
  #pong = Infinity;
  #idle: number;

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

  get deadline(): number {
    return Math.min(this.#ping, this.#pong, this.#idle);
  }

  get roundTripTime(): number | undefined {
    return this.#roundTripTime;
  }

  /** Any bytes prove that the peer is alive. */
  heard(): void {
    this.#pong = Infinity;
  }

  messageReceived(now: number): void {
    this.#lastMessage = now;
  }

  /** A message was sent. It has no time, so at the next idle deadline it counts as sent then. */
  messageSent(): void {
    this.#sent = true;
  }

  /** The answer to the last keep-alive ping measures the round trip. */
  pongReceived(payload: Uint8Array, now: number): void {
    if (this.#awaited === undefined || !equalBytes(payload, this.#awaited)) return;
    this.#roundTripTime = now - this.#pingSentAt;
    this.#awaited = undefined;
  }

  /** What is due at `now`, the most severe first. */
  check(now: number): "ping-due" | "pong-overdue" | "idle-too-long" | undefined {
    if (now >= this.#pong) return "pong-overdue";
    if (now >= this.#idle && this.#idleSince(now) >= this.#timeouts.idle) return "idle-too-long";
    if (now >= this.#ping) {
      this.#ping = now + this.#timeouts.pingInterval;
      if (this.#pong === Infinity) return "ping-due";
    }
    return undefined;
  }

  /** Starts the pong timeout; returns the payload of the ping to send, a running number. */
  beginPing(now: number): Uint8Array {
    const count = ++this.#pingCount;
    this.#pingSentAt = now;
    this.#pong = now + this.#timeouts.pongTimeout;
    return this.#awaited = Uint8Array.of(count >>> 24, count >>> 16, count >>> 8, count);
  }

  #idleSince(now: number): number {
    if (this.#sent) this.#lastMessage = now;
    this.#sent = false;
    this.#idle = this.#lastMessage + this.#timeouts.idle;
    return now - this.#lastMessage;
  }
}
