// The WebSocket class of the web (WHATWG WebSockets, https://websockets.spec.whatwg.org) over the
// sockets of `connect`. Numbered comments are the standard's steps in short.
//
// What a browser adds by itself is absent: cookies, an Origin, the refusal of mixed content. What
// it keeps from a page, such as headers, is in a third argument.

import { CloseCode, type ClosedEvent } from "../core/mod.ts";
import { checkOptions, type Checks, isObject, without } from "./host/check.ts";
import { CLIENT, type ConnectOptions, keepOptions } from "./host/client/connect.ts";
import { pickHandlers } from "./host/socket/handlers.ts";
import type { Message } from "./host/socket/inbox.ts";
import type { Handlers, Socket } from "./host/socket/socket.ts";
import { checkClose, checkProtocols, clampToUnsignedShort, copyOf } from "./host/webidl.ts";
import { exposeInterface, isBufferSource, refuseBadPort } from "./host/webidl.ts";
import { requireArgument, TaskQueue, toText, urlRecord } from "./host/webidl.ts";
import { connect } from "./runtime.ts";
import { CloseEvent, ConnectionErrorEvent, exposeHandlers } from "./websocket/events.ts";
import { HandlerAttributes } from "./websocket/events.ts";
import { Sending } from "./websocket/sending.ts";

export type { CloseEventInit, ConnectionErrorEvent } from "./websocket/events.ts";

/** The options of `connect`, except those that the class itself sets. */
export type WebSocketOptions = Omit<
  ConnectOptions,
  "protocols" | "signal" | "data" | "text" | Exclude<keyof Handlers, "ping" | "pong">
>;

/** The checks of {@linkcode WebSocketOptions}. */
export const WEB: Checks<WebSocketOptions> = without(
  CLIENT,
  ...["protocols", "signal", "data", "text"] as const,
  ...["open", "message", "piece", "drain", "closing", "close", "error"] as const,
);

/** What `send` takes. */
export type WebSocketData = string | Blob | ArrayBuffer | ArrayBufferView;

/** The events by type, as in the web's own types, so that the class can replace the web's. */
export interface WebSocketEventMap {
  /** The connection is open. */
  open: Event;
  /** A message came: `data` is a string, or what `binaryType` says. */
  message: MessageEvent;
  /** The connection failed, with the cause; `close` follows. */
  error: Event & Partial<Pick<ConnectionErrorEvent, "error" | "message">>;
  /** It is over: exactly once, and last. */
  close: CloseEvent;
}

/** The value of an `on…` attribute. */
export type WebSocketHandler<Type extends keyof WebSocketEventMap> =
  | ((event: WebSocketEventMap[Type]) => unknown)
  | null;

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** At so many waiting events reading stops, until half of them have been handled. */
const MOST_EVENTS = 256;

