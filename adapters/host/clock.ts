// Time for all connections of a process: one monotonic clock, and one timer for every deadline
// there is.
//
// Deadlines are kept in buckets a few hundred milliseconds wide, because a connection's deadlines
// are seconds away and move often: adding and removing is a set operation, and a deadline that
// moved further away is found out only when its bucket comes up.

/** Something to be woken. */
export interface Sleeper {
  wake(now: number): void;
}

/**
 * Width of a bucket in milliseconds: how late a deadline may be noticed, but for the event loop's
 * own delay.
 */
const RESOLUTION = 128;

// The longest delay that a 32-bit timer can take; a deadline beyond it is looked at again then.
const LONGEST_DELAY = 0x7fff_ffff;

type Timer = ReturnType<typeof setTimeout>;

/** A clock with an alarm for any number of sleepers, each with one deadline. */
export class Clock {
  readonly #buckets = new Map<number, Set<Sleeper>>();
  /** The bucket that the timer waits for. */
  #next = Infinity;
  #timer: Timer | undefined;

  /** Whole milliseconds since some moment in the past; never goes back. */
  now(): number {
    return Math.trunc(performance.now());
  }

  /** Asks for a call of `wake` once the deadline has passed; returns what `cancel` needs. */
  schedule(sleeper: Sleeper, deadline: number): number {
    const bucket = Math.ceil(deadline / RESOLUTION);
    let sleepers = this.#buckets.get(bucket);
    if (sleepers === undefined) this.#buckets.set(bucket, sleepers = new Set());
    sleepers.add(sleeper);
    if (bucket < this.#next) this.#arm(bucket);
    return bucket;
  }

  /**
   * Takes back a `schedule` that returned `bucket`. The timer stays: a call in vain costs less than
   * moving it each time.
   */
  cancel(sleeper: Sleeper, bucket: number): void {
    const sleepers = this.#buckets.get(bucket);
    if (sleepers !== undefined && sleepers.delete(sleeper) && sleepers.size === 0) {
      this.#buckets.delete(bucket);
    }
  }

  #arm(bucket: number): void {
    clearTimeout(this.#timer);
    this.#next = bucket;
    const delay = Math.min(bucket * RESOLUTION - this.now(), LONGEST_DELAY);
    this.#timer = setTimeout(() => this.#ring(), Math.max(delay, 0));
    letGo(this.#timer);
  }

  #armEarliest(): void {
    let earliest = Infinity;
    for (const bucket of this.#buckets.keys()) earliest = Math.min(earliest, bucket);
    this.#next = Infinity;
    if (earliest !== Infinity) this.#arm(earliest);
  }

  #ring(): void {
    const now = this.now();
    // Who is woken goes to sleep again, mostly for longer than others that sleep: the next bucket
    // is looked for when all are done.
    this.#next = -Infinity;
    for (const [bucket, sleepers] of this.#buckets) {
      if (bucket * RESOLUTION > now) continue;
      this.#buckets.delete(bucket);
      for (const sleeper of sleepers) sleeper.wake(now);
    }
    this.#armEarliest();
  }
}

// A timer must not keep a process alive whose sockets are gone. Node and Bun have a method for
// that, Deno a function.
function letGo(timer: Timer): void {
  const { Deno } = globalThis as { Deno?: { unrefTimer(timer: Timer): void; }; };
  if (typeof timer === "object") timer.unref();
  else Deno?.unrefTimer(timer);
}

/**
 * Calls back after so many milliseconds, however many they are; `Infinity` is never. The timer
 * keeps the process alive. What is returned takes that back.
 */
export function after(delay: number, callback: () => void): () => void {
  let timer: Timer | undefined;
  const wait = (left: number): void => {
    if (left === Infinity) return;
    const step = Math.min(left, LONGEST_DELAY);
    timer = setTimeout(() => left > step ? wait(left - step) : callback(), step);
  };
  wait(delay);
  return () => clearTimeout(timer);
}

// --- The end of a tick ---
//
// Sends from outside of an input, such as a timer's or a publish to many, leave together: one
// microtask for all connections.

/** Something with output that waits for the end of the tick. */
export interface Flusher {
  flush(): void;
}

let flushers: Flusher[] = [];

/** Calls `flush` before the event loop goes on. */
export function flushSoon(flusher: Flusher): void {
  if (flushers.length === 0) queueMicrotask(flushAll);
  flushers.push(flusher);
}

function flushAll(): void {
  const batch = flushers;
  flushers = [];
  for (const flusher of batch) flusher.flush();
}
