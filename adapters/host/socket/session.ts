// Session: what is behind one open WebSocket. Events become calls of handlers, the application's
// wishes become commands.
//
// Its public face is socket.ts; bytes, deadlines and the transport are driver.ts's.

import type { ClosedEvent, ConnectionEvent, Opened, SendOptions } from "../../../core/mod.ts";
import { CloseCode, PreparedMessage, UsageError } from "../../../core/mod.ts";
import { Deferred } from "../deferred.ts";
import { Driver, Hold, type Sink } from "../driver.ts";
import type { Transport } from "../transport.ts";
import type { Message, MessageKind, Owner, Sendable } from "./handlers.ts";
import { Inbox, SocketClosedError, type Waiter } from "./inbox.ts";
import { report } from "./report.ts";
import { checkSendable, sizeOf } from "./sendable.ts";
import { type SendResult, Socket } from "./socket.ts";
import { sendPieces } from "./stream.ts";

/** A message that waits behind one that is sent in pieces. */
type Waiting = readonly [
  data: string | Uint8Array | PreparedMessage,
  options: SendOptions | undefined,
];

/** One open WebSocket, from the inside. */
export class Session<Data> implements Sink {
  readonly socket: Socket<Data>;
  readonly owner: Owner<Data>;
  readonly driver: Driver;
  #outcome: ClosedEvent | undefined;
  /** This side has begun to close, or has tried to. */
  #leaving = false;

  // Made when they are first needed: most sockets never do
  #inbox: Inbox | undefined;
  #closed: Deferred<ClosedEvent> | undefined;
  #ready: Deferred<void> | undefined;
  /** Messages behind the one that is sent in pieces; `undefined` when there is no such one. */
  #waiting: Waiting[] | undefined;
  #waitingSize = 0;

  constructor(opened: Opened, transport: Transport, owner: Owner<Data>, data: Data) {
    this.socket = new Socket(this, opened, data);
    this.owner = owner;
    this.driver = new Driver(
      opened,
      transport,
      owner.clock,
      this,
      owner.backpressure.readWhileBlocked,
    );
  }

  /** Begins, with the bytes that came with the opening handshake. */
  start(rest: Uint8Array): void {
    // First, because what `open` does may end the transport within the call.
    this.driver.attach();
    this.#run(() => this.owner.handlers.open?.(this.socket));
    this.driver.start(rest);
  }

  // --- For the socket ---

  get bufferedAmount(): number {
    return this.driver.bufferedAmount + this.#waitingSize;
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
    if (!this.driver.connection.canSend) return "dropped";
    const size = sizeOf(message);
    if (this.bufferedAmount + size > this.owner.backpressure.maxBufferedAmount) {
      return this.#refuse();
    }
    if (this.#waiting !== undefined) {
      this.#waiting.push([message, options]);
      this.#waitingSize += size;
      return "queued";
    }
    this.#submit(message, options);
    this.driver.commit();
    return this.driver.blocked ? "queued" : "sent";
  }

  async sendStream(
    source: AsyncIterable<Message> | Iterable<Message>,
    options: SendOptions | undefined,
  ): Promise<void> {
    if (this.#waiting !== undefined) {
      throw new UsageError("another message is being sent piece by piece");
    }
    this.#waiting = [];
    try {
      await sendPieces((data, final) => this.#sendPiece(data, final, options), source);
    } catch (error) {
      this.close(CloseCode.internalError, "");
      throw error;
    } finally {
      this.#sendWaiting();
    }
  }

  ready(): Promise<void> {
    if (!this.driver.blocked) return Promise.resolve();
    this.#ready ??= new Deferred();
    return this.#ready.promise;
  }

  close(code: number, reason: string): void {
    this.#leaving = true;
    this.driver.connection.close(code, reason, this.driver.now());
    this.driver.release(Hold.inbox);
    this.driver.commit();
  }

  next(waiter: Waiter): void {
    const inbox = this.#openInbox();
    inbox.next(waiter);
    if (inbox.empty) this.driver.release(Hold.inbox);
  }

  forget(waiter: Waiter): void {
    this.#inbox?.forget(waiter);
  }

  // --- From the driver ---

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
        return this.#run(() => handlers.piece?.(socket, event.data, event.final, event.opcode));
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

  gone(): void {
    this.#becomeReady();
    this.owner.topics.forget(this.socket);
    this.owner.forget(this);
  }

  // --- Receiving ---

  #receive(data: Message, kind: MessageKind): void {
    const { handlers } = this.owner;
    if (handlers.message === undefined) return this.#enqueue(data);
    try {
      const result = handlers.message(this.socket, data, kind);
      if (result instanceof Promise) result.catch((error: unknown) => this.failed(error));
    } catch (error) {
      this.failed(error);
    }
  }

  // Reading stops when too many wait. After a `close` of this side it must not, lest the peer's
  // answer is never read; then what nobody asks for in time is dropped.
  #enqueue(message: Message): void {
    const inbox = this.#openInbox();
    if (inbox.full && this.#leaving) return;
    inbox.push(message);
    if (inbox.full && !this.#leaving) this.driver.hold(Hold.inbox);
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
    this.#run(() => this.owner.handlers.close?.(this.socket, event));
  }

  // --- Sending ---

  #submit(message: string | Uint8Array | PreparedMessage, options: SendOptions | undefined): void {
    const { connection } = this.driver;
    if (typeof message === "string") connection.sendText(message, options);
    else if (message instanceof PreparedMessage) connection.sendPrepared(message);
    else connection.sendBinary(message, options);
  }

  #refuse(): SendResult {
    if (this.owner.backpressure.onOverflow === "close") {
      this.close(CloseCode.tryAgainLater, "too much output waits");
    }
    return "dropped";
  }

  #sendPiece(data: Message, final: boolean, options: SendOptions | undefined): Promise<void> {
    if (this.driver.connection.state !== "open") {
      return this.closed.then((closed) => Promise.reject(new SocketClosedError(closed)));
    }
    this.driver.connection.sendFragment(data, final, options);
    this.driver.commit();
    return this.ready();
  }

  #sendWaiting(): void {
    const waiting = this.#waiting!;
    this.#waiting = undefined;
    this.#waitingSize = 0;
    for (const [message, options] of waiting) this.send(message, options);
  }

  #becomeReady(): void {
    this.#ready?.resolve();
    this.#ready = undefined;
  }

  // --- Handlers ---

  #run(handler: () => unknown): void {
    try {
      const result = handler();
      if (result instanceof Promise) result.catch((error: unknown) => this.failed(error));
    } catch (error) {
      this.failed(error);
    }
  }
}
