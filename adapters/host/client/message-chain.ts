// The messages of several sockets, one after the other, as one iteration: those of a client that
// reconnects.

import { Deferred } from "../deferred.ts";
import type { Message } from "../socket/handlers.ts";
import { isQuiet, SocketClosedError } from "../socket/inbox.ts";
import type { Socket } from "../socket/socket.ts";
import type { AttemptEnd } from "./retry.ts";

/** So many sockets keep what nobody has read of them; beyond, the oldest is forgotten. */
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

  /** No more sockets follow; without an end it is a quiet one. */
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

// How one socket of many ended is no matter of who reads them all.
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
