// Turns: compressed bytes do not tell what they cost, for one may stand for a thousand. They are
// read for a while, and the rest is left for another turn of the event loop, so that other
// connections are served in between. All connections of a process share that time.

import { concat } from "../../core/internal.ts";

/** Bytes read at once in turns. DEFLATE makes a thousand of one at best: 4 MiB in all. */
const PORTION = 4096;

/** Milliseconds of work in one turn of the event loop, beyond what is usual. */
const TURN = 10;
/**
 * Milliseconds that a byte may take: three times what compressed messages and the answers to them
 * do, and a tenth of a bomb's.
 */
const USUAL = 0.25 / 1000;

/** In the order of their turns. */
const waiting = new Set<TurnedInput>();
let spent = 0;
let scheduled = false;

/** Whether a turn that began at `begun`, and has read so many bytes, is over. */
function turnIsOver(begun: number, bytes: number): boolean {
  return spent + excess(begun, bytes) >= TURN;
}

/** Counts the work that began at `begun`. */
function spendTurn(begun: number, bytes: number): void {
  const cost = excess(begun, bytes);
  if (cost <= 0) return;
  spent += cost;
  schedule();
}

function excess(begun: number, bytes: number): number {
  return performance.now() - begun - bytes * USUAL;
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setTimeout(takeTurns, 0);
}

// A timer, and nothing faster: only behind one does every runtime look at its sockets again.
function takeTurns(): void {
  scheduled = false;
  spent = 0;
  for (const input of waiting) {
    if (spent >= TURN) return;
    waiting.delete(input);
    input.takeTurn();
  }
}

/** The pump whose input is read in turns. */
interface TurnedReader {
  /** Whether there is a reason to read no further, other than the turns. */
  readonly held: boolean;
  /** Whether its output waits, and reading waits for that. */
  readonly stalled: boolean;
  /** Takes a whole chunk, as from the transport. */
  received(chunk: Uint8Array): void;
  /** Gives a portion to the machine. */
  receivePortion(portion: Uint8Array): void;
  /** All that was left has been read. */
  caughtUp(): void;
}

/** The compressed input of one connection. */
export class TurnedInput {
  readonly #reader: TurnedReader;
  #left: Uint8Array | undefined;

  constructor(reader: TurnedReader) {
    this.#reader = reader;
  }

  /** Whether input is left for another turn. */
  get waits(): boolean {
    return this.#left !== undefined;
  }

  /** Reads the chunk as far as the turn goes. */
  receive(chunk: Uint8Array): void {
    if (this.#left !== undefined) {
      this.#left = concat([this.#left, chunk]);
      return;
    }
    const begun = performance.now();
    let at = 0;
    while (at < chunk.length && !this.#reader.held && !turnIsOver(begun, at)) {
      this.#reader.receivePortion(chunk.subarray(at, at += PORTION));
      // Behind a portion and not before it, as the pump says of blocked output.
      if (this.#reader.stalled) break;
    }
    spendTurn(begun, at);
    if (at >= chunk.length) return;
    this.#left = chunk.slice(at); // The chunk may only have been lent.
    this.wait();
  }

  /** Asks for another turn. */
  wait(): void {
    waiting.add(this);
    schedule();
  }

  takeTurn(): void {
    const left = this.#left;
    if (left === undefined || this.#reader.held) return;
    this.#left = undefined;
    this.#reader.received(left);
    if (this.#left === undefined) this.#reader.caughtUp();
  }

  /** Forgets what is left. */
  drop(): void {
    this.#left = undefined;
    waiting.delete(this);
  }
}
