// WebSocketStream (WHATWG WebSockets, the WebSocketStream proposal): a WebSocket as a pair of streams with backpressure.

import { connect } from "./detect.ts";
import type { SocketStream, WebSocketCloseInfo } from "./host/socket-stream.ts";
import { checkCloseInfo, streamOf, WebSocketError } from "./host/socket-stream.ts";
import { checkProtocols, urlRecord } from "./host/web.ts";
import type { WebSocketOptions } from "./websocket.ts";

/** Options of a WebSocketStream: the standard's, and those of `connect`. */
export interface WebSocketStreamOptions extends WebSocketOptions {
  /** Subprotocols to offer, the preferred one first. */
  readonly protocols?: readonly string[] | undefined;
  /** Gives up connecting; once the connection is open it has no effect. */
  readonly signal?: AbortSignal | undefined;
}

/** The streams of an open connection, and what was agreed on. */
export type WebSocketOpenInfo = Pick<SocketStream, "readable" | "writable" | "protocol" | "extensions">;

/** A WebSocket as a pair of streams. */
export class WebSocketStream {
  /** The URL, serialized. */
  readonly url: string;
  /** Fulfilled when the connection is open; rejected with a WebSocketError, or the signal's reason, when it never is. */
  readonly opened: Promise<WebSocketOpenInfo>;
  /** Fulfilled with the close code and reason; rejected with a WebSocketError when the end was not clean. */
  readonly closed: Promise<Required<WebSocketCloseInfo>>;

  readonly #connecting = new AbortController();
  #stream: SocketStream | undefined;

  /**
   * Begins to connect.
   *
   * @throws {DOMException} `SyntaxError` for a URL or subprotocol that is not legal
   */
  constructor(url: string | URL, { protocols = [], signal, ...options }: WebSocketStreamOptions = {}) {
    const record = urlRecord(url);
    const offered = checkProtocols(protocols);
    this.url = record.href;
    const given = signal === undefined ? this.#connecting.signal : AbortSignal.any([signal, this.#connecting.signal]);
    const stream = connect(record, { ...options, protocols: offered, signal: given }).then(
      (socket) => this.#stream = streamOf(socket),
      (error: unknown) => Promise.reject(signal?.aborted ? signal.reason : asWebSocketError(error)),
    );
    this.opened = stream.then(({ readable, writable, protocol, extensions }) => ({
      readable,
      writable,
      protocol,
      extensions,
    }));
    this.closed = stream.then(({ closed }) => closed);
    // Both are rejected together; whoever looks at one of them need not look at the other.
    this.opened.catch(() => {});
    this.closed.catch(() => {});
  }

  /**
   * Begins the closing handshake, or gives up connecting.
   *
   * @throws {DOMException} `InvalidAccessError` for another code than 1000 or 3000-4999, `SyntaxError` for a longer reason
   */
  close(info: WebSocketCloseInfo = {}): void {
    checkCloseInfo(info);
    if (this.#stream !== undefined) this.#stream.close(info);
    else this.#connecting.abort(new WebSocketError("the WebSocketStream was closed before it was open"));
  }
}

function asWebSocketError(error: unknown): WebSocketError {
  if (error instanceof WebSocketError) return error;
  const failure = new WebSocketError(error instanceof Error ? error.message : String(error));
  failure.cause = error;
  return failure;
}
