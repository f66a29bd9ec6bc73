// Listening to an application's AbortSignal: one listener for each signal, whoever of us waits for
// it. A signal for the life of a thousand connections would otherwise have thousands, of which Node
// warns from the eleventh on as of a leak.

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
