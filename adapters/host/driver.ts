// The only place where the core meets a transport: bytes and times go into the Connection, its
// events go to the sink, its output to the transport, its deadline to the clock.
//
// It knows nothing of messages, handlers or servers; socket.ts does.

import { concat } from "../../core/bytes.ts";
import type { Connection, ConnectionEvent, Opened } from "../../core/mod.ts";
import type { Clock, Sleeper } from "./clock.ts";
import { flushSoon } from "./flush.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import { leaveTurn, spendTurn, turnIsOver, type Waiter, waitForTurn } from "./turns.ts";

/** Who hears of what the connection reports. Its methods must not throw. */
export interface Sink {
  /** In order; held back while reading is paused with `Hold.user`. */
  event(event: ConnectionEvent): void;
  /** The output has fallen below the high-water mark again. */
  drained(): void;
  /** Something went wrong that is not the peer's fault; the transport is about to be dropped. */
  failed(error: unknown): void;
  /** The transport is gone; the `closed` event has come, or will when reading is resumed. */
  gone(): void;
}

/** Reasons to stop reading, as bits: reading goes on when there is none. */
export const Hold = {
  /** The application asked for it: events are held back too. */
  user: 1,
  /** The queue of messages nobody has asked for yet is full. */
  inbox: 2,
  /** The peer does not take what is sent to it. */
  output: 4,
  /** Something is left for another turn. */
  turn: 8,
} as const;

/**
 * Bytes that are read at once where turns are taken. DEFLATE makes a thousand of one at best: 4 MiB
 * in all.
 */
const PORTION = 4096;

/** So much output is not left waiting for the end of the tick. */
const FLUSH_FROM = 256 * 1024;

const NONE: ConnectionEvent[] = [];

/** Drives one connection over one transport. */
export class Driver implements TransportEvents, Sleeper, Waiter {
  readonly connection: Connection;
  readonly transport: Transport;
  readonly #clock: Clock;
  readonly #sink: Sink;

  // Reading
  readonly #readWhileBlocked: boolean;
  /** Compressed bytes may cost more than their number says: they are read in turns. */
  readonly #inTurns: boolean;
  #holds = 0;
  /** What came, and is left for another turn. */
  #left: Uint8Array | undefined;
  /** The peer ended its side behind that. */
  #inputEnded = false;
  #dispatching = false;
  /** Events that came while the sink would not, or could not yet, have them. */
  #held: ConnectionEvent[] = NONE;

  // Writing
  #blocked = false;
  #flushing = false;
  #ended = false;
  #gone = false;
  #buffered = 0;

  // Time
  #alarm = Infinity;
  #bucket = 0;

  /** `readWhileBlocked` goes on reading from a peer that does not take its answers. */
  constructor(
    opened: Opened,
    transport: Transport,
    clock: Clock,
    sink: Sink,
    readWhileBlocked: boolean,
  ) {
    this.connection = opened.connection;
    this.transport = transport;
    this.#clock = clock;
    this.#sink = sink;
    this.#readWhileBlocked = readWhileBlocked;
    this.#inTurns = opened.extensions !== "";
  }

  /** Takes the transport over. */
  attach(): void {
    this.transport.attach(this);
  }

  /** Begins, with the bytes that came with the opening handshake. */
  start(rest: Uint8Array): void {
    if (rest.length > 0) this.received(rest);
    else this.#settle();
  }

