// HTTP heads out: RFC 9112 §3 to §5. The last gate before the wire checks every byte of a head:
// a CR, LF or NUL in a value would let it become another field or message.

import { UsageError } from "../errors.ts";
import { type HeaderField, type HeaderInput, isFieldValue, isToken, trimSpace } from "./fields.ts";
import { isTarget } from "./head.ts";

/**
 * The caller's header fields, checked, as a list.
 * @param owned tells which names, in lower case, are not the caller's to set
 * @throws {UsageError} naming a field that must not be sent, or that the handshake itself writes
 */
export function checkFields(
  input: HeaderInput | undefined,
  owned: (lowerName: string) => boolean,
): HeaderField[] {
  if (input === undefined) return [];
  if (input !== Object(input)) {
    throw new UsageError(
      `headers is ${String(input)}; it takes an object, or a list of names with values`,
    );
  }
  return (Symbol.iterator in input ? [...input] : Object.entries(input)).map((field) => {
    checkField(field);
    const [name, value] = field;
    if (owned(name.toLowerCase())) {
      throw new UsageError(`header ${name} is written by the handshake itself`);
    }
    return [name, trimSpace(value)];
  });
}

function checkField([name, value]: HeaderField): void {
  if (typeof name !== "string" || !isToken(name)) {
    throw new UsageError(`header name ${JSON.stringify(name)} is not a token (RFC 9110 §5.1)`);
  }
  if (typeof value !== "string" || !isFieldValue(value)) {
    throw new UsageError(
      `the value of header ${name} is not Latin-1 text without control characters (RFC 9110 §5.5)`,
    );
  }
}

/**
 * The head of a request, as bytes.
 * @throws {UsageError} for a method, target or field that must not be sent
 */
export function formatRequestHead(
  method: string,
  target: string,
  fields: Iterable<HeaderField>,
): Uint8Array {
  if (!isToken(method)) {
    throw new UsageError(`method ${JSON.stringify(method)} is not a token (RFC 9110 §9.1)`);
  }
  if (!isTarget(method, target)) {
    throw new UsageError(`${JSON.stringify(target)} is not a request target (RFC 9112 §3.2)`);
  }
  return formatHead(`${method} ${target} HTTP/1.1\r\n`, fields);
}

/**
 * The head of a response, as bytes; `statusText` is the registered phrase by default.
 * @throws {UsageError} for a status outside 100-599, and for a phrase or field not to be sent
 */
export function formatResponseHead(
  status: number,
  fields: Iterable<HeaderField>,
  statusText: string = STATUS_TEXTS.get(status) ?? "",
): Uint8Array {
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    throw new UsageError(`status ${status} is not between 100 and 599 (RFC 9110 §15)`);
  }
  if (!isFieldValue(statusText)) {
    throw new UsageError("the reason phrase has a character that must not be sent (RFC 9112 §4)");
  }
  return formatHead(`HTTP/1.1 ${status} ${statusText}\r\n`, fields);
}

function formatHead(firstLine: string, fields: Iterable<HeaderField>): Uint8Array {
  let text = firstLine;
  for (const field of fields) {
    checkField(field);
    text += `${field[0]}: ${field[1]}\r\n`;
  }
  return encodeLatin1(text + "\r\n");
}

function encodeLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** The registered reason phrases for statuses that answer a handshake (RFC 9110 §15, RFC 6585). */
const STATUS_TEXTS: ReadonlyMap<number, string> = new Map([
  [101, "Switching Protocols"],
  [200, "OK"],
  [204, "No Content"],
  [301, "Moved Permanently"],
  [302, "Found"],
  [303, "See Other"],
  [304, "Not Modified"],
  [307, "Temporary Redirect"],
  [308, "Permanent Redirect"],
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
  [406, "Not Acceptable"],
  [408, "Request Timeout"],
  [409, "Conflict"],
  [410, "Gone"],
  [413, "Content Too Large"],
  [414, "URI Too Long"],
  [415, "Unsupported Media Type"],
  [421, "Misdirected Request"],
  [422, "Unprocessable Content"],
  [426, "Upgrade Required"],
  [428, "Precondition Required"],
  [429, "Too Many Requests"],
  [431, "Request Header Fields Too Large"],
  [500, "Internal Server Error"],
  [501, "Not Implemented"],
  [502, "Bad Gateway"],
  [503, "Service Unavailable"],
  [504, "Gateway Timeout"],
  [505, "HTTP Version Not Supported"],
]);
