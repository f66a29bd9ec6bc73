// What an application may give to be sent, as the core takes it: checked, prepared once for many
// sockets, or taken piece by piece from a source.

import {
  prepareBinary,
  PreparedMessage,
  prepareText,
  type SendOptions,
} from "../../../core/mod.ts";
import { UsageError } from "../../../core/mod.ts";
import type { Topics } from "../topics.ts";
import type { Ending } from "../waiting.ts";
import type { Message } from "./inbox.ts";

/** What can be sent: text, bytes of any kind, or a message prepared for many. */
export type Sendable = string | Uint8Array | ArrayBuffer | ArrayBufferView | PreparedMessage;

/** What the core sends. */
export type Outgoing = string | Uint8Array | PreparedMessage;

/**
 * What became of a message. `"sent"`: on its way. `"queued"`: it waits, because the peer is slow to
 * take what was sent before. `"dropped"`: not sent, because the socket is not open or too much
 * waits.
 */
export type SendResult = "sent" | "queued" | "dropped";

/** The data as the core takes it. @throws {UsageError} for data of no kind that can be sent */
export function checkSendable(data: Sendable): Outgoing {
  if (typeof data === "string" || data instanceof PreparedMessage) return data;
  const bytes = bytesOf(data);
  if (bytes !== undefined) return bytes;
  throw new UsageError("send takes a string, an ArrayBuffer, a view of one, or a prepared message");
}

/**
 * The bytes of a buffer or a view of one, of any realm, as a plain Uint8Array: the methods of a
 * Buffer differ. `undefined` for anything else.
 */
export function bytesOf(data: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(data)) {
    if (data.constructor === Uint8Array) return data as Uint8Array;
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  return isArrayBuffer(data) ? new Uint8Array(data) : undefined;
}

const byteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength")!.get!;

/** Whether it is an ArrayBuffer, of whatever realm: the getter throws for everything else. */
function isArrayBuffer(value: unknown): value is ArrayBuffer {
  try {
    byteLength.call(value);
    return true;
  } catch {
    return false;
  }
}

/** How much a message counts: bytes, or characters of text, whose bytes are not known yet. */
export function sizeOf(message: Outgoing): number {
  return message instanceof PreparedMessage ? message.payload.length : message.length;
}

/** A socket to publish to. */
interface Subscriber {
  send(data: Sendable): SendResult;
}

/** Sends to the subscribers of a topic, but for one; returns to how many. */
export function publish<S extends Subscriber>(
  topics: Topics<S>,
  topic: string,
  data: Sendable,
  options?: SendOptions,
  except?: S,
): number {
  const subscribers = topics.subscribersOf(topic);
  if (subscribers.size === 0) return 0;
  const message = prepare(data, options);
  let count = 0;
  for (const socket of subscribers) {
    if (socket !== except && socket.send(message) !== "dropped") count++;
  }
  return count;
}

function prepare(data: Sendable, options?: SendOptions): PreparedMessage {
  const message = checkSendable(data);
  if (message instanceof PreparedMessage) return message;
  return typeof message === "string"
    ? prepareText(message, options)
    : prepareBinary(message, options);
}

/** Something that is sent piece by piece: text, or bytes of any kind. */
export type Piece = string | Uint8Array | ArrayBuffer | ArrayBufferView;

/** Where pieces come from. */
export type PieceSource = AsyncIterable<Piece> | Iterable<Piece>;

/**
 * Sends what the source gives as one message, a fragment a piece (RFC 6455 §5.4). `send` is
 * fulfilled when the peer can take more. When the peer is gone, the source is returned.
 *
 * @throws {UsageError} for what cannot be sent
 * @throws what the source throws, and what `ending` ends with
 */
export async function sendPieces(
  send: (data: Message, final: boolean) => Promise<void>,
  source: PieceSource,
  ending: Ending,
): Promise<void> {
  const pieces = iteratorOf(source);
  let nothing: Message = new Uint8Array(0);
  try {
    for (;;) {
      const next = await ending.race(pieces.next());
      if (next.done) break;
      const piece = checkSendable(await next.value);
      if (piece instanceof PreparedMessage) throw new UsageError("a piece is no prepared message");
      if (typeof piece === "string") nothing = "";
      await ending.race(send(piece, false));
    }
  } catch (error) {
    // Not awaited: a source that waits for something itself would keep its caller waiting.
    Promise.resolve(pieces.return?.()).catch(() => {});
    throw error;
  }
  // An empty last frame, so that no piece has to wait for the next one to learn that it is last.
  await ending.race(send(nothing, true));
}

/** Whether `for await` takes it. A string is one message, not a source of pieces. */
export function isIterable(value: unknown): value is PieceSource {
  const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
  return isObject && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

function iteratorOf(source: PieceSource): AsyncIterator<Piece> | Iterator<Piece | Promise<Piece>> {
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  return source[Symbol.iterator]();
}
