// The web's WebSocket class (WHATWG WebSockets, https://websockets.spec.whatwg.org), over the same
// sockets as everything else.
//
// The numbered comments are the standard's steps in short. What a browser adds by itself, such as
// cookies, an Origin and the refusal of mixed content, has no place here; what it does not let a
// page decide, such as headers, is in a third argument.

import { CloseCode } from "../core/close.ts";
import type { ClosedEvent } from "../core/mod.ts";
import { connect } from "./detect.ts";
import type { ConnectOptions } from "./host/client/client.ts";
import type { Message } from "./host/socket/handlers.ts";
import type { Socket } from "./host/socket/socket.ts";
import { refuseBadPort } from "./host/web/bad-ports.ts";
import { CloseEvent, ConnectionErrorEvent, HandlerAttributes } from "./host/web/events.ts";
import { Sending } from "./host/web/sending.ts";
import { TaskQueue } from "./host/web/tasks.ts";
import {
  checkClose,
  checkProtocols,
  clampToUnsignedShort,
  copyOf,
  exposeInterface,
  isBufferSource,
  requireArgument,
  toText,
  urlRecord,
} from "./host/web/web.ts";

/**
 * Options that the standard has no place for: those of `connect`, less what the class itself
 * decides.
 */
export type WebSocketOptions = Omit<
  ConnectOptions,
  | "protocols"
  | "signal"
  | "data"
  | "text"
  | "open"
  | "message"
  | "piece"
  | "drain"
  | "closing"
  | "close"
  | "error"
>;

/** What `send` takes. */
export type WebSocketData = string | Blob | ArrayBuffer | ArrayBufferView;

/** The events by type, such that a WebSocket can be given to whoever asks for one of the web's. */
export interface WebSocketEventMap {
  /** The connection is open. */
  open: Event;
  /** A message came: `data` is a string, or what `binaryType` says. */
  message: MessageEvent;
  /** The connection failed, with what went wrong; `close` follows. */
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

/** More events than this do not wait: reading stops until half of them have been handled. */
const MOST_EVENTS = 256;

/** Typed listeners. */
export interface WebSocket {
  /**
   * Calls the listener with each event of that type, and with the event's own class for the four
   * there are.
   */
  addEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: (event: WebSocketEventMap[Type]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Any other type, and any listener, as DOM §2.7 has it; `null` is no listener, and no error. */
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/**
 * A WebSocket as the web has it: a drop-in for `globalThis.WebSocket`.
 *
 * @example
 * ```ts
 * const socket = new WebSocket("wss://example.com", "chat", { headers: { authorization: "Bearer token" } });
 * socket.onopen = () => socket.send("hello");
 * socket.onmessage = ({ data }) => console.log(data);
 * ```
 */
export class WebSocket extends EventTarget {
  /** 0: from the constructor until `open`, or the failure. */
  static readonly CONNECTING: 0 = CONNECTING;
  /** 1: messages go both ways. */
  static readonly OPEN: 1 = OPEN;
  /** 2: `close` was called, or the peer began to close. What comes is dropped. */
  static readonly CLOSING: 2 = CLOSING;
  /** 3: it is over, as `error` and `close` already see it. */
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

  /**
   * Begins to connect.
   *
   * What is wrong with the options, and a port that Fetch blocks, comes as an `error` event, as
   * does all that goes wrong on the way.
   *
   * @param url `ws:`, `wss:`, `http:` or `https:`; relative to `globalThis.location` where there is
   *   one
   * @param protocols subprotocols to offer, the preferred one first
   * @param options what the standard has no place for; ignored when it is no object, as the web
   *   ignores a third argument
   * @throws {DOMException} `SyntaxError` for a URL or subprotocol that is not legal
   * @throws {TypeError} without a URL
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
    // 5-8. "Run this step in parallel: establish a WebSocket connection."
    const connecting = refuseBadPort(this.#url) ?? connect(this.#url, {
      // The standard bounds nothing that a page sends.
      backpressure: { maxBufferedAmount: Infinity },
      ...typeof options === "object" && options,
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

  /** Bytes of messages that have been sent and not left yet; without what framing adds. */
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

  /** What binary messages come as: `"blob"` or `"arraybuffer"`. */
  get binaryType(): "blob" | "arraybuffer" {
    return this.#binaryType;
  }

  set binaryType(type: "blob" | "arraybuffer") {
    // Web IDL: another value than one of the enumeration changes nothing.
    this.#binaryType = type === "blob" || type === "arraybuffer" ? type : this.#binaryType;
  }

  /** Called when the connection is open. */
  get onopen(): WebSocketHandler<"open"> {
    return this.#handlers.get("open") as WebSocketHandler<"open">;
  }

  set onopen(handler: WebSocketHandler<"open">) {
    this.#handlers.set("open", handler);
  }

  /** Called with each message. */
  get onmessage(): WebSocketHandler<"message"> {
    return this.#handlers.get("message") as WebSocketHandler<"message">;
  }

  set onmessage(handler: WebSocketHandler<"message">) {
    this.#handlers.set("message", handler);
  }

  /** Called when the connection fails, before `onclose`. */
  get onerror(): WebSocketHandler<"error"> {
    return this.#handlers.get("error") as WebSocketHandler<"error">;
  }

  set onerror(handler: WebSocketHandler<"error">) {
    this.#handlers.set("error", handler);
  }

  /** Called at the end, exactly once. */
  get onclose(): WebSocketHandler<"close"> {
    return this.#handlers.get("close") as WebSocketHandler<"close">;
  }

  set onclose(handler: WebSocketHandler<"close">) {
    this.#handlers.set("close", handler);
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
    this.#sending.send(
      data instanceof Blob ? data : isBufferSource(data) ? copyOf(data) : toText(data),
    );
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
    // 1-2. What is wrong with them is thrown in any state.
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
    // connection." RFC 6455 would not mind.
    if (offered.length > 0 && socket.protocol === "") return this.#giveUp();
    this.#tasks.queue(() => {
      if (this.#readyState !== CONNECTING) return;
      this.#readyState = OPEN;
      this.dispatchEvent(new Event("open"));
    });
  }

  #giveUp(): void {
    this.#connecting.abort(
      new DOMException("the WebSocket was closed before it was open", "AbortError"),
    );
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
    this.#readyState = CLOSED;
    if (clean && cause === "local") this.#sending.finish();
    if (clean) {
      this.dispatchEvent(new CloseEvent("close", { wasClean: true, code, reason }));
      return;
    }
    this.dispatchEvent(
      new ConnectionErrorEvent(
        error ?? new Error(`the connection ended without a Close frame (${cause})`),
      ),
    );
    this.dispatchEvent(new CloseEvent("close", { code: CloseCode.abnormal }));
  }
}

exposeInterface(WebSocket, { CONNECTING, OPEN, CLOSING, CLOSED });
