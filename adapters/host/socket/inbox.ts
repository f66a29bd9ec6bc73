// Messages that wait for `for await`: a queue that says when it is full, and never loses what is in
// it.

import type { ClosedEvent } from "../../../core/mod.ts";
import type { Message } from "./handlers.ts";

/** So many messages may wait before reading stops; what came in the same chunk still gets in. */
const FULL_AT = 32;

/**
 * So many bytes, or characters, do the same: 32 messages of the largest size would be far too much.
 */
const FULL_AT_SIZE = 1024 * 1024;

/** A socket that ended otherwise than by 1000, 1001, or a Close without a code. */
export class SocketClosedError extends Error {
  /** Tells the error apart where `instanceof` cannot: where the library was loaded twice. */
  override readonly name = "SocketClosedError";
  /** How it ended. */
  readonly closed: ClosedEvent;

  /**
   * The message has the code and the reason, or, without one, the cause; `cause` is the event's
   * `error`, if it has one.
   */
  constructor(closed: ClosedEvent) {
    const why = closed.reason === "" ? closed.cause : closed.reason;
    super(`the socket was closed with ${closed.code} (${why})`);
    this.closed = closed;
    if (closed.error !== undefined) this.cause = closed.error;
  }
}

/** Somebody who waits for the next message. */
export interface Waiter {
  resolve(result: IteratorResult<Message, undefined>): void;
  reject(error: unknown): void;
}

/** The queue between a socket and whoever iterates over it. */
export class Inbox {
  #messages: Message[] = [];
  /**
   * Where the queue begins: thousands of small messages may come in one chunk, and moving them up
   * each time would take seconds.
   */
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

  /**
   * Gives the waiter the next message, or the end after the last one; at once, or as soon as it is
   * there.
   */
  next(waiter: Waiter): void {
    if (!this.empty) waiter.resolve({ done: false, value: this.#shift() });
    else if (this.#closed === undefined) this.#waiters.push(waiter);
    else settle(waiter, this.#closed);
  }

  /** The waiter no longer waits: what comes is for others. */
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
  if (isQuiet(closed)) resolve({ done: true, value: undefined });
  else reject(new SocketClosedError(closed));
}

/**
 * Whether it is an ordinary end: 1005 is what `socket.close()` of a browser sends, and no worse
 * than 1000.
 */
export function isQuiet({ code, clean }: ClosedEvent): boolean {
  return clean && (code === 1000 || code === 1001 || code === 1005);
}
