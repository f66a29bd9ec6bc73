// Answers to a client, and what each leads to: an open connection, or the rule it breaks. One row
// or more for every rule of RFC 6455 §4.1 that an answer can break. `ACCEPT` in a head stands for
// the value that answers the key that was sent.

import type { HandshakeFault } from "../../core/faults.ts";
import type { Limits } from "../../core/limits.ts";

export interface AnswerVector {
  readonly name: string;
  readonly head: string;
  readonly protocols?: readonly string[];
  /** Whether permessage-deflate was offered. */
  readonly deflate?: true;
  readonly limits?: Partial<Limits>;
  readonly outcome: "opened" | HandshakeFault;
  /** For an open connection. */
  readonly protocol?: string;
  readonly extensions?: string;
}

const GOOD: readonly string[] = [
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Accept: ACCEPT",
];

/** A good answer but for the edits, which work as in `request`. */
export function answer(...edits: readonly string[]): string {
  let lines = [...GOOD];
  for (const edit of edits) {
    const name = edit.replace(/^[+-]/, "").split(":", 1)[0]!.toLowerCase();
    const isNamed = (line: string): boolean => line.toLowerCase().startsWith(`${name}:`);
    const at = lines.findIndex(isNamed);
    if (edit.startsWith("-")) lines = lines.filter((line) => !isNamed(line));
    else if (edit.startsWith("+")) lines.push(edit.slice(1));
    else if (!edit.includes(":")) lines[0] = edit;
    else if (at === -1) lines.push(edit);
    else lines[at] = edit;
  }
  return lines.join("\r\n") + "\r\n\r\n";
}

const protocol = (text: string): string => `Sec-WebSocket-Protocol: ${text}`;
const extensions = (text: string): string => `Sec-WebSocket-Extensions: ${text}`;
const DEFLATE = "permessage-deflate";
const HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";

const OPENED: readonly AnswerVector[] = [
  {
    name: "nothing but what is needed",
    head: answer(),
    outcome: "opened",
    protocol: "",
    extensions: "",
  },
  { name: "no reason phrase", head: answer("HTTP/1.1 101"), outcome: "opened" },
  {
    name: "another reason phrase",
    head: answer("HTTP/1.1 101 Web Socket Protocol Handshake"),
    outcome: "opened",
  },
  { name: "Upgrade in other case", head: answer("Upgrade: WebSocket"), outcome: "opened" },
  {
    name: "Connection with more in it",
    head: answer("Connection: keep-alive, UPGRADE"),
    outcome: "opened",
  },
  {
    name: "spaces around the accept value",
    head: answer("Sec-WebSocket-Accept:  ACCEPT \t"),
    outcome: "opened",
  },
  {
    name: "names in other case",
    head: answer("-Upgrade", "-Connection", "+uPGRADE: websocket", "+CONNECTION: upgrade"),
    outcome: "opened",
  },
  {
    name: "a length, which a 101 has none of",
    head: answer("Content-Length: 0"),
    outcome: "opened",
  },
  {
    name: "the names of an object's properties as fields",
    head: answer("+constructor: 1", "+__proto__: 2"),
    outcome: "opened",
  },
  {
    name: "an offered subprotocol",
    head: answer(protocol("b")),
    protocols: ["a", "b"],
    outcome: "opened",
    protocol: "b",
  },
  {
    name: "no subprotocol, though some were offered",
    head: answer(),
    protocols: ["a"],
    outcome: "opened",
    protocol: "",
  },
  {
    name: "the name of an object's property as subprotocol",
    head: answer(protocol("constructor")),
    protocols: ["__proto__", "constructor"],
    outcome: "opened",
    protocol: "constructor",
  },
  {
    name: "an offered extension",
    head: answer(extensions(DEFLATE)),
    deflate: true,
    outcome: "opened",
    extensions: DEFLATE,
  },
  {
    name: "an offered extension with parameters",
    head: answer(extensions(`${DEFLATE}; server_no_context_takeover`)),
    deflate: true,
    outcome: "opened",
    extensions: `${DEFLATE}; server_no_context_takeover`,
  },
  {
    name: "no extension, though one was offered",
    head: answer(),
    deflate: true,
    outcome: "opened",
    extensions: "",
  },
  {
    name: "as many hints before it as the limit",
    head: HINTS.repeat(16) + answer(),
    outcome: "opened",
  },
  { name: "hints before it", head: HINTS + HINTS + answer(), outcome: "opened" },
  { name: "100 before it", head: "HTTP/1.1 100 Continue\r\n\r\n" + answer(), outcome: "opened" },
];

const HTTP_FAULTS: readonly AnswerVector[] = [
  { name: "no HTTP at all", head: "SSH-2.0-OpenSSH_9.6\r\n", outcome: "status-line-malformed" },
  { name: "no HTTP behind hints", head: HINTS + "SSH", outcome: "status-line-malformed" },
  { name: "a TLS alert", head: "\x15\x03\x03\0\x02\x02\x28", outcome: "status-line-malformed" },
  {
    name: "a status that is no number",
    head: answer("HTTP/1.1 OK"),
    outcome: "status-line-malformed",
  },
  { name: "an empty line before it", head: `\r\n${answer()}`, outcome: "status-line-malformed" },
  {
    name: "lines that end in LF",
    head: answer().replaceAll("\r\n", "\n"),
    outcome: "line-ending-bare",
  },
  { name: "a folded field", head: answer("X-A: a\r\n b"), outcome: "field-folded" },
  {
    name: "a space before a colon",
    head: answer().replace("Upgrade:", "Upgrade :"),
    outcome: "field-name-space",
  },
  { name: "NUL in a value", head: answer("X-A: \0"), outcome: "field-value-invalid" },
  { name: "a long head", head: answer(), limits: { maxHeadSize: 100 }, outcome: "head-too-large" },
  {
    name: "a long status line",
    head: answer(),
    limits: { maxLineLength: 20 },
    outcome: "line-too-long",
  },
  {
    name: "many fields",
    head: answer("+A: 1", "+B: 1"),
    limits: { maxFields: 4 },
    outcome: "too-many-fields",
  },
  { name: "hints without end", head: HINTS.repeat(17), outcome: "interim-too-many" },
];

