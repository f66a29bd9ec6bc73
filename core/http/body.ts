// The bodies of HTTP/1.1 messages and their lengths: RFC 9112 §6 and §7. A WebSocket handshake
// has no body. Refusals have one, and so do a server's other HTTP requests.

import type { Pieces } from "../bytes.ts";
import type { HandshakeFault } from "../faults.ts";
import type { HeaderFields } from "./fields.ts";
import type { ResponseHead } from "./head.ts";

/** Where a body ends: after so many bytes, its last chunk, or the transport (RFC 9112 §6.3). */
export type BodyLength = number | "chunked" | "until-end";

/** The fault in a request's body length; ambiguous framing is one (RFC 9112 §6.3, §11.2). */
export function requestBodyFault(headers: HeaderFields): HandshakeFault | undefined {
  const coding = headers.get("transfer-encoding");
  const hasLength = headers.has("content-length");
  if (coding === undefined) {
    return hasLength && contentLength(headers) === undefined ? "content-length-invalid" : undefined;
  }
  if (hasLength) return "body-length-ambiguous";
  return isChunked(coding) ? undefined : "transfer-encoding-unsupported";
}

/** Where the body of a request without such a fault ends. */
export function requestBodyLength(headers: HeaderFields): BodyLength {
  return headers.has("transfer-encoding") ? "chunked" : contentLength(headers) ?? 0;
}

/** Where the body of a response to GET ends; an invalid or unknown length means `until-end`. */
export function responseBodyLength({ status, headers }: ResponseHead): BodyLength {
  if (status < 200 || status === 204 || status === 304) return 0;
  const coding = headers.get("transfer-encoding");
  if (coding !== undefined) return isChunked(coding) ? "chunked" : "until-end";
  return contentLength(headers) ?? "until-end";
}

function isChunked(coding: string): boolean {
  return /^chunked$/i.test(coding);
}

function contentLength(headers: HeaderFields): number | undefined {
  const value = headers.get("content-length");
  if (value === undefined || !/^\d+$/.test(value)) return undefined;
  const length = Number(value);
  return Number.isSafeInteger(length) ? length : undefined;
}

/** The most bytes of a chunk's size and extensions, and of the trailer. */
const MAX_LINE = 4096;
/** The most hexadecimal digits of a chunk's size: 52 bits, an exact integer. */
const MAX_SIZE_DIGITS = 13;

const LF = 0x0a;
const CR = 0x0d;

/** Extracts a body from the chunks of a transport. */
export class BodyReader {
  /** Whether the whole body was read. */
  done: boolean;
  /** Whether a chunked body is malformed; nothing is read after that. */
  malformed = false;

  readonly #chunked: boolean;
  /** Bytes that the body, or its current HTTP chunk, still needs. */
  #remaining: number;
  /** What comes next; `trailer` is everything after the last HTTP chunk. */
  #part: "size" | "data" | "data-end" | "trailer";
  /** The current line of the chunked coding. */
  #line = "";
  #trailerSize = 0;

  constructor(length: BodyLength) {
    this.#chunked = length === "chunked";
    this.#part = this.#chunked ? "size" : "data";
    this.#remaining = typeof length === "number" ? length : this.#chunked ? 0 : Infinity;
    this.done = length === 0;
  }

  /** Appends the chunk's part of the body. */
  receive(chunk: Uint8Array, body: Pieces): void {
    let at = 0;
    while (at < chunk.length && !this.done && !this.malformed) {
      at = this.#part === "data" ? this.#takeData(chunk, at, body) : this.#takeLine(chunk, at);
    }
  }

  #takeData(chunk: Uint8Array, at: number, body: Pieces): number {
    const end = Math.min(chunk.length, at + this.#remaining);
    body.append(chunk, at, end);
    this.#remaining -= end - at;
    if (this.#remaining > 0) return end;
    if (this.#chunked) this.#part = "data-end";
    else this.done = true;
    return end;
  }

  #takeLine(chunk: Uint8Array, at: number): number {
    const newline = chunk.indexOf(LF, at);
    const end = newline === -1 ? chunk.length : newline;
    if (this.#line.length + end - at > (this.#part === "data-end" ? 1 : MAX_LINE)) {
      this.#fail();
      return end;
    }
    for (let index = at; index < end; index++) this.#line += String.fromCharCode(chunk[index]!);
    if (newline === -1) return end;
    this.#endLine();
    return newline + 1;
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = "";
    if (line.charCodeAt(line.length - 1) !== CR) this.#fail();
    else if (this.#part === "size") this.#takeSize(line.slice(0, -1));
    else if (this.#part === "trailer") this.#takeTrailer(line.slice(0, -1));
    else this.#part = "size";
  }

  // RFC 9112 §7.1: `chunk-size [ chunk-ext ]`. §7.1.1: unrecognized extensions are ignored.
  #takeSize(line: string): void {
    const digits = /^[0-9A-Fa-f]+(?=[ \t]*(?:;|$))/.exec(line)?.[0];
    if (digits === undefined || digits.length > MAX_SIZE_DIGITS) return this.#fail();
    this.#remaining = parseInt(digits, 16);
    this.#part = this.#remaining === 0 ? "trailer" : "data";
  }

  #takeTrailer(line: string): void {
    this.#trailerSize += line.length;
    if (line === "") this.done = true;
    else if (this.#trailerSize > MAX_LINE) this.#fail();
  }

  #fail(): void {
    this.malformed = true;
  }
}
