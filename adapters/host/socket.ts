// Socket: one open WebSocket as an application sees it, on a server and on a client alike.
//
// It turns events into calls of handlers and calls of methods into commands. Bytes, deadlines and the transport are driver.ts's.

import type { ClosedEvent, ConnectionEvent, Opened, SendOptions } from "../../core/mod.ts";
import { CloseCode, PreparedMessage, UsageError } from "../../core/mod.ts";
import { Deferred } from "./deferred.ts";
import type { Sink } from "./driver.ts";
import { Driver, Hold, onDrained, onEvent, onGone } from "./driver.ts";
import type { Message, MessageKind, Owner, Sendable } from "./handlers.ts";
import { Inbox, SocketClosedError } from "./inbox.ts";
import { publish, toBytes } from "./publish.ts";
import { report } from "./report.ts";
import { sendPieces } from "./stream.ts";
import type { Address, Transport } from "./transport.ts";

/**
 * What became of a message: on its way; waiting, because the peer takes what was sent before too slowly; or not sent at all, because
 * the socket is not open or too much waits.
 */
export type SendResult = "sent" | "queued" | "dropped";

/** A message that waits behind one that is sent in pieces. */
type Waiting = readonly [data: string | Uint8Array | PreparedMessage, options: SendOptions | undefined];

/** Starts a socket on the bytes that came with its handshake; for the host alone. */
export const start: unique symbol = Symbol("start");

/** One open WebSocket. */
export class Socket<Data = unknown> implements Sink, AsyncIterable<Message> {
  /** Whatever the application wants to keep with the socket; at first what the upgrade hook gave. */
  data: Data;
  /** The subprotocol in use; empty when there is none. */
  readonly protocol: string;
  /** The extensions in use, as in Sec-WebSocket-Extensions; empty when there are none. */
  readonly extensions: string;

  readonly #owner: Owner<Data>;
  readonly #driver: Driver;
  #outcome: ClosedEvent | undefined;

  // Made when they are first needed: most sockets never do
  #inbox: Inbox | undefined;
  #closed: Deferred<ClosedEvent> | undefined;
  #ready: Deferred<void> | undefined;
  /** Messages behind the one that is sent in pieces; `undefined` when there is no such one. */
  #waiting: Waiting[] | undefined;
  #waitingSize = 0;

  /** Sockets are made by `serve` and `connect`. */
  constructor(opened: Opened, transport: Transport, owner: Owner<Data>, data: Data) {
    this.data = data;
    this.protocol = opened.protocol;
    this.extensions = opened.extensions;
    this.#owner = owner;
    this.#driver = new Driver(opened.connection, transport, owner.clock, this, owner.backpressure.readWhileBlocked);
  }

  // --- State ---

  /** The other end of the transport. */
  get peer(): Address {
    return this.#driver.transport.peer;
  }

  /** `"closing"` from the first Close frame, sent or received, until the end. */
  get state(): "open" | "closing" | "closed" {
    return this.#driver.connection.state;
  }

  /** Bytes on their way out that the operating system has not taken yet. */
  get bufferedAmount(): number {
    return this.#driver.bufferedAmount + this.#waitingSize;
  }

  /** Milliseconds from the last answered keep-alive ping to its pong; `undefined` before the first. */
  get roundTripTime(): number | undefined {
    return this.#driver.connection.roundTripTime;
  }

