// One iteration over the messages of a socket. It may be left, and a read of it aborted, without
// harm: the socket stays open, and the messages stay for whoever reads next.

import { offAbort, onAbort } from "../abort.ts";
import type { Message } from "./handlers.ts";
import type { Waiter } from "./inbox.ts";

/** Where messages come from. */
export interface MessageSource {
  next(waiter: Waiter): void;
  forget(waiter: Waiter): void;
}

const DONE: IteratorResult<Message, undefined> = { done: true, value: undefined };

/** An iterator over messages. */
export class Reading implements AsyncIterableIterator<Message, undefined> {
  readonly #source: MessageSource;
  readonly #signal: AbortSignal | undefined;
  readonly #waiters = new Set<Waiter>();
  #left = false;
  readonly #abort = (): void => this.#dismiss((waiter) => waiter.reject(this.#signal!.reason));

  /** An aborted signal makes every read fail with its reason. */
  constructor(source: MessageSource, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#signal = signal;
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    if (this.#left) return Promise.resolve(DONE);
    if (this.#signal?.aborted) return Promise.reject(this.#signal.reason);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        resolve: (result) => {
          this.#remove(waiter);
          resolve(result);
        },
        reject: (error) => {
          this.#remove(waiter);
          reject(error);
        },
      };
      this.#add(waiter);
      this.#source.next(waiter);
    });
  }

  return(): Promise<IteratorResult<Message, undefined>> {
    this.#left = true;
    this.#dismiss((waiter) => waiter.resolve(DONE));
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  // The signal is listened to only while somebody waits: an iteration that is not ended properly
  // must not cling to it.
  #add(waiter: Waiter): void {
    if (this.#signal !== undefined) onAbort(this.#signal, this.#abort);
    this.#waiters.add(waiter);
  }

  #remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size === 0 && this.#signal !== undefined) offAbort(this.#signal, this.#abort);
  }

  #dismiss(settle: (waiter: Waiter) => void): void {
    for (const waiter of this.#waiters) {
      this.#source.forget(waiter);
      settle(waiter);
    }
  }
}
