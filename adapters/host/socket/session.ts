// Session: the inside of one open WebSocket. Events of the connection become calls of handlers, the
// application's wishes become commands.
//
// Its public face is socket.ts; bytes, deadlines and the transport are pump.ts's.

import {
  CloseCode,
  type ClosedEvent,
  type Connection,
  type ConnectionEvent,
  type Opened,
  PreparedMessage,
  type SendOptions,
  UsageError,
} from "../../../core/mod.ts";
import { Hold, type Pump, type Sink } from "../pump.ts";
import type { Topics } from "../topics.ts";
import { Deferred, Ending, isThenable } from "../waiting.ts";
import { call, report, type SocketHandlers } from "./handlers.ts";
import { Inbox, type Message, type MessageKind, SocketClosedError, type Waiter } from "./inbox.ts";
import {
  checkSendable,
  isIterable,
  type Outgoing,
  type PieceSource,
  type Sendable,
  sendPieces,
  type SendResult,
  sizeOf,
} from "./sending.ts";

/** How much may wait for a peer that does not read, and what happens beyond. */
export interface Backpressure {
  /** Bytes that may wait for one socket, the pending message included. Default 16 MiB. */
  readonly maxBufferedAmount: number;
  /**
   * `"close"` ends the socket with 1013, `"drop"` refuses the message. Default `"close"`: a gap in
   * a stream is worse.
   */
  readonly onOverflow: "close" | "drop";
  /**
   * Goes on reading from a peer that does not take its answers. Default false on a server, where
   * such a peer must not cost memory, and true on a client.
   */
  readonly readWhileBlocked: boolean;
}

/** What all sockets of one owner share; each session has only a reference to it. */
export interface Owner<S> {
  readonly handlers: SocketHandlers<S>;
  readonly backpressure: Backpressure;
  readonly topics: Topics<S & object>;
  /** Whether the next message waits for the promise that a `message` handler returns. */
  readonly ordered: boolean;
  /** The session's transport is gone. */
  forget(session: Session<S>): void;
}

/** A message that waits behind one that is sent in pieces. */
type Waiting = readonly [data: Outgoing, options: SendOptions | undefined];

/** One open WebSocket; `S` is its public face. */
export class Session<S> implements Sink<ConnectionEvent> {
  readonly socket: S;
  readonly owner: Owner<S>;
  readonly pump: Pump;
  readonly connection: Connection;
  #outcome: ClosedEvent | undefined;
  /** The outcome, where events are held back when the transport is gone. */
  #lost: ClosedEvent | undefined;
  /** This end has begun to close, or has tried to. */
  #leaving = false;

  // Made when they are first needed: most sockets never do
  #inbox: Inbox | undefined;
  #closed: Deferred<ClosedEvent> | undefined;
  #ready: Deferred<void> | undefined;
  /** Messages behind the one that is sent in pieces; `undefined` when there is no such one. */
  #waiting: Waiting[] | undefined;
  #waitingSize = 0;
  #ending: Ending | undefined;
  #unblocked: Deferred<void> | undefined;

  /** `face` makes the public face. */
  constructor(
    { connection, extensions }: Opened,
    pump: Pump,
    owner: Owner<S>,
    face: (session: Session<S>) => S,
  ) {
    this.connection = connection;
    this.pump = pump;
    this.owner = owner;
    this.socket = face(this);
    const { readWhileBlocked } = owner.backpressure;
    pump.drive(connection, this, { readWhileBlocked, inTurns: extensions !== "" });
  }

  /** Begins, with the bytes that came with the opening handshake. */
  start(rest: Uint8Array): void {
    this.#run(() => this.owner.handlers.open?.(this.socket));
    this.pump.received(rest);
  }

  // --- For the socket ---

  get bufferedAmount(): number {
    return this.pump.bufferedAmount + this.#waitingSize;
  }

