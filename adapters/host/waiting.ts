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

/** Whether the value is a promise, of this realm or another: it is judged by what it can do. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === "function";
}

/** Races what an application is waited for with the end of its peer. */
export class Ending {
  readonly #waiting = new Set<(error: Error) => void>();
  #error: Error | undefined;

  /** The peer is gone: all races are lost, and all that follow. */
  end(error: Error): void {
    this.#error = error;
    for (const lose of this.#waiting) lose(error);
    this.#waiting.clear();
  }

  /** The value; rejects as soon as the peer is gone. */
  race<T>(value: T | PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) return reject(this.#error);
      this.#waiting.add(reject);
      const leave = (): void => void this.#waiting.delete(reject);
      Promise.resolve(value).finally(leave).then(resolve, reject);
    });
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
