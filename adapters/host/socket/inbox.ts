// Messages that wait to be read: a bounded queue that never loses what is in it, and the iterations
// that read from it.

import type { ClosedEvent } from "../../../core/mod.ts";
import { offAbort, onAbort } from "../waiting.ts";

/** A received message: text as a string (as bytes with `text: "bytes"`), binary as bytes. */
export type Message = string | Uint8Array;

/** Which kind of message the peer sent. */
export type MessageKind = "text" | "binary";

/** Messages that may wait before reading stops; those of the same chunk still get in. */
const FULL_AT = 32;

/** Bytes, or characters, that do the same: 32 messages of the largest size would be too much. */
const FULL_AT_SIZE = 1024 * 1024;

/** A socket that ended otherwise than by 1000, 1001, or a Close without a code. */
export class SocketClosedError extends Error {
  /** Tells the error apart where `instanceof` cannot: where the library was loaded twice. */
  override readonly name = "SocketClosedError";
  /** How it ended. */
  readonly closed: ClosedEvent;

  /** The message has the code, and the reason or else the cause; `cause` is the event's `error`. */
  constructor(closed: ClosedEvent) {
    const why = closed.reason === "" ? closed.cause : closed.reason;
    super(`the socket was closed with ${closed.code} (${why})`);
    this.closed = closed;
    if (closed.error !== undefined) this.cause = closed.error;
  }
}

/** Whether it is an ordinary end: 1005 is what `close()` of a browser sends, like 1000. */
export function isQuiet({ code, clean }: ClosedEvent): boolean {
  return clean && (code === 1000 || code === 1001 || code === 1005);
}

/** A read that waits for the next message. */
export interface Waiter {
  resolve(result: IteratorResult<Message, undefined>): void;
  reject(error: unknown): void;
}

/** The queue between a socket and its readers. */
export class Inbox {
  #messages: Message[] = [];
  /** Where the queue begins: thousands of small messages may come in one chunk. */
  #first = 0;
  #size = 0;
  #waiters: Waiter[] = [];
  #closed: ClosedEvent | undefined;

  /** Takes a message. */
  push(message: Message): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) return waiter.resolve({ done: false, value: message });
    this.#messages.push(message);
    this.#size += message.length;
  }

  /** Whether so many wait that no more should come. */
  get full(): boolean {
    return this.#messages.length - this.#first >= FULL_AT || this.#size >= FULL_AT_SIZE;
  }

  /** Whether no message waits. */
  get empty(): boolean {
    return this.#messages.length === 0;
  }

  /** Gives the waiter the next message, or the end after the last one, as soon as it is there. */
  next(waiter: Waiter): void {
    if (!this.empty) waiter.resolve({ done: false, value: this.#shift() });
    else if (this.#closed === undefined) this.#waiters.push(waiter);
    else settle(waiter, this.#closed);
  }

  /** The waiter no longer waits. */
  forget(waiter: Waiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index !== -1) this.#waiters.splice(index, 1);
  }

  /** No message will follow. */
  end(closed: ClosedEvent): void {
    this.#closed = closed;
    for (const waiter of this.#waiters.splice(0)) settle(waiter, closed);
  }

  #shift(): Message {
    const message = this.#messages[this.#first]!;
    this.#messages[this.#first++] = "";
    this.#size -= message.length;
    if (this.#first === this.#messages.length) {
      this.#messages = [];
      this.#first = 0;
    }
    return message;
  }
}

function settle({ resolve, reject }: Waiter, closed: ClosedEvent): void {
  if (isQuiet(closed)) resolve(DONE);
  else reject(new SocketClosedError(closed));
}

/** Where messages come from. */
export interface MessageSource {
  next(waiter: Waiter): void;
  forget(waiter: Waiter): void;
}

const DONE: IteratorResult<Message, undefined> = { done: true, value: undefined };

/**
 * One iteration over the messages of a socket. Leaving it, or aborting a read, does no harm: the
 * socket stays open, and the next reader gets the messages.
 */
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

  // The signal is listened to only during a read: an iteration that is not ended properly must not
  // stay in its list.
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
