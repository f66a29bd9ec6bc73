// The heads of HTTP/1.x requests and responses, found in chunks and parsed: RFC 9112 §2 to §5.
// Strict where two parsers could disagree: lines end in CRLF, nothing is folded, no space stands
// before a colon, no control character is in a value. Text is Latin-1, as in HTTP's grammar.

import { NOTHING, Pieces } from "../bytes.ts";
import type { HandshakeFault } from "../faults.ts";
import type { Limits } from "../limits.ts";
import { utf8Decoder } from "../platform.ts";
import type { HeaderField } from "./fields.ts";
import { HeaderFields, isFieldValue, isToken, trimSpace } from "./fields.ts";

/** The head of a request. */
export interface RequestHead {
  /** Such as `"GET"`; case matters. */
  readonly method: string;
  /** The request target as sent: mostly a path with its query (RFC 9112 §3.2). */
  readonly target: string;
  /** Such as `"HTTP/1.1"`; an upgrade needs 1.1 (RFC 9110 §7.8). */
  readonly version: string;
  /** Every field, in order, names as sent, values as Latin-1 text (RFC 9110 §5.5). */
  readonly headers: HeaderFields;
}

/** The head of a response. */
export interface ResponseHead {
  /** That of the status line; only 1.1 can switch protocols (RFC 9110 §15.2.2). */
  readonly version: "HTTP/1.0" | "HTTP/1.1";
  /** 100-999. */
  readonly status: number;
  /** The reason phrase; often empty. */
  readonly statusText: string;
  /** Every field, in order, names as sent, values as Latin-1 text (RFC 9110 §5.5). */
  readonly headers: HeaderFields;
}

const LF = 0x0a;
const CR = 0x0d;
const CRLF_LENGTH = 2;

/** Finds the end of a head in the chunks of a transport. Looks at every byte once. */
export class HeadReader {
  /** What follows the head in the chunk that ended it. */
  rest: Uint8Array = NOTHING;

  readonly #kind: "request" | "response";
  readonly #malformed: HandshakeFault;
  readonly #limits: Limits;
  readonly #held = new Pieces();
  #lineStart = 0;
  /** Lines that ended before it. */
  #lines = 0;
  #endedInCr = false;

  /** A reader of one head, of which no byte has come. */
  constructor(kind: "request" | "response", limits: Limits) {
    this.#kind = kind;
    this.#malformed = kind === "request" ? "request-line-malformed" : "status-line-malformed";
    this.#limits = limits;
  }

