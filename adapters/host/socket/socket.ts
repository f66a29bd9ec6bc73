// Socket: one open WebSocket as an application sees it, on a server and on a client alike. It is
// the public face of session.ts.

import type { ClosedEvent, HeaderFields, Opened, SendOptions } from "../../../core/mod.ts";
import { CloseCode, UsageError } from "../../../core/mod.ts";
import { showAs } from "../inspect.ts";
import { Hold, type Pump } from "../pump.ts";
import type { Address } from "../transport.ts";
import type { SocketHandlers } from "./handlers.ts";
import { type Message, Reading } from "./inbox.ts";
import { type PieceSource, publish, type Sendable, type SendResult } from "./sending.ts";
import { type Owner, Session } from "./session.ts";
import { type SocketStream, streamOf } from "./stream.ts";

/** The events of a socket; see {@linkcode SocketHandlers}. */
export type Handlers<Data = unknown> = SocketHandlers<Socket<Data>>;

/** One open WebSocket. */
export class Socket<Data = unknown> implements AsyncIterable<Message> {
  /** Free for the application; at first what the upgrade hook, or the client's options, gave. */
  data: Data;
  /** The subprotocol in use; empty when there is none. */
  readonly protocol: string;
  /** The extensions in use, as in Sec-WebSocket-Extensions; empty when there are none. */
  readonly extensions: string;
  /** Of a client: the fields of the server's 101 answer. Of a server's socket `undefined`. */
  readonly headers: HeaderFields | undefined;

  readonly #session: Session<Socket<Data>>;

  /** Sockets are made by `serve` and `connect`. */
  constructor(session: Session<Socket<Data>>, opened: Opened, data: Data) {
    this.#session = session;
    this.data = data;
    this.protocol = opened.protocol;
    this.extensions = opened.extensions;
    this.headers = opened.headers;
  }

  // --- State ---

  /** The other end of the transport. */
  get peer(): Address {
    return this.#session.pump.transport.peer;
  }

  /** `"closing"` from the first Close frame, sent or received, until the end. */
  get state(): "open" | "closing" | "closed" {
    return this.#session.connection.state;
  }

  /** Bytes on their way out that the operating system has not taken yet. */
  get bufferedAmount(): number {
    return this.#session.bufferedAmount;
  }

  /** Milliseconds from the last answered keep-alive ping to its pong; `undefined` before it. */
  get roundTripTime(): number | undefined {
    return this.#session.connection.roundTripTime;
  }

  /** Fulfilled with the end of the socket; never rejected. */
  get closed(): Promise<ClosedEvent> {
    return this.#session.closed;
  }

  // --- Sending ---

  /**
   * Sends a message. Bytes belong to the socket until they have left: send a copy of what will
   * change.
   *
   * @throws {UsageError} for data of no kind that can be sent
   */
  send(data: Sendable, options?: SendOptions): SendResult {
    return this.#session.send(data, options);
  }

  /**
   * Sends one message piece by piece: strings make a text message, bytes a binary one. It waits
   * while the peer is slow; what is sent meanwhile follows behind. If the source fails, so does
   * this, and the socket is closed with 1011: a message that was begun cannot be taken back.
   *
   * @throws {UsageError} for pieces of different kinds, and while another message is sent like this
   * @throws {SocketClosedError} when the socket is not open, or ends before the message does
   */
  sendStream(source: PieceSource, options?: SendOptions): Promise<void> {
    return this.#session.sendStream(source, options);
  }

  /** Fulfilled as soon as a `send` would not be `"queued"`, or the socket is gone. */
  ready(): Promise<void> {
    return this.#session.ready();
  }

  /**
   * Sends a ping; does nothing on a socket that is not open.
   *
   * @param payload at most 125 bytes
   * @throws {UsageError} for a longer one
   */
  ping(payload?: Uint8Array): void {
    this.#session.ping(payload);
  }

  // --- Closing ---

  /**
   * Begins the closing handshake; does nothing on a socket that is closing or closed.
   *
   * @param code 1000 (the default) to 1003, 1007-1014 or 3000-4999; 1005 for a Close frame without
   *   a code
   * @param reason at most 123 bytes of UTF-8; a longer one is cut after a whole character
   * @throws {UsageError} for any other code
   */
  close(code: number = CloseCode.normal, reason: string = ""): void {
    this.#session.close(code, reason);
  }

  /** Drops the transport at once; both ends see 1006. */
  abort(): void {
    this.#session.pump.abort();
  }

  // --- Reading ---

  /** Stops reading and calling handlers, until `resume`. What the peer sends waits at the peer. */
  pause(): void {
    this.#session.pump.hold(Hold.user);
  }

  /** Goes on reading after `pause`. */
  resume(): void {
    this.#session.pump.release(Hold.user);
  }

  /**
   * The messages, when there is no `message` handler. It ends quietly when the socket is closed
   * with 1000, 1001 or without a code. Leaving the loop early does not close the socket.
   *
   * @throws {SocketClosedError} when it ends otherwise
   * @throws {UsageError} on a socket whose messages go to a handler
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message, undefined> {
    return this.messages();
  }

  /**
   * Like iterating over the socket itself. Aborting the signal makes a waiting read fail with its
   * reason; the socket stays open, and the next reader gets the message.
   *
   * @throws {UsageError} on a socket whose messages go to a handler
   */
  messages(
    { signal }: { readonly signal?: AbortSignal | undefined; } = {},
  ): AsyncIterableIterator<Message, undefined> {
    const { message, piece } = this.#session.owner.handlers;
    if ((message ?? piece) !== undefined) {
      throw new UsageError("the messages go to a handler: there are none to read");
    }
    return new Reading(this.#session, signal);
  }

  /**
   * The socket as a pair of streams with backpressure in both directions, instead of iterating and
   * `send`.
   *
   * @throws {UsageError} on a socket whose messages go to a handler
   */
  stream(): SocketStream {
    return streamOf(this);
  }

  // --- Topics ---

  /** Subscribes to a topic of the server; does nothing on a socket that is not open. */
  subscribe(topic: string): void {
    if (this.state === "open") this.#session.owner.topics.subscribe(this, topic);
  }

  /** Ends a subscription. */
  unsubscribe(topic: string): void {
    this.#session.owner.topics.unsubscribe(this, topic);
  }

  /** The topics it is subscribed to. */
  get subscriptions(): ReadonlySet<string> {
    return this.#session.owner.topics.topicsOf(this);
  }

  /** Sends to all subscribers of the topic but this socket; returns to how many. */
  publish(topic: string, data: Sendable, options?: SendOptions): number {
    return publish(this.#session.owner.topics, topic, data, options, this);
  }
}

showAs(Socket, ({ state, peer, protocol, bufferedAmount, data }) => {
  return { state, peer, protocol, bufferedAmount, data };
});

/** Makes a socket of an opened connection. `start` of the session begins it. */
export function openSession<Data>(
  opened: Opened,
  pump: Pump,
  owner: Owner<Socket<Data>>,
  data: Data,
): Session<Socket<Data>> {
  return new Session(opened, pump, owner, (session) => new Socket(session, opened, data));
}