/** Typed listeners, and the event handler attributes. */
export interface WebSocket {
  /** Called when the connection is open. */
  onopen: WebSocketHandler<"open">;
  /** Called with each message. */
  onmessage: WebSocketHandler<"message">;
  /** Called when the connection fails, before `onclose`. */
  onerror: WebSocketHandler<"error">;
  /** Called at the end, exactly once. */
  onclose: WebSocketHandler<"close">;
  /** Calls the listener with each event of the type: one of four, each with its own class. */
  addEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: (event: WebSocketEventMap[Type]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Any other type, and any listener, as in DOM §2.7; `null` is no listener, and no error. */
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/**
 * A drop-in replacement for `globalThis.WebSocket`.
 *
 * @example
 * ```ts
 * const headers = { authorization: "Bearer token" };
 * const socket = new WebSocket("wss://example.com", "chat", { headers });
 * socket.onopen = () => socket.send("hello");
 * socket.onmessage = ({ data }) => console.log(data);
 * ```
 */
export class WebSocket extends EventTarget {
  /** 0: from the constructor until `open`, or the failure. */
  static readonly CONNECTING: 0 = CONNECTING;
  /** 1: messages go both ways. */
  static readonly OPEN: 1 = OPEN;
  /** 2: `close` was called, or the peer began to close. Messages are dropped. */
  static readonly CLOSING: 2 = CLOSING;
  /** 3: it is over, already during the events `error` and `close`. */
  static readonly CLOSED: 3 = CLOSED;
  /** 0, as `WebSocket.CONNECTING`. */
  declare readonly CONNECTING: 0;
  /** 1, as `WebSocket.OPEN`. */
  declare readonly OPEN: 1;
  /** 2, as `WebSocket.CLOSING`. */
  declare readonly CLOSING: 2;
  /** 3, as `WebSocket.CLOSED`. */
  declare readonly CLOSED: 3;

  readonly #url: URL;
  readonly #handlers = new HandlerAttributes(this);
  readonly #tasks = new TaskQueue();
  readonly #sending = new Sending();
  readonly #connecting = new AbortController();
  #readyState: 0 | 1 | 2 | 3 = CONNECTING;
  #socket: Socket | undefined;
  #binaryType: "blob" | "arraybuffer" = "blob";

  static {
    exposeHandlers(this.prototype, ["open", "message", "error", "close"], (it) => it.#handlers);
  }

  /**
   * Begins to connect. A port that Fetch blocks is reported by an `error` event, as is every later
   * failure.
   *
   * @param url `ws:`, `wss:`, `http:` or `https:`; relative to `globalThis.location`, if set
   * @param protocols subprotocols to offer, the preferred one first
   * @param options more than the standard has; ignored if not an object, as the web ignores a third
   *   argument
   * @throws {DOMException} `SyntaxError` for an illegal URL or subprotocol
   * @throws {TypeError} without a URL
   * @throws {UsageError} for an unknown option or an illegal value
   */
  constructor(
    url: string | URL,
    protocols: string | readonly string[] = [],
    options: WebSocketOptions = {},
  ) {
    super();
    requireArgument(arguments.length, "WebSocket");
    // 1-2. "Let urlRecord be the result of getting a URL record."
    this.#url = urlRecord(url);
    // 3-4. "If any of the values in protocols occur more than once or otherwise fail to match the
    // requirements, throw."
    const offered = checkProtocols(protocols);
    if (isObject(options)) checkOptions(options, WEB);
    // 5-8. "Run this step in parallel: establish a WebSocket connection."
    const connecting = refuseBadPort(this.#url) ?? connect(this.#url, {
      // The standard does not limit what a page sends.
      backpressure: { maxBufferedAmount: Infinity },
      ...isObject(options) && keepOptions(options, Object.keys(WEB)),
      ...isObject(options) && pickHandlers<Socket>(options, ["ping", "pong"]),
      protocols: offered,
      signal: this.#connecting.signal,
      open: (socket) => this.#established(socket, offered),
      message: (_, data) => this.#received(data),
      closing: () => this.#tasks.queue(() => this.#readyState = CLOSING),
      close: (_, closed) => this.#tasks.queue(() => this.#closed(closed)),
      error: (error) => console.error(error),
    });
    connecting.catch((error: unknown) => this.#tasks.queue(() => this.#failed(error)));
  }

  // --- Attributes ---

  /** The URL, serialized. */
  get url(): string {
    return this.#url.href;
  }

  /** `CONNECTING` (0), `OPEN` (1), `CLOSING` (2) or `CLOSED` (3). */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState;
  }

  /** Bytes of messages that have been sent and not left yet, without the bytes of framing. */
  get bufferedAmount(): number {
    return this.#sending.bufferedAmount;
  }

  /** The extensions in use; empty before the connection is open. */
  get extensions(): string {
    return this.#readyState === CONNECTING ? "" : this.#socket?.extensions ?? "";
  }

  /** The subprotocol in use; empty when there is none, and before the connection is open. */
  get protocol(): string {
    return this.#readyState === CONNECTING ? "" : this.#socket?.protocol ?? "";
  }

  /** The form of binary messages: `"blob"` (the default) or `"arraybuffer"`. */
  get binaryType(): "blob" | "arraybuffer" {
    return this.#binaryType;
  }

  set binaryType(type: "blob" | "arraybuffer") {
    // Web IDL: a value that is not in the enumeration changes nothing.
    this.#binaryType = type === "blob" || type === "arraybuffer" ? type : this.#binaryType;
  }

  // --- Methods ---

  /**
   * Sends a message; a buffer is copied. On a WebSocket that is closing or closed it only counts
   * into `bufferedAmount`.
   *
   * @throws {DOMException} `InvalidStateError` before the connection is open
   */
  send(data: WebSocketData): void {
    requireArgument(arguments.length, "send");
    // 1. "If this's ready state is CONNECTING, then throw an InvalidStateError."
    if (this.#readyState === CONNECTING) {
      throw new DOMException("the WebSocket is not open yet", "InvalidStateError");
    }
    // 2. By the type of data: "increase the bufferedAmount attribute by the length in bytes".
    if (data instanceof Blob) this.#sending.send(data);
    else this.#sending.send(isBufferSource(data) ? copyOf(data) : toText(data));
  }

  /**
   * Begins the closing handshake, or gives up connecting.
   *
   * @param code 1000 or 3000-4999
   * @param reason at most 123 bytes of UTF-8
   * @throws {DOMException} `InvalidAccessError` for another code, `SyntaxError` for a longer reason
   */
  close(code?: number, reason?: string): void {
    const connecting = this.#readyState === CONNECTING;
    const given = code === undefined ? undefined : clampToUnsignedShort(code);
    const why = reason === undefined ? "" : toText(reason);
    // 1-2. Illegal arguments throw in any state.
    const closeCode = checkClose(given, why);
    // 3. "If its ready state is CLOSING or CLOSED, do nothing."
    if (this.#readyState >= CLOSING) return;
    this.#readyState = CLOSING;
    // "If the WebSocket connection is not yet established, fail the connection"; else start the
    // closing handshake.
    if (connecting) this.#giveUp();
    else this.#sending.close(closeCode, why);
  }

  // --- Connecting ---

  // "When the WebSocket connection is established, queue a task to change the ready state to OPEN
  // and fire an event named open."
  #established(socket: Socket, offered: readonly string[]): void {
    this.#socket = socket;
    this.#sending.begin(socket);
    // "If protocols is not the empty list and [the server chose none], then fail the WebSocket
    // connection." RFC 6455 allows it.
    if (offered.length > 0 && socket.protocol === "") return this.#giveUp();
    this.#tasks.queue(() => {
      if (this.#readyState !== CONNECTING) return;
      this.#readyState = OPEN;
      this.dispatchEvent(new Event("open"));
    });
  }

  #giveUp(): void {
    const reason = new DOMException("the WebSocket was closed before it was open", "AbortError");
    this.#connecting.abort(reason);
    this.#socket?.abort();
  }

