// What the WebSocket and WebSocketStream classes share: the standard's (WHATWG WebSockets §3) and Web IDL's readings of arguments.

import { CloseCode } from "../../core/close.ts";
import { isToken } from "../../core/http/fields.ts";

/**
 * The URL record of a WebSocket, http and https turned into ws and wss.
 *
 * @throws {DOMException} `SyntaxError` for what is no URL of a WebSocket
 */
export function urlRecord(input: string | URL): URL {
  const url = parseUrl(String(input));
  if (url.protocol === "http:") url.protocol = "ws:";
  else if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    throw new DOMException(`the scheme of ${url.href} is not one of WebSocket`, "SyntaxError");
  }
  if (url.href.includes("#")) throw new DOMException("the URL of a WebSocket has no fragment", "SyntaxError");
  return url;
}

function parseUrl(input: string): URL {
  try {
    return new URL(input);
  } catch {
    throw new DOMException(`${JSON.stringify(input)} is not a URL`, "SyntaxError");
  }
}

/**
 * The subprotocols, which "must match the requirements for elements that comprise the value of Sec-WebSocket-Protocol".
 *
 * @throws {DOMException} `SyntaxError` for one that does not, and for one given twice
 */
export function checkProtocols(given: string | readonly string[]): string[] {
  const protocols = typeof given === "object" ? Array.from(given, String) : [String(given)];
  const illegal = protocols.find((protocol) => !isToken(protocol));
  if (illegal !== undefined) {
    throw new DOMException(`${JSON.stringify(illegal)} is not a subprotocol`, "SyntaxError");
  }
  if (new Set(protocols).size !== protocols.length) {
    throw new DOMException("a subprotocol is offered twice", "SyntaxError");
  }
  return protocols;
}

/** Web IDL, `[Clamp] unsigned short`: the nearest integer in range, ties to even, and 0 for what is no number. */
export function clampToUnsignedShort(value: unknown): number {
  const number = Math.min(Math.max(Number(value), 0), 0xffff);
  if (Number.isNaN(number)) return 0;
  const floor = Math.floor(number);
  const tie = number - floor === 0.5;
  return tie ? floor + floor % 2 : Math.round(number);
}

/** Whether the data is a buffer or a view of one. */
export function isBufferSource(data: unknown): data is ArrayBuffer | ArrayBufferView {
  return ArrayBuffer.isView(data) || data instanceof ArrayBuffer;
}

/** A copy of the bytes. */
export function copyOf(data: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  const view = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  return new Uint8Array(view);
}

/** "If reasonBytes is not empty but code is null, then set code to 1000"; no code at all gives an empty Close frame. */
export function defaultCloseCode(reasonBytes: Uint8Array): number {
  return reasonBytes.length === 0 ? CloseCode.noStatus : CloseCode.normal;
}
