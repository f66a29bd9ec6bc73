// A socket as two streams of the web (WHATWG WebSockets, the WebSocketStream proposal): messages are read and written as chunks, and
// backpressure goes through in both directions.
//
// WebSocketStream makes one from a URL, `socket.stream()` from a socket that is open.

import { CloseCode, MAX_REASON_BYTES } from "../../core/close.ts";
import type { ClosedEvent } from "../../core/mod.ts";
import type { Message } from "./handlers.ts";
import type { Socket } from "./socket.ts";
import { copyOf, defaultCloseCode, isBufferSource } from "./web.ts";

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
  /** The messages that come; not read from the network before somebody wants them. */
  readonly readable: ReadableStream<Message>;
  /** Takes messages; a write is done when the next one would not have to wait. */
  readonly writable: WritableStream<WebSocketStreamData>;
  readonly protocol: string;
  readonly extensions: string;
  /** Fulfilled when the closing handshake is done, rejected with a WebSocketError when there is none. */
  readonly closed: Promise<Required<WebSocketCloseInfo>>;
  /**
   * Begins the closing handshake.
   *
   * @throws {DOMException} `InvalidAccessError` for another code than 1000 or 3000-4999, `SyntaxError` for a longer reason
   */
  close(info?: WebSocketCloseInfo): void;
}

/** Why a WebSocketStream ended, or is to be ended, with the close code and reason. */
export class WebSocketError extends DOMException {
  /** 1000, 3000-4999, or what the peer sent; `null` when there is none. */
  readonly closeCode: number | null;
  readonly reason: string;

  /** @throws {DOMException} as `close` does */
  constructor(message: string = "", info: WebSocketCloseInfo = {}) {
    super(message, "WebSocketError");
    const { closeCode, reason } = checkCloseInfo(info);
    this.closeCode = closeCode === undefined && reason !== "" ? CloseCode.normal : closeCode ?? null;
    this.reason = reason;
  }
}

const encoder = new TextEncoder();

/**
 * What is to be closed with, checked.
 *
 * @throws {DOMException} `InvalidAccessError` for a code that an application must not send, `SyntaxError` for too long a reason
 */
export function checkCloseInfo(
  { closeCode, reason = "" }: WebSocketCloseInfo,
): { closeCode: number | undefined; reason: string; } {
  const legal = closeCode === undefined || closeCode === CloseCode.normal || (closeCode >= 3000 && closeCode <= 4999);
  if (!legal) throw new DOMException(`close code ${closeCode} is neither 1000 nor in 3000-4999`, "InvalidAccessError");
  if (encoder.encode(reason).length > MAX_REASON_BYTES) {
    throw new DOMException(`a close reason has at most ${MAX_REASON_BYTES} bytes`, "SyntaxError");
  }
  return { closeCode, reason };
}

/** The streams of a socket whose messages nobody else reads. */
export function streamOf(socket: Socket<unknown>): SocketStream {
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

function outcomeOf({ clean, code, reason, error, cause }: ClosedEvent): Required<WebSocketCloseInfo> {
  if (clean) return { closeCode: code, reason };
  const failure = new WebSocketError(error?.message ?? `the connection ended without a Close frame (${cause})`);
  failure.cause = error;
  throw failure;
}

function closeWith(socket: Socket<unknown>, info: WebSocketCloseInfo): void {
  const { closeCode, reason } = checkCloseInfo(info);
  socket.close(closeCode ?? defaultCloseCode(encoder.encode(reason)), reason);
}

// A stream that is cancelled or aborted with a WebSocketError closes with its code, with anything else without a code.
function closeFor(socket: Socket<unknown>, reason: unknown): void {
  const info = reason instanceof WebSocketError ? reason : undefined;
  closeWith(socket, { closeCode: info?.closeCode ?? undefined, reason: info?.reason });
}

function readableOf(
  socket: Socket<unknown>,
  closed: Promise<Required<WebSocketCloseInfo>>,
): ReadableStream<Message> {
  const messages = socket[Symbol.asyncIterator]();
  return new ReadableStream<Message>({
    async pull(controller) {
      const { done, value } = await messages.next().catch(() => ({ done: true as const, value: undefined }));
      if (!done) return controller.enqueue(value);
      await closed;
      controller.close();
    },
    async cancel(reason) {
      closeFor(socket, reason);
      await closed;
    },
  }, { highWaterMark: 0 });
}

function writableOf(
  socket: Socket<unknown>,
  closed: Promise<Required<WebSocketCloseInfo>>,
): WritableStream<WebSocketStreamData> {
  return new WritableStream<WebSocketStreamData>({
    start(controller) {
      closed.then(
        () => controller.error(new DOMException("the WebSocket is closed", "InvalidStateError")),
        (error: unknown) => controller.error(error),
      );
    },
    async write(data) {
      if (socket.send(isBufferSource(data) ? copyOf(data) : String(data)) === "dropped") {
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
