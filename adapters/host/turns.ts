// Turns: compressed bytes do not tell what they cost, for one may stand for a thousand. Whoever reads them does so for a while, and
// leaves what remains for another turn of the event loop, so that everybody else is served in between. All connections of a process
// share the time there is, and those that have something left go one after the other.

/** Something with work left. */
export interface Waiter {
  takeTurn(): void;
}

/** Milliseconds of such work in one turn of the event loop. */
const TURN = 10;
/** Milliseconds of work that are not worth counting: the turn ends by itself before many of them come together. */
const TRIFLE = 0.05;

/** In the order of their turns. */
const waiting = new Set<Waiter>();
let spent = 0;
let scheduled = false;

/** Whether the turn of who began at `begun` is over. */
export function turnIsOver(begun: number): boolean {
  return spent + performance.now() - begun >= TURN;
}

/** Counts the work that began at `begun`. */
export function spendTurn(begun: number): void {
  const cost = performance.now() - begun;
  if (cost < TRIFLE) return;
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