  /** Bytes on their way out, in the connection and in the transport. */
  get bufferedAmount(): number {
    return this.connection.pendingOutput + (this.#gone ? 0 : this.transport.bufferedAmount);
  }

  /** Whether output waits for the peer to take what was sent before. */
  get blocked(): boolean {
    return this.#blocked;
  }

  now(): number {
    return this.#clock.now();
  }

  // --- From the transport ---

  // Nothing a peer sends makes the core throw, but want of memory can, and a codec of the
  // application's. It ends this connection alone.
  received(chunk: Uint8Array): void {
    try {
      if (this.#inTurns) this.#receiveInTurns(chunk);
      else this.#deliver(this.connection.receive(chunk, this.#clock.now()));
      this.#settle();
      this.#holdIfBlocked();
    } catch (error) {
      this.#sink.failed(error);
      this.#flush();
      this.abort();
    }
  }

  ended(): void {
    this.#inputEnded = true;
    if (this.#left !== undefined) return;
    this.#deliver(this.connection.receiveEnd(this.#clock.now()));
    this.#settle();
  }

  drained(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#settle();
    if (this.#blocked || this.#gone) return;
    this.release(Hold.output);
    this.#sink.drained();
  }

  closed(error?: Error): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#left = undefined;
    leaveTurn(this);
    this.#disarm();
    this.#deliver(this.connection.receiveEnd(this.#clock.now(), error));
    this.#sink.gone();
  }

  // --- From the clock, and from the turns ---

  wake(now: number): void {
    this.#alarm = Infinity;
    this.#noteProgress();
    this.#deliver(this.connection.tick(now));
    this.#settle();
    if (this.connection.state === "closed") this.abort();
  }

  takeTurn(): void {
    const left = this.#left;
    if (left === undefined || this.#isHeld) return;
    this.#left = undefined;
    this.received(left);
    if (this.#left !== undefined) return;
    if (this.#inputEnded) this.ended();
    this.release(Hold.turn);
  }

  // --- From the application, through the socket ---

  /** After every command: sees to it that the output leaves in this tick. */
  commit(): void {
    if (this.#dispatching || this.#flushing) {
      // A Close frame that waits behind the answers which are still being given would cut them off.
      if (this.connection.state === "open" && this.connection.pendingOutput >= FLUSH_FROM) {
        this.#flush();
      }
    } else if (this.connection.pendingOutput >= FLUSH_FROM) {
      this.#settle();
    } else {
      this.#flushing = true;
      flushSoon(this);
    }
  }

  /** The end of the tick has come. */
  flush(): void {
    this.#flushing = false;
    this.#settle();
  }

  /** Stops reading for a reason. */
  hold(reason: number): void {
    if (this.#holds === 0 && !this.#gone) this.transport.pause();
    this.#holds |= reason;
  }

  /** Takes back a `hold`. */
  release(reason: number): void {
    if ((this.#holds & reason) === 0) return;
    this.#holds &= ~reason;
    this.#deliver(NONE);
    if (!this.#dispatching) this.#settle();
    if (this.#gone) return;
    if (this.#holds === 0) this.transport.resume();
    else if (this.#left !== undefined && !this.#isHeld) waitForTurn(this);
  }

  /** Drops the transport at once. */
  abort(): void {
    this.#left = undefined;
    if (!this.#gone) this.transport.abort();
  }

  // --- Input ---

  #receiveInTurns(chunk: Uint8Array): void {
    if (this.#left !== undefined) {
      this.#left = concat([this.#left, chunk]);
      return;
    }
    const begun = performance.now();
    let at = 0;
    while (at < chunk.length && !this.#isHeld && !turnIsOver(begun, at)) {
      this.#deliver(this.connection.receive(chunk.subarray(at, at += PORTION), this.#clock.now()));
      // Behind a portion and not before it, for the reason that #holdIfBlocked has.
      if (this.#blocked && !this.#readWhileBlocked) break;
    }
    spendTurn(begun, at);
    if (at >= chunk.length || this.#gone) return;
    // In memory of its own: the chunk may only have been lent.
    this.#left = chunk.slice(at);
    this.hold(Hold.turn);
    waitForTurn(this);
  }

  /** Whether there is a reason to read no further, besides that it is another's turn. */
  get #isHeld(): boolean {
    return (this.#holds & ~Hold.turn) !== 0;
  }

  // --- Events ---

  // A handler may do anything, such as pause, or abort, which can end in another call of this
  // method: events never overtake each other.
  #deliver(events: readonly ConnectionEvent[]): void {
    if (this.#dispatching || (this.#holds & Hold.user) !== 0) return this.#keep(events, 0);
    this.#dispatching = true;
    for (let queue = this.#withHeld(events); queue.length > 0; queue = this.#withHeld(NONE)) {
      if (!this.#dispatch(queue)) break;
    }
    this.#dispatching = false;
  }

  /** Returns false when the sink has paused; the rest is held. */
  #dispatch(events: readonly ConnectionEvent[]): boolean {
    for (let i = 0; i < events.length; i++) {
      this.#sink.event(events[i]!);
      if ((this.#holds & Hold.user) === 0) continue;
      const later = this.#held;
      this.#held = NONE;
      this.#keep(events, i + 1);
      this.#keep(later, 0);
      return false;
    }
    return true;
  }

  #keep(events: readonly ConnectionEvent[], from: number): void {
    if (from >= events.length) return;
    if (this.#held === NONE) this.#held = [];
    for (let i = from; i < events.length; i++) this.#held.push(events[i]!);
  }

  #withHeld(events: readonly ConnectionEvent[]): readonly ConnectionEvent[] {
    if (this.#held === NONE) return events;
    const held = this.#held.concat(events);
    this.#held = NONE;
    return held;
  }

  // --- Output ---

  /** After any input: writes what is due, and sets the alarm anew. */
  #settle(): void {
    this.#flush();
    if (this.#gone) return;
    const { deadline } = this.connection;
    if (deadline < this.#alarm) this.#arm(deadline);
  }

  #flush(): void {
    const { connection } = this;
    if (this.#blocked || this.#gone) return;
    if (connection.pendingOutput > 0 && !this.transport.write(connection.takeOutput())) {
      this.#block();
    }
    if (connection.outputEnded && !this.#blocked && !this.#ended) this.#end();
  }

  // Reading stops behind a chunk, not at once: an application that sends whenever it can would be
  // blocked again before anything was read, and never hear of a Close.
  #holdIfBlocked(): void {
    if (this.#blocked && !this.#readWhileBlocked) this.hold(Hold.output);
  }

  #block(): void {
    this.#blocked = true;
    this.#buffered = this.transport.bufferedAmount;
  }

  #end(): void {
    this.#ended = true;
    this.transport.end();
  }

  // --- Time ---

  #arm(deadline: number): void {
    this.#disarm();
    this.#alarm = deadline;
    this.#bucket = this.#clock.schedule(this, deadline);
  }

  #disarm(): void {
    if (this.#alarm !== Infinity) this.#clock.cancel(this, this.#bucket);
    this.#alarm = Infinity;
  }

  // What the peer sends while nobody reads cannot tell that it lives. Then its taking of output
  // does.
  #noteProgress(): void {
    if ((this.#holds & (Hold.user | Hold.inbox | Hold.turn)) !== 0) {
      return this.connection.noteActivity();
    }
    if (!this.#blocked) return;
    const buffered = this.transport.bufferedAmount;
    if (buffered < this.#buffered) this.connection.noteActivity();
    this.#buffered = buffered;
  }
}
