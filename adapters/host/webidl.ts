// Conversions and checks of arguments that WebSocket and WebSocketStream share, by Web IDL and the
// WebSocket standard (WHATWG WebSockets §3), and the shape of an interface in JavaScript. Each
// function cites its rule. `connect` has checks of its own.

import { isToken, MAX_REASON_BYTES } from "../../core/internal.ts";
import { CloseCode, UsageError } from "../../core/mod.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The URL record of a WebSocket: http and https become ws and wss. The API base URL is `location`,
 * which Deno has when it is configured.
 *
 * @throws {DOMException} `SyntaxError` for what is not the URL of a WebSocket
 */
export function urlRecord(given: string | URL): URL {
  const text = toText(given);
  const { location } = globalThis as { readonly location?: { readonly href: string; }; };
  if (!URL.canParse(text, location?.href)) {
    throw new DOMException(`${JSON.stringify(text)} is not a URL`, "SyntaxError");
  }
  const url = new URL(text, location?.href);
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

// Fetch §2.9, "port blocking": a request could make services on these ports do harm. "Establish a
// WebSocket connection" goes through Fetch; `connect` does not.
const BAD_PORTS: ReadonlySet<string> = new Set(
  [
    "0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109",
    "110 111 113 115 117 119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526",
    "530 531 532 540 548 554 556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659",
    "4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080",
  ].join(" ").split(" "),
);

/** The failure of connecting to a blocked port; `undefined` for any other. */
export function refuseBadPort({ port }: URL): Promise<never> | undefined {
  if (!BAD_PORTS.has(port)) return undefined;
  const rule = `Fetch has port ${port} blocked for the web's WebSocket`;
  return Promise.reject(new UsageError(`${rule}; connect takes any`));
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
  // "occur more than once" is silent on case; browsers' tests ignore case
  // (Create-protocols-repeated-case-insensitive).
  if (new Set(protocols.map((protocol) => protocol.toLowerCase())).size !== protocols.length) {
    throw new DOMException("a subprotocol is offered twice", "SyntaxError");
  }
  return protocols;
}

/** Web IDL, `(DOMString or sequence<DOMString>)`: an iterable object is a sequence. */
export function isIterableObject(value: unknown): value is Iterable<unknown> {
  return Object(value) === value && Symbol.iterator in (value as object);
}

/** Web IDL, DOMString. @throws {TypeError} for a symbol, of which `String` would make text */
export function toText(value: unknown): string {
  return `${value as string}`;
}

/** Web IDL, USVString: lone surrogates become U+FFFD. @throws {TypeError} for a symbol */
export function toScalarText(value: unknown): string {
  return decoder.decode(encoder.encode(toText(value)));
}

/** Web IDL: required arguments must be there. @throws {TypeError} when there is none */
export function requireArgument(given: number, what: string): void {
  if (given === 0) throw new TypeError(`${what} takes 1 argument, and there is none`);
}

/**
 * Web IDL, `[Clamp] unsigned short`: the nearest integer in range, ties to even; 0 for NaN.
 *
 * @throws {TypeError} for a symbol or a bigint
 */
export function clampToUnsignedShort(value: unknown): number {
  const number = Math.min(Math.max(+(value as number), 0), 0xffff);
  if (Number.isNaN(number)) return 0;
  const floor = Math.floor(number);
  return number - floor === 0.5 ? floor + floor % 2 : Math.round(number);
}

/**
 * Web IDL, `[EnforceRange] unsigned short`: the integer part.
 *
 * @throws {TypeError} for what is not a number, or out of range
 */
export function enforceUnsignedShort(value: unknown): number {
  const number = Math.trunc(+(value as number));
  if (number >= 0 && number <= 0xffff) return number;
  throw new TypeError(`${String(value)} is not in the range 0-65535`);
}

/** Whether the data is a buffer or a view of one. */
export function isBufferSource(data: unknown): data is ArrayBuffer | ArrayBufferView {
  return ArrayBuffer.isView(data) || data instanceof ArrayBuffer;
}

/** A copy of the bytes. */
export function copyOf(data: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  if (!ArrayBuffer.isView(data)) return new Uint8Array(data.slice());
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}

/**
 * The code to close with, by the rules for scripts; 1005 for a Close frame without a code.
 *
 * @throws {DOMException} `InvalidAccessError` for another code than 1000 or 3000-4999,
 *   `SyntaxError` for a reason over 123 bytes
 */
export function checkClose(code: number | undefined, reason: string): number {
  // 1. "If code is present, but is neither an integer equal to 1000 nor in the range 3000 to 4999,
  // throw an InvalidAccessError."
  if (code !== undefined && !isScriptCode(code)) {
    const message = `close code ${code} is neither 1000 nor in 3000-4999`;
    throw new DOMException(message, "InvalidAccessError");
  }
  // 2. "If reasonBytes is longer than 123 bytes, then throw a SyntaxError."
  if (encoder.encode(reason).length > MAX_REASON_BYTES) {
    throw new DOMException(`a close reason has at most ${MAX_REASON_BYTES} bytes`, "SyntaxError");
  }
  // A reason needs a code; without both the Close frame is empty.
  return code ?? (reason === "" ? CloseCode.noStatus : CloseCode.normal);
}

/** Whether a script may close with the code. */
export function isScriptCode(code: number): boolean {
  return code === CloseCode.normal || (code >= 3000 && code <= 4999);
}

/**
 * Makes the class what an interface of Web IDL is: its members are enumerable, its constants are
 * also on the prototype, and optional arguments do not count into the `length` of a method.
 *
 * @param name the interface's, if the class has another
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

/** A queue of tasks of the event loop, as event sources of the web have. */
export class TaskQueue {
  /** Tasks that have not run. */
  size = 0;

  /** Runs the callback in a task of its own, after those that were queued before. */
  queue(task: () => void): void {
    this.size++;
    setImmediate(() => {
      this.size--;
      task();
    });
  }
}