  #failed(error: unknown): void {
    this.#readyState = CLOSED;
    this.dispatchEvent(new ConnectionErrorEvent(error));
    this.dispatchEvent(new CloseEvent("close", { code: CloseCode.abnormal }));
  }

  // --- Receiving ---

  // "When a WebSocket message has been received, queue a task: if ready state is not OPEN, then
  // return; fire an event named message."
  #received(data: Message): void {
    this.#sending.note();
    this.#tasks.queue(() => {
      if (this.#tasks.size === MOST_EVENTS / 2) this.#socket!.resume();
      if (this.#readyState !== OPEN) return;
      const { origin } = this.#url;
      this.dispatchEvent(new MessageEvent("message", { data: this.#dataOf(data), origin }));
    });
    if (this.#tasks.size === MOST_EVENTS) this.#socket!.pause();
  }

  #dataOf(data: Message): string | Blob | ArrayBuffer {
    if (typeof data === "string") return data;
    const bytes = data as Uint8Array<ArrayBuffer>;
    return this.#binaryType === "blob" ? new Blob([bytes]) : copyOf(bytes).buffer;
  }

  // "When the WebSocket connection is closed, queue a task: change the ready state to CLOSED; if
  // the user agent was required to fail the connection, fire an event named error; fire an event
  // named close."
  #closed({ clean, code, reason, cause, error }: ClosedEvent): void {
    const ended = `the connection ended without a Close frame (${cause})`;
    if (!clean) return this.#failed(error ?? new Error(ended));
    this.#readyState = CLOSED;
    if (cause === "local") this.#sending.finish();
    this.dispatchEvent(new CloseEvent("close", { wasClean: true, code, reason }));
  }
}

exposeInterface(WebSocket, { CONNECTING, OPEN, CLOSING, CLOSED });
