// A socket as two streams of the web (WHATWG WebSockets, the WebSocketStream draft): messages are
// their chunks, and backpressure goes through in both directions. WebSocketStream makes one from a
// URL, `socket.stream()` from a socket that is open.

import { CloseCode, type ClosedEvent } from "../../../core/mod.ts";
import { TaskQueue } from "../web/events.ts";
import {
  checkClose,
  copyOf,
  enforceUnsignedShort,
  exposeInterface,
  isBufferSource,
  isScriptCode,
  toScalarText,
  toText,
} from "../web/idl.ts";
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
  /** The messages that come. Of those that nobody reads a few wait here, the rest at the peer. */
  readonly readable: ReadableStream<Message>;
  /** Takes messages; a write is done when the next one would not have to wait. */
  readonly writable: WritableStream<WebSocketStreamData>;
  /** The subprotocol in use; empty when there is none. */
  readonly protocol: string;
  /** The extensions in use; empty when there are none. */
  readonly extensions: string;
  /**
   * Fulfilled when the closing handshake is done, rejected with a WebSocketError when there is
   * none.
   */
  readonly closed: Promise<Required<WebSocketCloseInfo>>;
  /**
   * Begins the closing handshake.
   *
   * @throws {DOMException} `InvalidAccessError` for another code than 1000 or 3000-4999,
   *   `SyntaxError` for a longer reason
   * @throws {TypeError} for a code that is no number from 0 to 65535
   */
  close(info?: WebSocketCloseInfo): void;
}

/**
 * Errors of connections that ended without a Close frame: 1006 is no code to construct one with.
 */
const abnormal = new WeakSet<WebSocketError>();

/** Why a WebSocketStream ended, or is to be ended, with the close code and reason. */
export class WebSocketError extends DOMException {
  readonly #closeCode: number | null;
  readonly #reason: string;

  /**
   * One to end a stream with: given to `abort` of the writable or `cancel` of the readable, its
   * code and reason are sent.
   *
   * @throws what `close` does
   */
  constructor(message: string = "", info: WebSocketCloseInfo = {}) {
    super(message, "WebSocketError");
    const { code, reason } = checkCloseInfo(info);
    this.#closeCode = code === CloseCode.noStatus ? null : code;
    this.#reason = reason;
  }

  /**
   * 1000 or 3000-4999; 1006 of a connection that ended without a Close frame; `null` when there is
   * none.
   */
  get closeCode(): number | null {
    return abnormal.has(this) ? CloseCode.abnormal : this.#closeCode;
  }

  /** Empty when there is none. */
  get reason(): string {
    return this.#reason;
  }
}

exposeInterface(WebSocketError);

function abnormalEnd(message: string, cause: unknown): WebSocketError {
  const error = Object.assign(new WebSocketError(message), { cause });
  abnormal.add(error);
  return error;
}

/**
 * What is to be closed with, checked.
 *
 * @throws {DOMException} `InvalidAccessError` for a code that an application must not send,
 *   `SyntaxError` for too long a reason
 * @throws {TypeError} for a code that is no number from 0 to 65535
 */
export function checkCloseInfo(info: WebSocketCloseInfo): { code: number; reason: string; } {
  if (info !== Object(info)) throw new TypeError("a close code and reason come as an object");
  const given = info.closeCode === undefined ? undefined : enforceUnsignedShort(info.closeCode);
  const reason = info.reason === undefined ? "" : toScalarText(info.reason);
  return { code: checkClose(given, reason), reason };
}

/** The streams of a socket whose messages nobody else reads. */
export function streamOf(socket: StreamableSocket): SocketStream {
  const closed = socket.closed.then(outcomeOf);
  // Whoever does not look at `closed` learns of the end from the streams.
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

function outcomeOf(
  { clean, code, reason, error, cause }: ClosedEvent,
): Required<WebSocketCloseInfo> {
  if (clean) return { closeCode: code, reason };
  throw abnormalEnd(
    error?.message ?? `the connection ended without a Close frame (${cause})`,
    error,
  );
}

function closeWith(socket: StreamableSocket, info: WebSocketCloseInfo): void {
  const { code, reason } = checkCloseInfo(info);
  socket.close(code, reason);
}

// A stream that is cancelled or aborted with a WebSocketError closes with its code, with anything
// else without a code. That of another connection, which came through a pipe, may have a code that
// cannot be sent.
function closeFor(socket: StreamableSocket, error: unknown): void {
  if (!(error instanceof WebSocketError)) return closeWith(socket, {});
  const { closeCode, reason } = error;
  closeWith(socket, closeCode === null || !isScriptCode(closeCode) ? {} : { closeCode, reason });
}

function readableOf(
  socket: StreamableSocket,
  closed: Promise<Required<WebSocketCloseInfo>>,
): ReadableStream<Message> {
  const messages = socket.messages();
  return new ReadableStream<Message>({
    async pull(controller) {
      const { done, value } = await messages.next().catch(() => ({
        done: true as const,
        value: undefined,
      }));
      if (!done) return controller.enqueue(value);
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
  closed: Promise<Required<WebSocketCloseInfo>>,
): WritableStream<WebSocketStreamData> {
  return new WritableStream<WebSocketStreamData>({
    start(controller) {
      // A task later, so that a pipe from the readable of the same socket sees the end of that
      // first, and ends as well as it did.
      const fail = (error: unknown): void => new TaskQueue().queue(() => controller.error(error));
      closed.then(
        () => fail(new DOMException("the WebSocket is closed", "InvalidStateError")),
        fail,
      );
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
