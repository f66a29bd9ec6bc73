// What the WebSocket and WebSocketStream classes share: the standard's (WHATWG WebSockets §3) and
// Web IDL's readings of arguments.

import { CloseCode, MAX_REASON_BYTES } from "../../../core/close.ts";
import { isToken } from "../../../core/http/fields.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The URL record of a WebSocket, http and https turned into ws and wss. The API base URL is that of
 * `location`, which Deno has when it is told one.
 *
 * @throws {DOMException} `SyntaxError` for what is no URL of a WebSocket
 */
export function urlRecord(input: string | URL): URL {
  const url = parseUrl(toText(input));
  if (url.protocol === "http:") url.protocol = "ws:";
  else if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    throw new DOMException(`the scheme of ${url.href} is not one of WebSocket`, "SyntaxError");
  }
  if (url.href.includes("#")) {
    throw new DOMException("the URL of a WebSocket has no fragment", "SyntaxError");
  }
  return url;
}

function parseUrl(input: string): URL {
  const { location } = globalThis as {
    readonly location?: { readonly href: string; } | undefined;
  };
  try {
    return new URL(input, location?.href);
  } catch {
    throw new DOMException(`${JSON.stringify(input)} is not a URL`, "SyntaxError");
  }
}

/**
 * The subprotocols, which "must match the requirements for elements that comprise the value of
 * Sec-WebSocket-Protocol".
 *
 * @throws {DOMException} `SyntaxError` for one that does not, and for one given twice
 */
export function checkProtocols(given: string | readonly string[]): string[] {
  const protocols = isIterableObject(given) ? Array.from(given, toText) : [toText(given)];
  const illegal = protocols.find((protocol) => !isToken(protocol));
  if (illegal !== undefined) {
    throw new DOMException(`${JSON.stringify(illegal)} is not a subprotocol`, "SyntaxError");
  }
  // "occur more than once" does not speak of case; browsers' tests
  // (Create-protocols-repeated-case-insensitive) have it not matter.
  if (new Set(protocols.map((protocol) => protocol.toLowerCase())).size !== protocols.length) {
    throw new DOMException("a subprotocol is offered twice", "SyntaxError");
  }
  return protocols;
}

/**
 * Web IDL, `(DOMString or sequence<DOMString>)`: an object that can be iterated over is a sequence,
 * anything else a string.
 */
export function isIterableObject(value: unknown): value is Iterable<unknown> {
  const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
  return isObject && Symbol.iterator in value;
}

/**
 * Web IDL, DOMString: a template, unlike `String`, makes no text of a symbol.
 *
 * @throws {TypeError} for a symbol
 */
export function toText(value: unknown): string {
  return `${value as string}`;
}

/**
 * Web IDL, USVString: lone surrogates become U+FFFD.
 *
 * @throws {TypeError} for a symbol
 */
export function toScalarText(value: unknown): string {
  return decoder.decode(encoder.encode(toText(value)));
}

/**
 * Web IDL: a call must have the arguments that are not optional.
 *
 * @throws {TypeError} when there is none
 */
export function requireArgument(given: number, what: string): void {
  if (given === 0) throw new TypeError(`${what} takes 1 argument, and there is none`);
}

/**
 * Web IDL, `[Clamp] unsigned short`: the nearest integer in range, ties to even, and 0 for what is
 * no number.
 *
 * @throws {TypeError} for a symbol or a bigint
 */
export function clampToUnsignedShort(value: unknown): number {
  const number = Math.min(Math.max(+(value as number), 0), 0xffff);
  if (Number.isNaN(number)) return 0;
  const floor = Math.floor(number);
  const tie = number - floor === 0.5;
  return tie ? floor + floor % 2 : Math.round(number);
}

/**
 * Web IDL, `[EnforceRange] unsigned short`: the integer part.
 *
 * @throws {TypeError} for what is no number, or out of range
 */
export function enforceUnsignedShort(value: unknown): number {
  const number = Math.trunc(+(value as number));
  if (!(number >= 0 && number <= 0xffff)) {
    throw new TypeError(`${String(value)} is not in the range 0-65535`);
  }
  return number;
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

/**
 * The code to close with, by the rules for what a script may send; 1005 stands for a Close frame
 * without one.
 *
 * @throws {DOMException} `InvalidAccessError` for another code than 1000 or 3000-4999,
 *   `SyntaxError` for a reason over 123 bytes
 */
export function checkClose(code: number | undefined, reason: string): number {
  // 1. "If code is present, but is neither an integer equal to 1000 nor in the range 3000 to 4999,
  // throw an InvalidAccessError."
  if (code !== undefined && !isScriptCode(code)) {
    throw new DOMException(
      `close code ${code} is neither 1000 nor in 3000-4999`,
      "InvalidAccessError",
    );
  }
  // 2. "If reasonBytes is longer than 123 bytes, then throw a SyntaxError."
  if (encoder.encode(reason).length > MAX_REASON_BYTES) {
    throw new DOMException(`a close reason has at most ${MAX_REASON_BYTES} bytes`, "SyntaxError");
  }
  // A reason cannot go without a code; neither of them makes an empty Close frame.
  return code ?? (reason === "" ? CloseCode.noStatus : CloseCode.normal);
}

/** Whether a script may close with the code. */
export function isScriptCode(code: number): boolean {
  return code === CloseCode.normal || (code >= 3000 && code <= 4999);
}

/**
 * Makes the class what Web IDL has an interface be: members are enumerable, constants are on the
 * class and on its prototype, and optional arguments do not count into the `length` of a method.
 *
 * @param name the interface's, where the class has another
 */
export function exposeInterface(
  type: { readonly name: string; readonly prototype: object; },
  constants: Readonly<Record<string, number>> = {},
  name: string = type.name,
): void {
  const { prototype } = type;
  Object.defineProperty(type, "name", { value: name, configurable: true });
  for (const [constant, value] of Object.entries(constants)) {
    const property = { value, enumerable: true, writable: false, configurable: false };
    Object.defineProperty(type, constant, property);
    Object.defineProperty(prototype, constant, property);
  }
  for (const [member, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (member === "constructor" || !property.configurable) continue;
    Object.defineProperty(prototype, member, { ...property, enumerable: true });
    if (member === "close") {
      Object.defineProperty(property.value, "length", { value: 0, configurable: true });
    }
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
}
