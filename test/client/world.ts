// Dependencies of a reconnecting client in which time passes only when a test says so, and the
// server is a pair's.

import type { ConnectOptions, ReconnectOptions, ServerOptions, Socket } from "sansws";
import { pair, ReconnectingSocket } from "sansws";
import type { ReconnectTarget, StateChange } from "sansws/reconnecting";
import { onTestFinished } from "vitest";
import type { Dependencies } from "../../adapters/host/reconnect/reconnecting.ts";
import { Mailbox, until } from "../contract/suite.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class World implements Dependencies {
  /**
   * What becomes of the attempts, in order: an error, or `undefined` for an open socket. Beyond the
   * last they all succeed.
   */
  readonly outcomes: unknown[] = [];
  readonly attempts: { url: string; options: ConnectOptions; }[] = [];
  /** The server's sockets. */
  readonly opened: Mailbox<Socket> = new Mailbox();
  readonly changes: StateChange[] = [];
  server: ServerOptions = {};
  chance = 1;
  #time = 0;
  #timers: Timer[] = [];

  // --- Dependencies ---

  async connect<Data>(url: string | URL, options: ConnectOptions<Data>): Promise<Socket<Data>> {
    this.attempts.push({ url: String(url), options: options as ConnectOptions });
    options.signal?.throwIfAborted();
    const outcome = this.outcomes.shift();
    if (outcome instanceof Promise) await Promise.race([outcome, whenAborted(options.signal)]);
    else if (outcome !== undefined) throw outcome;
    const { client, server } = await pair<unknown, Data>({
      url,
      client: options,
      server: this.server,
    });
    this.opened.put(server);
    return client;
  }

  now(): number {
    return this.#time;
  }

  after(delay: number, callback: () => void): () => void {
    const timer = { at: this.#time + delay, callback };
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((other) => other !== timer);
  }

  random(): number {
    return this.chance;
  }

  // --- For tests ---

  /** Starts a client in this world; it ends with the test. */
  start<Data = unknown>(
    target: ReconnectTarget,
    options: ReconnectOptions<Data> = {},
  ): ReconnectingSocket<Data> {
    const given = options.change;
    options.change = (change): void => {
      this.changes.push(change as StateChange);
      given?.(change);
    };
    const socket = new ReconnectingSocket<Data>(target, options, this);
    onTestFinished(() => socket.close());
    return socket;
  }

  /** Lets time pass; what is due happens. */
  pass(milliseconds: number): void {
    this.#time += milliseconds;
    const due = this.#timers.filter(({ at }) => at <= this.#time);
    this.#timers = this.#timers.filter(({ at }) => at > this.#time);
    for (const { callback } of due) callback();
  }

  /** How many timers run. */
  get timers(): number {
    return this.#timers.length;
  }

  /**
   * Waits for so many changes of state in all, and returns them as words such as `connecting 1`,
   * `waiting 1000`.
   */
  async story(count: number): Promise<string[]> {
    await until(
      () => this.changes.length >= count,
      `${count} changes came; there were: ${this.changes.map(tell)}`,
    );
    return this.changes.map(tell);
  }
}

function tell(change: StateChange): string {
  switch (change.state) {
    case "connecting":
    case "open":
      return `${change.state} ${change.attempt}`;
    case "waiting":
      return `waiting ${change.delay}`;
    case "closed":
      return "closed";
  }
}

function whenAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal?.addEventListener("abort", () => reject(signal.reason))
  );
}