const SWITCH_FAULTS: readonly AnswerVector[] = [
  {
    name: "101 in HTTP/1.0",
    head: answer("HTTP/1.0 101 Switching Protocols"),
    outcome: "answer-http-version",
  },
  { name: "no Upgrade", head: answer("-Upgrade"), outcome: "answer-upgrade-missing" },
  { name: "another Upgrade", head: answer("Upgrade: h2c"), outcome: "answer-upgrade-wrong" },
  {
    name: "Upgrade with more in it",
    head: answer("Upgrade: websocket, h2c"),
    outcome: "answer-upgrade-wrong",
  },
  { name: "two Upgrades", head: answer("+Upgrade: websocket"), outcome: "answer-upgrade-wrong" },
  { name: "no Connection", head: answer("-Connection"), outcome: "answer-connection-missing" },
  {
    name: "another Connection",
    head: answer("Connection: close"),
    outcome: "answer-connection-missing",
  },
  { name: "no accept value", head: answer("-Sec-WebSocket-Accept"), outcome: "accept-missing" },
  {
    name: "two accept values",
    head: answer("+Sec-WebSocket-Accept: ACCEPT"),
    outcome: "accept-repeated",
  },
  {
    name: "the accept value of another key",
    head: answer("Sec-WebSocket-Accept: p3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    outcome: "accept-wrong",
  },
  { name: "an empty accept value", head: answer("Sec-WebSocket-Accept:"), outcome: "accept-wrong" },
  {
    name: "an accept value with more behind it",
    head: answer("Sec-WebSocket-Accept: ACCEPT="),
    outcome: "accept-wrong",
  },
  {
    name: "a subprotocol, though none was offered",
    head: answer(protocol("a")),
    outcome: "protocol-unasked",
  },
  {
    name: "an empty subprotocol, though none was offered",
    head: answer(protocol("")),
    outcome: "protocol-unasked",
  },
  {
    name: "another subprotocol",
    head: answer(protocol("c")),
    protocols: ["a", "b"],
    outcome: "protocol-not-offered",
  },
  {
    name: "a subprotocol in other case",
    head: answer(protocol("A")),
    protocols: ["a"],
    outcome: "protocol-not-offered",
  },
  {
    name: "an empty subprotocol",
    head: answer(protocol("")),
    protocols: ["a"],
    outcome: "protocol-not-offered",
  },
  {
    name: "the name of an object's property, not offered",
    head: answer(protocol("constructor")),
    protocols: ["a"],
    outcome: "protocol-not-offered",
  },
  {
    name: "two subprotocols",
    head: answer(protocol("a, b")),
    protocols: ["a", "b"],
    outcome: "protocol-repeated",
  },
  {
    name: "two fields of subprotocols",
    head: answer(protocol("a"), `+${protocol("a")}`),
    protocols: ["a"],
    outcome: "protocol-repeated",
  },
  {
    name: "two fields of extensions",
    head: answer(extensions(DEFLATE), `+${extensions(DEFLATE)}`),
    deflate: true,
    outcome: "answer-extensions-repeated",
  },
  {
    name: "an empty field of extensions",
    head: answer(extensions("")),
    deflate: true,
    outcome: "answer-extensions-malformed",
  },
  {
    name: "a quote that is not closed",
    head: answer(extensions(`${DEFLATE}; a="`)),
    deflate: true,
    outcome: "answer-extensions-malformed",
  },
  {
    name: "an extension, though none was offered",
    head: answer(extensions(DEFLATE)),
    outcome: "extension-not-offered",
  },
  {
    name: "another extension",
    head: answer(extensions("constructor")),
    deflate: true,
    outcome: "extension-not-offered",
  },
  {
    name: "an extension twice",
    head: answer(extensions(`${DEFLATE}, ${DEFLATE}`)),
    deflate: true,
    outcome: "extension-repeated",
  },
  {
    name: "an unknown parameter",
    head: answer(extensions(`${DEFLATE}; __proto__=1`)),
    deflate: true,
    outcome: "extension-param-unknown",
  },
  {
    name: "a parameter twice",
    head: answer(extensions(`${DEFLATE}; server_no_context_takeover; server_no_context_takeover`)),
    deflate: true,
    outcome: "extension-param-repeated",
  },
  {
    name: "a parameter with an illegal value",
    head: answer(extensions(`${DEFLATE}; server_max_window_bits=16`)),
    deflate: true,
    outcome: "extension-param-value",
  },
];

export const ANSWERS: readonly AnswerVector[] = [...OPENED, ...HTTP_FAULTS, ...SWITCH_FAULTS];
