// Turns: compressed bytes do not tell what they cost, for one may stand for a thousand. Whoever
// reads them does so for a while, and leaves what remains for another turn of the event loop, so
// that everybody else is served in between. All connections of a process share the time there is,
// and those that have something left go one after the other.

/** Something with work left. */
export interface Waiter {
  takeTurn(): void;
}

/** Milliseconds of work in one turn of the event loop, beyond what is usual. */
const TURN = 10;
/**
 * Milliseconds that a byte may take: three times what compressed messages do, with the answers to
 * them, and a tenth of a bomb's.
 */
const USUAL = 0.25 / 1000;

/** In the order of their turns. */
const waiting = new Set<Waiter>();
let spent = 0;
let scheduled = false;

/** Whether the turn of who began at `begun`, and has read so many bytes, is over. */
export function turnIsOver(begun: number, bytes: number): boolean {
  return spent + excess(begun, bytes) >= TURN;
}

/** Counts the work that began at `begun`. */
export function spendTurn(begun: number, bytes: number): void {
  const cost = excess(begun, bytes);
  if (cost <= 0) return;
  spent += cost;
  schedule();
}

/** Asks for a call of `takeTurn`, once. */
export function waitForTurn(waiter: Waiter): void {
  waiting.add(waiter);
  schedule();
}

/** Takes that back. */
export function leaveTurn(waiter: Waiter): void {
  waiting.delete(waiter);
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
  for (const waiter of waiting) {
    if (spent >= TURN) return;
    waiting.delete(waiter);
    waiter.takeTurn();
  }
}
