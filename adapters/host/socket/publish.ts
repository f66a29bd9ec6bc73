// One message to many sockets: encoded once, framed once, compressed at most once for each set of
// parameters.

import type { SendOptions, Topics } from "../../../core/mod.ts";
import { prepareBinary, PreparedMessage, prepareText } from "../../../core/mod.ts";
import type { Sendable } from "./handlers.ts";
import type { Socket } from "./socket.ts";

/** Sends to the subscribers of a topic, but for one; returns how many it went to. */
export function publish<Data>(
  topics: Topics<Socket<Data>>,
  topic: string,
  data: Sendable,
  options?: SendOptions,
  except?: Socket<Data>,
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
  if (data instanceof PreparedMessage) return data;
  if (typeof data === "string") return prepareText(data, options);
  return prepareBinary(toBytes(data), options);
}

/** The bytes of a buffer or of any view of one, without a copy. */
export function toBytes(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  return new Uint8Array(data);
}
