// An open socket as two web streams (WHATWG WebSockets, the WebSocketStream proposal): messages are
// their chunks, and backpressure works in both directions. `socket.stream()` makes them, and
// WebSocketStream after connecting.

import { CloseCode, type ClosedEvent } from "../../../core/mod.ts";
import { checkClose, copyOf, enforceUnsignedShort, exposeInterface } from "../webidl.ts";
import { isBufferSource, isScriptCode, toScalarText, toText } from "../webidl.ts";
import type { Message } from "./inbox.ts";
import type { SendResult } from "./sending.ts";

/** What the streams need of a socket. */
interface StreamableSocket {
  readonly protocol: string;
  readonly extensions: string;
  readonly closed: Promise<ClosedEvent>;
  messages(): AsyncIterableIterator<Message, undefined>;
  send(data: string | Uint8Array): SendResult;
  ready(): Promise<void>;
  close(code: number, reason: string): void;
}

/** How a stream is closed; both are optional. */
export interface WebSocketCloseInfo {
  /** 1000 or 3000-4999. */
  readonly closeCode?: number | undefined;
  /** At most 123 bytes of UTF-8. */
  readonly reason?: string | undefined;
}

/** What a stream takes: a text message or a binary one. */
export type WebSocketStreamData = string | ArrayBuffer | ArrayBufferView;

/** The two directions of an open socket. */
export interface SocketStream {
  /** The received messages. A few unread ones wait here, the rest at the peer. */
  readonly readable: ReadableStream<Message>;
  /** Takes messages; a write is done when the next message would not have to wait. */
  readonly writable: WritableStream<WebSocketStreamData>;
  /** The subprotocol in use; empty when there is none. */
  readonly protocol: string;
  /** The extensions in use; empty when there are none. */
  readonly extensions: string;
  /** Fulfilled after the closing handshake; rejected with a WebSocketError if there is none. */
  readonly closed: Promise<Required<WebSocketCloseInfo>>;
  /**
   * Begins the closing handshake.
   *
   * @throws {DOMException} `InvalidAccessError` for another code than 1000 or 3000-4999,
   *   `SyntaxError` for a reason over 123 bytes of UTF-8
   * @throws {TypeError} for a code that is not a number from 0 to 65535
   */
  close(info?: WebSocketCloseInfo): void;
}

/** Errors of connections that ended without a Close frame: the constructor refuses 1006. */
const abnormal = new WeakSet<WebSocketError>();

/** Why a WebSocketStream ended, or is to be ended, with the close code and reason. */
export class WebSocketError extends DOMException {
  readonly #closeCode: number | null;
  readonly #reason: string;

  /**
   * Made to end a stream: `abort` of the writable and `cancel` of the readable send its code and
   * reason.
   *
   * @throws what `close` does
   */
  constructor(message: string = "", info: WebSocketCloseInfo = {}) {
    super(message, "WebSocketError");
    const { code, reason } = checkCloseInfo(info);
    this.#closeCode = code === CloseCode.noStatus ? null : code;
    this.#reason = reason;
  }

  /** 1000 or 3000-4999; 1006 after an end without a Close frame; `null` when there is none. */
  get closeCode(): number | null {
    return abnormal.has(this) ? CloseCode.abnormal : this.#closeCode;
  }

  /** Empty when there is none. */
  get reason(): string {
    return this.#reason;
  }
}

exposeInterface(WebSocketError);

/**
 * The checked code and reason to close with.
 *
 * @throws {DOMException} `InvalidAccessError` for a code that an application must not send,
 *   `SyntaxError` for a reason over 123 bytes of UTF-8
 * @throws {TypeError} for a code that is not a number from 0 to 65535
 */
export function checkCloseInfo(info: WebSocketCloseInfo): { code: number; reason: string; } {
  if (info !== Object(info)) throw new TypeError("a close code and reason come as an object");
  const given = info.closeCode === undefined ? undefined : enforceUnsignedShort(info.closeCode);
  const reason = info.reason === undefined ? "" : toScalarText(info.reason);
  return { code: checkClose(given, reason), reason };
}

/** The streams of a socket whose messages have no other reader. */
export function streamOf(socket: StreamableSocket): SocketStream {
  const closed = socket.closed.then(outcomeOf);
  // The streams report the end, too, so `closed` may go unread.
  closed.catch(() => {});
  return {
    readable: readableOf(socket, closed),
    writable: writableOf(socket, closed),
    protocol: socket.protocol,
    extensions: socket.extensions,
    closed,
    close: (info = {}) => closeWith(socket, info),
  };
}

function outcomeOf(closed: ClosedEvent): Required<WebSocketCloseInfo> {
  const { clean, code, reason, error, cause } = closed;
  if (clean) return { closeCode: code, reason };
  const message = error?.message ?? `the connection ended without a Close frame (${cause})`;
  const failure = Object.assign(new WebSocketError(message), { cause: error });
  abnormal.add(failure);
  throw failure;
}

function closeWith(socket: StreamableSocket, info: WebSocketCloseInfo): void {
  const { code, reason } = checkCloseInfo(info);
  socket.close(code, reason);
}

// Cancelling or aborting with a WebSocketError sends its code, with any other value none. The error
// of another connection, which a pipe passes on, may have a code that cannot be sent.
function closeFor(socket: StreamableSocket, error: unknown): void {
  if (!(error instanceof WebSocketError)) return closeWith(socket, {});
  const { closeCode, reason } = error;
  closeWith(socket, closeCode === null || !isScriptCode(closeCode) ? {} : { closeCode, reason });
}

function readableOf(socket: StreamableSocket, closed: Promise<unknown>): ReadableStream<Message> {
  const messages = socket.messages();
  return new ReadableStream<Message>({
    async pull(controller) {
      const next = await messages.next().catch(() => undefined);
      if (next !== undefined && !next.done) return controller.enqueue(next.value);
      await closed;
      controller.close();
    },
    async cancel(reason) {
      closeFor(socket, reason);
      await closed;
    },
  });
}

function writableOf(
  socket: StreamableSocket,
  closed: Promise<unknown>,
): WritableStream<WebSocketStreamData> {
  return new WritableStream<WebSocketStreamData>({
    start(controller) {
      // One task later: a pipe from the socket's own readable sees the end of that first, and ends
      // in the same way.
      const fail = (error: unknown): void => void setImmediate(() => controller.error(error));
      const over = new DOMException("the WebSocket is closed", "InvalidStateError");
      closed.then(() => fail(over), fail);
    },
    async write(data) {
      if (socket.send(isBufferSource(data) ? copyOf(data) : toText(data)) === "dropped") {
        throw new DOMException("the WebSocket is not open", "InvalidStateError");
      }
      await socket.ready();
    },
    async close() {
      closeWith(socket, {});
      await closed;
    },
    abort: (reason) => closeFor(socket, reason),
  });
}
