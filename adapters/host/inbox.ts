// Messages that wait for `for await`: a queue that says when it is full, and never loses what is in it.

import type { ClosedEvent } from "../../core/mod.ts";
import type { Message } from "./handlers.ts";

/** So many messages may wait before reading stops; what came in the same chunk still gets in. */
const FULL_AT = 32;

/** A socket that ended otherwise than by 1000, 1001, or a Close without a code. */
export class SocketClosedError extends Error {
  override readonly name = "SocketClosedError";
  /** How it ended. */
  readonly closed: ClosedEvent;

  constructor(closed: ClosedEvent) {
    const why = closed.reason === "" ? closed.cause : closed.reason;
    super(`the socket was closed with ${closed.code} (${why})`);
    this.closed = closed;
    if (closed.error !== undefined) this.cause = closed.error;
  }
}

interface Waiter {
  resolve(result: IteratorResult<Message, undefined>): void;
  reject(error: unknown): void;
}

/** The queue between a socket and whoever iterates over it. */
export class Inbox {
  #messages: Message[] = [];
  #waiters: Waiter[] = [];
  #closed: ClosedEvent | undefined;

  /** Takes a message. */
  push(message: Message): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) waiter.resolve({ done: false, value: message });
    else this.#messages.push(message);
  }

  /** Whether so many wait that no more should come. */
  get full(): boolean {
    return this.#messages.length >= FULL_AT;
  }

  /** Whether no message waits. */
  get empty(): boolean {
    return this.#messages.length === 0;
  }

  /** The next message, or the end after the last one. */
  next(): Promise<IteratorResult<Message, undefined>> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve({ done: false, value: message });
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      if (this.#closed === undefined) this.#waiters.push(waiter);
      else settle(waiter, this.#closed);
    });
  }

  /** No message will follow. */
  end(closed: ClosedEvent): void {
    this.#closed = closed;
    for (const waiter of this.#waiters.splice(0)) settle(waiter, closed);
  }
}

function settle({ resolve, reject }: Waiter, closed: ClosedEvent): void {
  if (isQuiet(closed)) resolve({ done: true, value: undefined });
  else reject(new SocketClosedError(closed));
}

// 1005 is what `socket.close()` of a browser sends: as ordinary an end as 1000.
function isQuiet({ code, clean }: ClosedEvent): boolean {
  return clean && (code === 1000 || code === 1001 || code === 1005);
}
