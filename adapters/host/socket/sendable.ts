// What an application may give to be sent, as the core takes it.

import { PreparedMessage, UsageError } from "../../../core/mod.ts";
import type { Sendable } from "./handlers.ts";
import { toBytes } from "./publish.ts";

/** The data in one of three kinds. @throws {UsageError} for data of no kind that can be sent */
export function checkSendable(data: Sendable): string | Uint8Array | PreparedMessage {
  if (typeof data === "string" || data instanceof Uint8Array || data instanceof PreparedMessage) {
    return data;
  }
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return toBytes(data);
  throw new UsageError("send takes a string, an ArrayBuffer, a view of one, or a prepared message");
}

/** How much it counts: bytes, or characters of text, whose bytes would have to be counted first. */
export function sizeOf(message: string | Uint8Array | PreparedMessage): number {
  return message instanceof PreparedMessage ? message.payload.length : message.length;
}
