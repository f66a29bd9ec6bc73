// The one place where a Machine of the core meets a transport and the clock. A pump lives as long
// as its transport. The machine changes: a handshake is followed by a connection, or by an answer.

import { giveBack } from "../../core/internal.ts";
import type { Machine } from "../../core/mod.ts";
import { type Clock, flushSoon, type Sleeper } from "./clock.ts";
import { type Context, plain, type Transport, type TransportEvents } from "./transport.ts";
import { TurnedInput } from "./turns.ts";

/** Hears what a machine reports. Its methods must not throw. */
export interface Sink<Event> {
  /** In order; held back while reading is paused with `Hold.user`. */
  event(event: Event): void;
  /** The output has fallen below the high-water mark again. */
  drained(): void;
  /** The machine threw: not the peer's fault. The transport is about to be dropped. */
  failed(error: unknown): void;
  /** The transport is gone. Events may wait for `release`: `last` is the last of them. */
  gone(last: Event | undefined): void;
}

/**
 * Reasons to stop reading, as bits: the application, a full queue of messages, output that the peer
 * does not take, input left for another turn, a handler that is waited for.
 */
export const Hold = { user: 1, inbox: 2, output: 4, turn: 8, handler: 16 } as const;

/** The reasons that hold back events besides reading. */
const HOLDS_EVENTS = Hold.user | Hold.handler;

/** How a machine is driven; both are false by default. */
export interface PumpOptions {
  /** Goes on reading from a peer that does not take its answers. */
  readonly readWhileBlocked?: boolean;
  /** Reads in turns: compressed bytes cost more than their number says. */
  readonly inTurns?: boolean;
}

/** A machine that wants to hear of the peer's life where nothing is read (RFC 6455 §5.5.2). */
interface Driven extends Machine<unknown> {
  /** Of a connection, which may owe a Close frame when it is not open any more. */
  readonly state?: string;
  noteActivity?(): void;
}

/** So much output does not wait for the end of the tick. */
const FLUSH_FROM = 256 * 1024;

const NONE: unknown[] = [];

/** Drives machines over one transport. */
export class Pump implements TransportEvents, Sleeper {
  readonly transport: Transport;
  readonly clock: Clock;
  /** The asynchronous context in which the sink is called, whatever the pump is woken by. */
  context: Context = plain;
  #machine: Driven;
  #sink: Sink<unknown>;

  // Reading
  #readWhileBlocked = false;
  /** Where input is read in turns. */
  #turns: TurnedInput | undefined;
  #holds = 0;
  /** The peer ended its side behind that. */
  #inputEnded = false;
  #dispatching = false;
  /** Events that the sink does not want, or cannot have, yet. */
  #held: unknown[] = NONE;

  // Writing
  #blocked = false;
  #flushing = false;
  #ended = false;
  #gone = false;
  #buffered = 0;

  // Time
  #alarm = Infinity;
  #bucket = 0;

  constructor(transport: Transport, clock: Clock, machine: Driven, sink: Sink<never>) {
    this.transport = transport;
    this.clock = clock;
    this.#machine = machine;
    this.#sink = sink as Sink<unknown>;
  }

  /** Takes the transport: writes what the machine has to say, and reads. */
  start(): void {
    this.transport.attach(this);
    this.#settle();
  }

  /** Replaces the machine, once the output of the one before is written. */
  drive(machine: Driven, sink: Sink<never>, options: PumpOptions = {}): void {
    this.#flush();
    this.#machine = machine;
    this.#sink = sink as Sink<unknown>;
    this.#readWhileBlocked = options.readWhileBlocked ?? false;
    if (options.inTurns) this.#turns = new TurnedInput(this);
  }

  /** Bytes on their way out, in the machine and in the transport. */
  get bufferedAmount(): number {
    return this.#machine.pendingOutput + (this.#gone ? 0 : this.transport.bufferedAmount);
  }

  /** Whether output waits for the peer to take what was sent before. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Whether the transport is gone. */
  get gone(): boolean {
    return this.#gone;
  }

  // --- From the transport ---

