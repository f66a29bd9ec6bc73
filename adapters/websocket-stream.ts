// WebSocketStream (WHATWG WebSockets, the WebSocketStream proposal): a WebSocket as a pair of
// streams with backpressure. This file connects and checks arguments; host/socket/stream.ts makes
// the streams of an open socket.

import { anything, checkOptions, type Checks } from "./host/check.ts";
import { keepOptions } from "./host/client/connect.ts";
import { pickHandlers } from "./host/socket/handlers.ts";
import type { Socket } from "./host/socket/socket.ts";
import type { SocketStream, WebSocketCloseInfo } from "./host/socket/stream.ts";
import { checkCloseInfo, streamOf, WebSocketError } from "./host/socket/stream.ts";
import { offAbort, onAbort } from "./host/waiting.ts";
import { checkProtocols, exposeInterface, isIterableObject } from "./host/webidl.ts";
import { refuseBadPort, requireArgument, urlRecord } from "./host/webidl.ts";
import { connect } from "./runtime.ts";
import { WEB, type WebSocketOptions } from "./websocket.ts";

/** Options of a WebSocketStream: the standard's, and those of `connect`. */
export interface WebSocketStreamOptions extends WebSocketOptions {
  /** Subprotocols to offer, the preferred one first. */
  readonly protocols?: readonly string[] | undefined;
  /** Gives up connecting; once the connection is open it has no effect. */
  readonly signal?: AbortSignal | undefined;
}

// The standard's two are checked as Web IDL has it.
const STREAM: Checks<WebSocketStreamOptions> = { ...WEB, protocols: anything, signal: anything };

/** The streams of an open connection, and what was agreed on. */
export type WebSocketOpenInfo = Pick<
  SocketStream,
  "readable" | "writable" | "protocol" | "extensions"
>;

/**
 * A WebSocket as a pair of streams.
 *
 * @example An echo
 * ```ts
 * const { readable, writable } = await new WebSocketStream("wss://example.com").opened;
 * await readable.pipeTo(writable);
 * ```
 */
export class WebSocketStream {
  readonly #url: URL;
  readonly #opened: Promise<WebSocketOpenInfo>;
  readonly #closed: Promise<Required<WebSocketCloseInfo>>;
  readonly #connecting = new AbortController();
  #stream: SocketStream | undefined;

  /**
   * Begins to connect. An illegal option that is not the standard's, and a port that Fetch blocks,
   * reject `opened` and `closed`.
   *
   * @param url `ws:`, `wss:`, `http:` or `https:`; relative to `globalThis.location`, if set
   * @throws {DOMException} `SyntaxError` for an illegal URL or subprotocol
   * @throws {TypeError} without a URL, and for options, `protocols` or a `signal` of another type
   */
  constructor(url: string | URL, options: WebSocketStreamOptions = {}) {
    requireArgument(arguments.length, "WebSocketStream");
    const { protocols, signal } = checkDictionary(options);
    // Web IDL takes any object, such as a function, for a dictionary.
    const others = typeof options === "object" ? options ?? {} : { ...options as object };
    checkOptions(others, STREAM);
    this.#url = urlRecord(url);
    const offered = checkProtocols(protocols);
    const abort = (): void => this.#connecting.abort(signal!.reason);
    if (signal?.aborted) abort();
    else if (signal !== undefined) onAbort(signal, abort);
    const connecting = refuseBadPort(this.#url) ?? connect(this.#url, {
      // A writer that awaits its writes has one message under way, of any size.
      backpressure: { maxBufferedAmount: Infinity },
      ...keepOptions(others, Object.keys(WEB)),
      ...pickHandlers<Socket>(others, ["ping", "pong"]),
      protocols: offered,
      signal: this.#connecting.signal,
    });
    const stream = connecting.finally(() => signal && offAbort(signal, abort)).then(
      (socket) => this.#stream = this.#established(socket, offered),
      (error: unknown) => Promise.reject(signal?.aborted ? signal.reason : asWebSocketError(error)),
    );
    this.#opened = stream.then(({ closed: _closed, close: _close, ...info }) => info);
    this.#closed = stream.then(({ closed }) => closed);
    // Both are rejected together; the application may look at one of them only.
    this.#opened.catch(() => {});
    this.#closed.catch(() => {});
  }

  /** The URL, serialized. */
  get url(): string {
    return this.#url.href;
  }

  /** Fulfilled when open; rejected with a WebSocketError, or the signal's reason. */
  get opened(): Promise<WebSocketOpenInfo> {
    return #opened in this ? this.#opened : rejectReceiver();
  }

  /** Fulfilled with the close code and reason; rejected with a WebSocketError if not clean. */
  get closed(): Promise<Required<WebSocketCloseInfo>> {
    return #closed in this ? this.#closed : rejectReceiver();
  }

  /**
   * Begins the closing handshake, or gives up connecting.
   *
   * @throws {DOMException} `InvalidAccessError` for another code than 1000 or 3000-4999,
   *   `SyntaxError` for a reason over 123 bytes of UTF-8
   * @throws {TypeError} for a code that is not a number from 0 to 65535
   */
  close(info: WebSocketCloseInfo = {}): void {
    checkCloseInfo(info);
    if (this.#stream !== undefined) return this.#stream.close(info);
    const reason = new WebSocketError("the WebSocketStream was closed before it was open");
    this.#connecting.abort(reason);
  }

  #established(socket: Socket, offered: readonly string[]): SocketStream {
    const { signal } = this.#connecting;
    // Given up when the connection was open already, but `opened` not yet fulfilled.
    if (signal.aborted) socket.abort();
    signal.throwIfAborted();
    // "If protocols is not the empty list and [the server chose none], then fail the WebSocket
    // connection." RFC 6455 allows it.
    if (offered.length === 0 || socket.protocol !== "") return streamOf(socket);
    socket.abort();
    throw new WebSocketError("the server chose none of the subprotocols");
  }
}

exposeInterface(WebSocketStream);

// Web IDL, a dictionary: undefined and null have no members; other values than objects are illegal.
function checkDictionary(
  given: WebSocketStreamOptions,
): Pick<WebSocketStreamOptions, "signal"> & { readonly protocols: readonly string[]; } {
  if (given !== undefined && given !== null && given !== Object(given)) {
    throw new TypeError("the options are no object");
  }
  const { protocols = [], signal } = given ?? {};
  if (!isIterableObject(protocols)) throw new TypeError("protocols is no list");
  if (signal === undefined || signal instanceof AbortSignal) return { signal, protocols };
  throw new TypeError("signal is no AbortSignal");
}

// Web IDL: an attribute that is a promise reports a wrong receiver by a rejection, too.
function rejectReceiver(): Promise<never> {
  return Promise.reject(new TypeError("the receiver is no WebSocketStream"));
}

function asWebSocketError(error: unknown): WebSocketError {
  if (error instanceof WebSocketError) return error;
  const failure = new WebSocketError(error instanceof Error ? error.message : String(error));
  failure.cause = error;
  return failure;
}