  /** Fulfilled with the end of the socket; never rejected. */
  get closed(): Promise<ClosedEvent> {
    if (this.#closed === undefined) {
      this.#closed = new Deferred();
      if (this.#outcome !== undefined) this.#closed.resolve(this.#outcome);
    }
    return this.#closed.promise;
  }

  // --- Sending ---

  /**
   * Sends a message. Bytes belong to the socket until they have left: send a copy of what will change.
   *
   * @throws {UsageError} for data of no kind that can be sent
   */
  send(data: Sendable, options?: SendOptions): SendResult {
    const message = checkSendable(data);
    if (this.#driver.connection.state !== "open") return "dropped";
    const size = sizeOf(message);
    if (this.bufferedAmount + size > this.#owner.backpressure.maxBufferedAmount) return this.#refuse();
    if (this.#waiting !== undefined) {
      this.#waiting.push([message, options]);
      this.#waitingSize += size;
      return "queued";
    }
    this.#submit(message, options);
    this.#driver.commit();
    return this.#driver.blocked ? "queued" : "sent";
  }

  /**
   * Sends one message piece by piece, as the source gives them: strings make a text message, bytes a binary one. It waits while the
   * peer is slow, and what is sent meanwhile follows behind.
   *
   * If the source fails, so does this, and the socket is closed with 1011: a message that was begun cannot be taken back.
   *
   * @throws {UsageError} for pieces of different kinds, and while another message is sent piece by piece
   * @throws {SocketClosedError} when the socket is not open, or ends before the message does
   */
  async sendStream(source: AsyncIterable<Message> | Iterable<Message>, options?: SendOptions): Promise<void> {
    if (this.#waiting !== undefined) throw new UsageError("another message is being sent piece by piece");
    this.#waiting = [];
    try {
      await sendPieces((data, final) => this.#sendPiece(data, final, options), source);
    } catch (error) {
      this.close(CloseCode.internalError);
      throw error;
    } finally {
      this.#sendWaiting();
    }
  }

  /** Fulfilled as soon as a `send` would not be `"queued"`, or the socket is gone. */
  ready(): Promise<void> {
    if (!this.#driver.blocked) return Promise.resolve();
    this.#ready ??= new Deferred();
    return this.#ready.promise;
  }

  /**
   * Sends a ping; does nothing on a socket that is not open.
   *
   * @param payload at most 125 bytes
   * @throws {UsageError} for a longer one
   */
  ping(payload?: Uint8Array): void {
    if (this.state !== "open") return;
    this.#driver.connection.ping(payload);
    this.#driver.commit();
  }

  // --- Closing ---

  /**
   * Begins the closing handshake; does nothing on a socket that is closing or closed.
   *
   * @param code 1000 (the default) to 1003, 1007-1014 or 3000-4999; 1005 for a Close frame without a code
   * @param reason at most 123 bytes of UTF-8; a longer one is cut after a whole character
   * @throws {UsageError} for any other code
   */
  close(code: number = CloseCode.normal, reason: string = ""): void {
    this.#driver.connection.close(code, reason, this.#driver.now());
    this.#driver.release(Hold.inbox);
    this.#driver.commit();
  }

  /** Drops the transport at once; both ends see 1006. */
  abort(): void {
    this.#driver.abort();
  }

  // --- Reading ---

  /** Stops reading and calling handlers, until `resume`. What the peer sends waits at the peer. */
  pause(): void {
    this.#driver.hold(Hold.user);
  }

  /** Goes on reading after `pause`. */
  resume(): void {
    this.#driver.release(Hold.user);
  }

  /**
   * The messages, when there is no `message` handler. It ends quietly when the socket is closed with 1000, 1001 or without a code.
   * Leaving the loop early does not close the socket.
   *
   * @throws {SocketClosedError} when it ends otherwise
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message, undefined> {
    const inbox = this.#openInbox();
    const iterator: AsyncIterableIterator<Message, undefined> = {
      next: () => {
        const message = inbox.next();
        if (inbox.empty) this.#driver.release(Hold.inbox);
        return message;
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  // --- Topics ---

  /** Subscribes to a topic of the server; does nothing on a socket that is not open. */
  subscribe(topic: string): void {
    if (this.state === "open") this.#owner.topics.subscribe(this, topic);
  }

  /** Ends a subscription. */
  unsubscribe(topic: string): void {
    this.#owner.topics.unsubscribe(this, topic);
  }

  /** The topics it is subscribed to. */
  get subscriptions(): ReadonlySet<string> {
    return this.#owner.topics.topicsOf(this);
  }

  /** Sends to all subscribers of the topic but this socket; returns to how many. */
  publish(topic: string, data: Sendable, options?: SendOptions): number {
    return publish(this.#owner.topics, topic, data, options, this);
  }

  // --- From the host ---

  [start](rest: Uint8Array): void {
    const { handlers } = this.#owner;
    this.#run(() => handlers.open?.(this));
    this.#driver.start(rest);
  }

  [onEvent](event: ConnectionEvent): void {
    const { handlers } = this.#owner;
    switch (event.type) {
      case "text":
      case "utf8":
        return this.#receive(event.data, "text");
      case "binary":
        return this.#receive(event.data, "binary");
      case "piece":
        return this.#run(() => handlers.piece?.(this, event.data, event.final, event.opcode));
      case "ping":
        return this.#run(() => handlers.ping?.(this, event.data));
      case "pong":
        return this.#run(() => handlers.pong?.(this, event.data));
      case "closing":
        return this.#run(() => handlers.closing?.(this, event.code, event.reason));
      case "closed":
        return this.#end(event);
    }
  }

  [onDrained](): void {
    this.#becomeReady();
    this.#run(() => this.#owner.handlers.drain?.(this));
  }

  [onGone](): void {
    this.#becomeReady();
    this.#owner.topics.forget(this);
    this.#owner.forget(this, this.#driver.transport);
  }

  // --- Receiving ---

  #receive(data: Message, kind: MessageKind): void {
    const { handlers } = this.#owner;
    if (handlers.message === undefined) return this.#enqueue(data);
    try {
      const result = handlers.message(this, data, kind);
      if (result instanceof Promise) result.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  // Reading stops when too many wait. After a `close` of this side it must not, lest the peer's answer is never read; then what
  // nobody asks for in time is dropped.
  #enqueue(message: Message): void {
    const inbox = this.#openInbox();
    if (inbox.full && this.state !== "open") return;
    inbox.push(message);
    if (inbox.full) this.#driver.hold(Hold.inbox);
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
    this.#run(() => this.#owner.handlers.close?.(this, event));
  }

  // --- Sending ---

  #submit(message: string | Uint8Array | PreparedMessage, options: SendOptions | undefined): void {
    const { connection } = this.#driver;
    if (typeof message === "string") connection.sendText(message, options);
    else if (message instanceof PreparedMessage) connection.sendPrepared(message);
    else connection.sendBinary(message, options);
  }

  #refuse(): SendResult {
    if (this.#owner.backpressure.onOverflow === "close") this.close(CloseCode.tryAgainLater, "too much output waits");
    return "dropped";
  }

  #sendPiece(data: Message, final: boolean, options: SendOptions | undefined): Promise<void> {
    if (this.state !== "open") return this.closed.then((closed) => Promise.reject(new SocketClosedError(closed)));
    this.#driver.connection.sendFragment(data, final, options);
    this.#driver.commit();
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
      if (result instanceof Promise) result.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    report(this.#owner.handlers, error, this);
    this.close(CloseCode.internalError);
  }
}

function checkSendable(data: Sendable): string | Uint8Array | PreparedMessage {
  if (typeof data === "string" || data instanceof Uint8Array || data instanceof PreparedMessage) return data;
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return toBytes(data);
  throw new UsageError("send takes a string, an ArrayBuffer, a view of one, or a prepared message");
}

function sizeOf(message: string | Uint8Array | PreparedMessage): number {
  return message instanceof PreparedMessage ? message.payload.length : message.length;
}