  /**
   * Takes the next chunk: the whole head once its empty line is there, or the rule it breaks;
   * `undefined` while it is incomplete.
   */
  receive(chunk: Uint8Array): Uint8Array | HandshakeFault | undefined {
    if (chunk.length === 0) return undefined;
    if (this.#held.size === 0 && !this.#mayBegin(chunk[0]!)) return this.#malformed;
    for (let from = 0;;) {
      const at = chunk.indexOf(LF, from);
      const fault = this.#checkSize(this.#held.size + (at === -1 ? chunk.length : at + 1));
      if (fault !== undefined) return fault;
      if (at === -1) return this.#hold(chunk);
      if (!(at === 0 ? this.#endedInCr : chunk[at - 1] === CR)) return "line-ending-bare";
      from = at + 1;
      if (this.#endLine(this.#held.size + from)) return this.#finish(chunk, from);
      if (this.#lines > 1 + this.#limits.maxFields) return "too-many-fields";
    }
  }

  // Anything else is no HTTP: a TLS client, for one, would wait for an answer in vain.
  #mayBegin(byte: number): boolean {
    const character = String.fromCharCode(byte);
    return this.#kind === "response" ? character === "H" : byte === CR || isToken(character);
  }

  // Reports the limit that is met first, wherever the chunks were cut.
  #checkSize(end: number): HandshakeFault | undefined {
    const headLimit = this.#limits.maxHeadSize;
    const lineLimit = this.#lineStart + this.#limits.maxLineLength + CRLF_LENGTH;
    if (end <= headLimit && end <= lineLimit) return undefined;
    if (headLimit < lineLimit) return "head-too-large";
    const requestLine = this.#kind === "request" && this.#lines === 0;
    return requestLine ? "request-line-too-long" : "line-too-long";
  }

  /** Ends the current line at `end`; true if it was the empty one that ends the head. */
  #endLine(end: number): boolean {
    const empty = end - this.#lineStart === CRLF_LENGTH;
    // RFC 9112 §2.2: a server "SHOULD ignore at least one empty line" before the request line.
    const leading = this.#kind === "request" && this.#lineStart === 0;
    this.#lineStart = end;
    if (empty) return !leading;
    this.#lines++;
    return false;
  }

  #hold(chunk: Uint8Array): undefined {
    this.#held.append(chunk, 0, chunk.length);
    this.#endedInCr = chunk[chunk.length - 1] === CR;
  }

  #finish(chunk: Uint8Array, end: number): Uint8Array {
    this.rest = chunk.subarray(end);
    if (this.#held.size === 0) return chunk.subarray(0, end);
    this.#held.append(chunk, 0, end);
    return this.#held.join();
  }
}

/** Parses the head of a request, its empty line included; or names the rule it breaks. */
export function parseRequestHead(head: Uint8Array): RequestHead | HandshakeFault {
  const text = decodeLatin1(head);
  const lines = splitLines(text.startsWith("\r\n") ? text.slice(CRLF_LENGTH) : text);
  const request = parseRequestLine(lines[0]!);
  if (typeof request === "string") return request;
  const headers = parseFields(lines);
  if (typeof headers === "string") return headers;
  return { ...request, headers };
}

/** Parses the head of a response, its empty line included; or names the rule it breaks. */
export function parseResponseHead(head: Uint8Array): ResponseHead | HandshakeFault {
  const lines = splitLines(decodeLatin1(head));
  const line = lines[0]!;
  if (!isFieldValue(line)) return controlFault(line, "status-line-malformed");
  // RFC 9112 §4 has a space before an empty reason phrase too; some servers omit it, harmlessly.
  const match = /^(HTTP\/1\.[01]) ([1-9]\d\d)(?: (.*))?$/.exec(line);
  if (match === null) return "status-line-malformed";
  const headers = parseFields(lines);
  if (typeof headers === "string") return headers;
  const version = match[1] as ResponseHead["version"];
  return { version, status: Number(match[2]), statusText: match[3] ?? "", headers };
}

function splitLines(text: string): string[] {
  return text.slice(0, -2 * CRLF_LENGTH).split("\r\n");
}

function parseRequestLine(line: string): Omit<RequestHead, "headers"> | HandshakeFault {
  if (!isFieldValue(line)) return controlFault(line, "request-line-malformed");
  const [method, target, version, ...more] = line.split(" ", 4);
  const malformed = version === undefined || more.length > 0 || !isToken(method!);
  if (malformed || !/^HTTP\/\d\.\d$/.test(version)) return "request-line-malformed";
  // RFC 9110 §15.6.6 is about the major version: a 1.x server answers any 1.x request.
  if (!version.startsWith("HTTP/1.")) return "http-version-unsupported";
  if (!isTarget(method!, target!)) return "target-invalid";
  return { method: method!, target: target!, version };
}

function parseFields(lines: readonly string[]): HeaderFields | HandshakeFault {
  const fields: HeaderField[] = [];
  for (let index = 1; index < lines.length; index++) {
    const field = parseField(lines[index]!);
    if (typeof field === "string") return field;
    fields.push(field);
  }
  return new HeaderFields(fields);
}

function parseField(line: string): HeaderField | HandshakeFault {
  if (!isFieldValue(line)) return controlFault(line, "field-value-invalid");
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0));
  if (isToken(name)) return [name, trimSpace(line.slice(colon + 1))];
  if (/^[ \t]/.test(line)) return "field-folded";
  if (colon === -1) return "field-colon-missing";
  return /[ \t]$/.test(name) ? "field-name-space" : "field-name-invalid";
}

function controlFault(line: string, other: HandshakeFault): HandshakeFault {
  return /[\r\n]/.test(line) ? "line-ending-bare" : other;
}

// The UTF-8 decoder is by far the fastest way to read ASCII, as nearly all heads are. A text with
// as many code units as bytes was all ASCII.
function decodeLatin1(bytes: Uint8Array): string {
  try {
    const text = utf8Decoder.decode(bytes);
    if (text.length === bytes.length) return text;
  } catch {
    // Not UTF-8, so not ASCII.
  }
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

// --- Targets and hosts: RFC 9112 §3.2, RFC 3986 §3.2.2 ---

/** Whether the target fits the method's request line: visible ASCII, no fragment, as in §3.2. */
export function isTarget(method: string, target: string): boolean {
  if (!/^[\x21\x22\x24-\x7e]+$/.test(target)) return false; // all but "#"
  if (target.startsWith("/") || method === "CONNECT") return true;
  if (target === "*") return method === "OPTIONS";
  const authority = splitAbsoluteTarget(target)?.[0];
  return authority !== undefined && isHost(authority);
}

/** The authority of a target in absolute form, and path and query; `undefined` for other forms. */
export function splitAbsoluteTarget(
  target: string,
): readonly [authority: string, path: string] | undefined {
  const match = /^(?:http|ws)s?:\/\/([^/?]+)(.*)$/i.exec(target);
  if (match === null) return undefined;
  const [, authority, path] = match;
  return [authority!, path!.startsWith("/") ? path! : `/${path}`];
}

/** Whether the text is a name or an address, with or without a port. */
export function isHost(text: string): boolean {
  return /^(?:[\w\-.~!$&'()*+,;=%]+|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/.test(text);
}
