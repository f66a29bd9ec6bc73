// Waiting, and giving it up: a promise with its resolve function outside, and an application's
// AbortSignal.
//
// A signal gets one listener, however many connections wait for it: from the eleventh on Node warns
// of a leak.

/** A promise that is fulfilled from outside: `Promise.withResolvers`, which Node 20 lacks. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;

  constructor() {
    this.promise = new Promise((resolve) => this.resolve = resolve);
  }
}

/** The value, or the signal's reason as soon as it is aborted. */
export async function unlessAborted<T>(value: T | Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let abort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort(signal, abort = () => reject(signal.reason));
  });
  try {
    return await Promise.race([value, aborted]);
  } finally {
    offAbort(signal, abort);
  }
}

const waiting = new WeakMap<AbortSignal, Waiting>();

class Waiting {
  readonly callbacks = new Set<() => void>();
  readonly #signal: AbortSignal;
  readonly #run = (): void => {
    for (const callback of [...this.callbacks]) if (this.callbacks.has(callback)) callback();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#run);
  }

  leave(callback: () => void): void {
    this.callbacks.delete(callback);
    if (this.callbacks.size > 0) return;
    this.#signal.removeEventListener("abort", this.#run);
    waiting.delete(this.#signal);
  }
}

/** Calls back when the signal is aborted. A callback that is there already is not called twice. */
export function onAbort(signal: AbortSignal, callback: () => void): void {
  let waiters = waiting.get(signal);
  if (waiters === undefined) waiting.set(signal, waiters = new Waiting(signal));
  waiters.callbacks.add(callback);
}

/** Takes `onAbort` back; does nothing for a callback that is not there. */
export function offAbort(signal: AbortSignal, callback: () => void): void {
  waiting.get(signal)?.leave(callback);
}
