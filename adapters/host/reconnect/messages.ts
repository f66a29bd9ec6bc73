// Messages between connections: a bounded queue of those to send, and the received ones of all
// sockets as one iteration. reconnecting.ts fills and empties both. A message that was given to a
// connection is not here any more.

import type { SendOptions } from "../../../core/mod.ts";
import { type Check, type Checks, members, number, oneOf, withDefaults } from "../check.ts";
import { isQuiet, type Message, SocketClosedError } from "../socket/inbox.ts";
import { checkSendable, type Outgoing, type Sendable, sizeOf } from "../socket/sending.ts";
import type { Socket } from "../socket/socket.ts";
import { Deferred } from "../waiting.ts";
import type { AttemptEnd } from "./retry.ts";

/** How much may wait. */
export interface QueueOptions {
  /** Default 1024. */
  readonly maxMessages: number;
  /** Bytes, or characters of text. Default 1 MiB. */
  readonly maxSize: number;
  /** Without room: refuse the new message, or drop the oldest. Default `"refuse-newest"`. */
  readonly onOverflow: "refuse-newest" | "drop-oldest";
}

/** A message that waits. */
export interface QueuedMessage {
  readonly data: Outgoing;
  readonly options: SendOptions | undefined;
}

const DEFAULTS: QueueOptions = {
  maxMessages: 1024,
  maxSize: 1024 * 1024,
  onOverflow: "refuse-newest",
};

const QUEUE: Checks<QueueOptions> = {
  maxMessages: number(0),
  maxSize: number(0),
  onOverflow: oneOf("refuse-newest", "drop-oldest"),
};

/** How much may wait. */
export const queue: Check = members(QUEUE);

/** A bounded queue of messages. */
export class SendingQueue {
  /** Bytes, or characters of text, that wait. */
  size = 0;
  readonly #options: QueueOptions;
  readonly #messages: QueuedMessage[] = [];

  constructor(given: Partial<QueueOptions> = {}) {
    this.#options = withDefaults(DEFAULTS, given);
  }

  /** How many wait. */
  get length(): number {
    return this.#messages.length;
  }

  /**
   * Takes a message; returns false when there is no room for it.
   *
   * @throws {UsageError} for data of a kind that cannot be sent
   */
  push(given: Sendable, options: SendOptions | undefined): boolean {
    const { maxMessages, maxSize, onOverflow } = this.#options;
    const data = checkSendable(given);
    const size = sizeOf(data);
    if (maxMessages < 1 || size > maxSize) return false;
    while (this.length >= maxMessages || this.size + size > maxSize) {
      if (onOverflow === "refuse-newest") return false;
      this.shift();
    }
    this.#messages.push({ data, options });
    this.size += size;
    return true;
  }

  /** Takes the oldest message. */
  shift(): QueuedMessage | undefined {
    const message = this.#messages.shift();
    if (message !== undefined) this.size -= sizeOf(message.data);
    return message;
  }

  /** Drops all messages. */
  clear(): void {
    this.#messages.length = 0;
    this.size = 0;
  }
}

/** Sockets whose unread messages are kept; beyond, those of the oldest socket are dropped. */
const MAX_SOCKETS = 16;

/** A growing list of sockets whose messages are to be read. */
export class MessageChain implements AsyncIterable<Message> {
  #sockets: Socket<unknown>[] = [];
  #news = new Deferred<void>();
  #over = false;
  #end: AttemptEnd | undefined;

  /** Another socket's messages follow. */
  add(socket: Socket<unknown>): void {
    this.#sockets.push(socket);
    if (this.#sockets.length > MAX_SOCKETS) this.#sockets.shift();
    this.#announce();
  }

  /** No more sockets follow; without an end the iteration ends quietly. */
  finish(end: AttemptEnd | undefined): void {
    this.#over = true;
    this.#end = end;
    this.#announce();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, undefined> {
    for (;;) {
      const [socket] = this.#sockets;
      if (socket !== undefined) {
        yield* messagesOf(socket);
        this.#sockets = this.#sockets.filter((other) => other !== socket);
      } else if (!this.#over) {
        await this.#news.promise;
      } else {
        return throwUnlessQuiet(this.#end);
      }
    }
  }

  #announce(): void {
    this.#news.resolve();
    this.#news = new Deferred();
  }
}

// How one of many sockets ended does not concern the reader of them all.
async function* messagesOf(socket: Socket<unknown>): AsyncGenerator<Message, undefined> {
  try {
    yield* socket;
  } catch (error) {
    if (!(error instanceof SocketClosedError)) throw error;
  }
}

function throwUnlessQuiet(end: AttemptEnd | undefined): undefined {
  if (end === undefined) return;
  if (end.closed === undefined) throw end.error;
  if (end.closed.cause !== "local" && !isQuiet(end.closed)) throw new SocketClosedError(end.closed);
}