  get closed(): Promise<ClosedEvent> {
    if (this.#closed === undefined) {
      this.#closed = new Deferred();
      if (this.#outcome !== undefined) this.#closed.resolve(this.#outcome);
    }
    return this.#closed.promise;
  }

  send(data: Sendable, options: SendOptions | undefined): SendResult {
    const message = checkSendable(data);
    if (!this.connection.canSend) return "dropped";
    const size = sizeOf(message);
    if (this.bufferedAmount + size > this.owner.backpressure.maxBufferedAmount) {
      return this.#overflow();
    }
    if (this.#waiting !== undefined) {
      this.#waiting.push([message, options]);
      this.#waitingSize += size;
      return "queued";
    }
    this.#submit(message, options);
    this.pump.commit();
    return this.pump.blocked ? "queued" : "sent";
  }

  async sendStream(source: PieceSource, options: SendOptions | undefined): Promise<void> {
    if (!isIterable(source)) throw new UsageError("sendStream takes an iterable of pieces");
    if (this.#waiting !== undefined) {
      throw new UsageError("another message is being sent piece by piece");
    }
    this.#waiting = [];
    const ending = this.#ending = new Ending();
    const outcome = this.#outcome ?? this.#lost;
    if (outcome !== undefined) ending.end(new SocketClosedError(outcome));
    try {
      await sendPieces((data, final) => this.#sendPiece(data, final, options), source, ending);
    } catch (error) {
      this.close(CloseCode.internalError, "");
      throw error;
    } finally {
      this.#sendWaiting();
    }
  }

  // The same as `send` says: while a message is sent piece by piece, others wait behind it.
  ready(): Promise<void> {
    if (!this.pump.blocked && this.#waiting === undefined) return Promise.resolve();
    this.#ready ??= new Deferred();
    return this.#ready.promise;
  }

  ping(payload: Uint8Array | undefined): void {
    if (this.connection.state !== "open") return;
    this.connection.ping(payload);
    this.pump.commit();
  }

  close(code: number, reason: string): void {
    this.#leaving = true;
    this.connection.close(code, reason, this.pump.clock.now());
    this.pump.release(Hold.inbox);
    this.pump.commit();
  }

  next(waiter: Waiter): void {
    const inbox = this.#openInbox();
    inbox.next(waiter);
    if (inbox.empty) this.pump.release(Hold.inbox);
  }

  forget(waiter: Waiter): void {
    this.#inbox?.forget(waiter);
  }

  // --- From the pump ---

  event(event: ConnectionEvent): void {
    const { handlers } = this.owner;
    const { socket } = this;
    switch (event.type) {
      case "text":
      case "utf8":
        return this.#receive(event.data, "text");
      case "binary":
        return this.#receive(event.data, "binary");
      case "piece":
        return this.#receivePiece(event.data, event.final, event.opcode);
      case "ping":
        return this.#run(() => handlers.ping?.(socket, event.data));
      case "pong":
        return this.#run(() => handlers.pong?.(socket, event.data));
      case "closing":
        return this.#run(() => handlers.closing?.(socket, event.code, event.reason));
      case "closed":
        return this.#end(event);
    }
  }

  drained(): void {
    this.#becomeReady();
    this.#run(() => this.owner.handlers.drain?.(this.socket));
  }

  failed(error: unknown): void {
    report(this.owner.handlers, error, this.socket);
    this.close(CloseCode.internalError, "");
  }

  // A handler that is waited for, or a paused reader, may itself wait for what it sends.
  gone(last: ConnectionEvent | undefined): void {
    if (last?.type === "closed") {
      this.#lost = last;
      this.#ending?.end(new SocketClosedError(last));
    }
    this.#becomeReady();
    this.owner.topics.forget(this.socket as S & object);
    this.owner.forget(this);
  }

  // --- Receiving ---

  // Like #run, without a closure for each message.
  #receive(data: Message, kind: MessageKind): void {
    const { handlers } = this.owner;
    if (handlers.message === undefined) return this.#enqueue(data);
    try {
      this.#await(handlers.message(this.socket, data, kind));
    } catch (error) {
      this.failed(error);
    }
  }

  #receivePiece(data: Message, final: boolean, kind: MessageKind): void {
    try {
      this.#await(this.owner.handlers.piece?.(this.socket, data, final, kind));
    } catch (error) {
      this.failed(error);
    }
  }

  #await(result: unknown): void {
    if (!isThenable(result)) return;
    const { ordered } = this.owner;
    const settled = Promise.resolve(result).catch((error: unknown) => this.failed(error));
    if (ordered) this.pump.hold(Hold.handler);
    settled.finally(() => {
      if (ordered) this.pump.release(Hold.handler);
    });
  }

  // Reading stops when too many wait. After a `close` of this end it must not, or the peer's answer
  // would never be read; then what is not read in time is dropped.
  #enqueue(message: Message): void {
    const inbox = this.#openInbox();
    if (inbox.full && this.#leaving) return;
    inbox.push(message);
    if (inbox.full && !this.#leaving) this.pump.hold(Hold.inbox);
  }

  #openInbox(): Inbox {
    if (this.#inbox === undefined) {
      this.#inbox = new Inbox();
      if (this.#outcome !== undefined) this.#inbox.end(this.#outcome);
    }
    return this.#inbox;
  }

  #end(event: ClosedEvent): void {
    this.#outcome = event;
    this.#closed?.resolve(event);
    this.#inbox?.end(event);
    this.#ending?.end(new SocketClosedError(event));
    this.#run(() => this.owner.handlers.close?.(this.socket, event));
  }

  // --- Sending ---

  #submit(message: Outgoing, options: SendOptions | undefined): void {
    if (typeof message === "string") this.connection.sendText(message, options);
    else if (message instanceof PreparedMessage) this.connection.sendPrepared(message);
    else this.connection.sendBinary(message, options);
  }

  #overflow(): SendResult {
    if (this.owner.backpressure.onOverflow === "close") {
      this.close(CloseCode.tryAgainLater, "too much output waits");
    }
    return "dropped";
  }

  // A socket that is closing rejects once it is closed, through `#ending`.
  #sendPiece(data: Message, final: boolean, options: SendOptions | undefined): Promise<void> {
    if (this.connection.state !== "open") return new Promise(() => {});
    this.connection.sendFragment(data, final, options);
    this.pump.commit();
    return this.#drained();
  }

  /** Fulfilled when the peer can take more. */
  #drained(): Promise<void> {
    if (!this.pump.blocked) return Promise.resolve();
    this.#unblocked ??= new Deferred();
    return this.#unblocked.promise;
  }

  #sendWaiting(): void {
    const waiting = this.#waiting!;
    this.#waiting = undefined;
    this.#waitingSize = 0;
    for (const [message, options] of waiting) this.send(message, options);
    if (!this.pump.blocked) this.#becomeReady();
  }

  #becomeReady(): void {
    this.#unblocked?.resolve();
    this.#unblocked = undefined;
    if (this.#waiting !== undefined && !this.pump.gone) return;
    this.#ready?.resolve();
    this.#ready = undefined;
  }

  #run(handler: () => unknown): void {
    void call(handler, (error) => this.failed(error));
  }
}