  // A machine throws for lack of memory, or in the application's codec: that ends this connection.
  received(chunk: Uint8Array): void {
    try {
      if (this.#turns === undefined) this.receivePortion(chunk);
      else this.#receiveInTurns(this.#turns, chunk);
      this.#settle();
      // Behind a chunk, not at once: an application that sends whenever it can would be blocked
      // again before anything was read, and never hear of a Close.
      if (this.stalled) this.hold(Hold.output);
    } catch (error) {
      this.#sink.failed(error);
      this.#flush();
      this.abort();
    }
  }

  ended(): void {
    this.#inputEnded = true;
    if (this.#turns?.waits) return;
    this.deliver(this.#machine.receiveEnd(this.clock.now()));
    this.#settle();
  }

  drained(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#settle();
    if (this.#blocked || this.#gone) return;
    this.release(Hold.output);
    this.context(() => this.#sink.drained());
  }

  closed(error?: Error): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#turns?.drop();
    this.#disarm();
    this.deliver(this.#machine.receiveEnd(this.clock.now(), error));
    this.#sink.gone(this.#held.at(-1));
  }

  // --- From the clock, and from the turns ---

  wake(now: number): void {
    this.#alarm = Infinity;
    this.#noteProgress();
    this.deliver(this.#machine.tick(now));
    this.#settle();
  }

  /** All input that was left has been read. */
  caughtUp(): void {
    if (this.#inputEnded) this.ended();
    this.release(Hold.turn);
  }

  /** The end of the tick has come. */
  flush(): void {
    this.#flushing = false;
    this.#settle();
  }

  // --- From above ---

  /** After every command to the machine: the output leaves in this tick. */
  commit(): void {
    const machine = this.#machine;
    const large = machine.pendingOutput >= FLUSH_FROM;
    if (this.#dispatching || this.#flushing) {
      // A Close frame that waits behind answers which are still being given would cut them off.
      if (large && machine.state === "open") this.#flush();
    } else if (large) {
      this.#settle();
    } else {
      this.#flushing = true;
      flushSoon(this);
    }
  }

  /** Hands events to the sink: the machine's, or none for those that were held. */
  deliver(events: readonly unknown[]): void {
    // A handler may pause or abort, and end up here again: events never overtake each other.
    if (this.#dispatching || (this.#holds & HOLDS_EVENTS) !== 0) return this.#keep(events, 0);
    if (events.length === 0 && this.#held === NONE) return;
    this.#dispatching = true;
    this.context(() => this.#dispatchAll(events));
    this.#dispatching = false;
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
    this.deliver(NONE);
    if (!this.#dispatching) this.#settle();
    if (this.#gone) return;
    if (this.#holds === 0) this.transport.resume();
    else if (this.#turns?.waits && !this.held) this.#turns.wait();
  }

  /** Drops the transport at once. */
  abort(): void {
    this.#turns?.drop();
    if (!this.#gone) this.transport.abort();
  }

  // --- Input ---

  #receiveInTurns(turns: TurnedInput, chunk: Uint8Array): void {
    turns.receive(chunk);
    if (this.#gone) turns.drop();
    else if (turns.waits) this.hold(Hold.turn);
  }

  receivePortion(portion: Uint8Array): void {
    this.deliver(this.#machine.receive(portion, this.clock.now()));
  }

  /** Whether there is a reason to read no further, other than the turns. */
  get held(): boolean {
    return (this.#holds & ~Hold.turn) !== 0;
  }

  /** Whether reading waits for output to leave. */
  get stalled(): boolean {
    return this.#blocked && !this.#readWhileBlocked;
  }

  // --- Events ---

  #dispatchAll(events: readonly unknown[]): void {
    for (let queue = this.#withHeld(events); queue.length > 0; queue = this.#withHeld(NONE)) {
      if (!this.#dispatch(queue)) break;
    }
  }

  /** Returns false when the sink has paused; the rest is held. */
  #dispatch(events: readonly unknown[]): boolean {
    for (let i = 0; i < events.length; i++) {
      this.#sink.event(events[i]!);
      if ((this.#holds & HOLDS_EVENTS) === 0) continue;
      const later = this.#held;
      this.#held = NONE;
      this.#keep(events, i + 1);
      this.#keep(later, 0);
      return false;
    }
    return true;
  }

  #keep(events: readonly unknown[], from: number): void {
    if (from >= events.length) return;
    if (this.#held === NONE) this.#held = [];
    for (let i = from; i < events.length; i++) this.#held.push(events[i]!);
  }

  #withHeld(events: readonly unknown[]): readonly unknown[] {
    if (this.#held === NONE) return events;
    const held = this.#held.concat(events);
    this.#held = NONE;
    return held;
  }

  // --- Output ---

  /** After any input: writes what is due, ends or drops the transport, and sets the alarm. */
  #settle(): void {
    this.#flush();
    if (this.#gone) return;
    if (this.#machine.expired) return this.abort();
    const { deadline } = this.#machine;
    if (deadline < this.#alarm) this.#arm(deadline);
  }

  #flush(): void {
    const machine = this.#machine;
    if (this.#blocked || this.#gone) return;
    if (machine.pendingOutput > 0) this.#write(machine.takeOutput());
    if (!machine.outputEnded || this.#blocked || this.#ended) return;
    this.#ended = true;
    this.transport.end();
  }

  #write(chunks: Uint8Array[]): void {
    const { transport } = this;
    this.#blocked = !transport.write(chunks);
    if (this.#blocked) this.#buffered = transport.bufferedAmount;
    else if (transport.done) giveBack(chunks);
  }

  // --- Time ---

  #arm(deadline: number): void {
    this.#disarm();
    this.#alarm = deadline;
    this.#bucket = this.clock.schedule(this, deadline);
  }

  #disarm(): void {
    if (this.#alarm !== Infinity) this.clock.cancel(this, this.#bucket);
    this.#alarm = Infinity;
  }

  // While nothing is read, only the peer's taking of output tells that it lives.
  #noteProgress(): void {
    const machine = this.#machine;
    const unread = HOLDS_EVENTS | Hold.inbox | Hold.turn;
    if ((this.#holds & unread) !== 0) return machine.noteActivity?.();
    if (!this.#blocked) return;
    const buffered = this.transport.bufferedAmount;
    if (buffered < this.#buffered) machine.noteActivity?.();
    this.#buffered = buffered;
  }
}
