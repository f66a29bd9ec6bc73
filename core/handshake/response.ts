// The answer of the opening handshake: how a server accepts or refuses (RFC 6455 §4.2.2), and what
// a client asks of an answer that switches protocols (RFC 6455 §4.1). Pure functions: server.ts
// and client.ts decide when they are called and what follows.

import { type DeflateOptions, type DeflateParams, readAnswer } from "../deflate/negotiate.ts";
import type { HandshakeFault } from "../faults.ts";
import type { HeaderField } from "../http/fields.ts";
import { equalsIgnoringCase, HeaderFields, parseExtensions } from "../http/fields.ts";
import { formatResponseHead } from "../http/format.ts";
import type { ResponseHead } from "../http/head.ts";
import { utf8Encoder } from "../platform.ts";
import { listsUpgrade } from "./request.ts";

// --- The server's side ---

/** The head of the answer that switches protocols. */
export function formatSwitch(
  accept: string,
  protocol: string,
  extensions: string,
  headers: readonly HeaderField[],
): Uint8Array {
  const fields: HeaderField[] = [
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Accept", accept],
  ];
  if (protocol !== "") fields.push(["Sec-WebSocket-Protocol", protocol]);
  // Not an empty field when nothing was agreed on: Safari fails on that.
  if (extensions !== "") fields.push(["Sec-WebSocket-Extensions", extensions]);
  return formatResponseHead(101, fields.concat(headers));
}

/** Another answer, after which the transport ends: its head, and its body if there is one. */
export function formatRefusal(
  status: number,
  headers: readonly HeaderField[],
  body: string | Uint8Array,
): readonly [head: Uint8Array, body: Uint8Array] {
  const bytes = typeof body === "string" ? utf8Encoder.encode(body) : body;
  const given = new HeaderFields(headers);
  const fields: HeaderField[] = [...headers];
  if (typeof body === "string" && body !== "" && !given.has("content-type")) {
    fields.push(["Content-Type", "text/plain; charset=utf-8"]);
  }
  // RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any response with a
  // status code of … 204".
  if (status !== 204) fields.push(["Content-Length", String(bytes.length)]);
  // RFC 9110 §7.8: a sender of Upgrade must list it in Connection.
  fields.push(["Connection", given.has("upgrade") ? "close, Upgrade" : "close"]);
  return [formatResponseHead(status, fields), bytes];
}

// --- The client's side ---

/** What the client sent, which the answer must fit. */
export interface Expected {
  /** The Sec-WebSocket-Accept that answers the key. */
  readonly accept: string;
  readonly protocols: readonly string[];
  readonly deflate: DeflateOptions | undefined;
}

/** What both ends agreed on. */
export interface Agreement {
  readonly protocol: string;
  readonly extensions: string;
  readonly params: DeflateParams | undefined;
}

type Rule = readonly [HandshakeFault, (headers: HeaderFields, expected: Expected) => boolean];

const PROTOCOL = "sec-websocket-protocol";

const RULES: readonly Rule[] = [
  ["answer-upgrade-missing", (headers) => !headers.has("upgrade")],
  ["answer-upgrade-wrong", (headers) => !equalsIgnoringCase(headers.get("upgrade")!, "websocket")],
  ["answer-connection-missing", (headers) => !listsUpgrade(headers)],
  ["accept-missing", (headers) => !headers.has("sec-websocket-accept")],
  ["accept-repeated", (headers) => headers.repeats("sec-websocket-accept")],
  ["accept-wrong", (headers, { accept }) => headers.get("sec-websocket-accept") !== accept],
  ["protocol-unasked", (headers, { protocols }) => headers.has(PROTOCOL) && protocols.length === 0],
  ["protocol-repeated", (headers) => headers.get(PROTOCOL)?.includes(",") ?? false],
  ["protocol-not-offered", (headers, { protocols }) => {
    return headers.has(PROTOCOL) && !protocols.includes(headers.get(PROTOCOL)!);
  }],
  ["answer-extensions-repeated", (headers) => headers.repeats("sec-websocket-extensions")],
];

/** Reads an answer with status 101; or names the rule it breaks. */
export function readSwitch(head: ResponseHead, expected: Expected): Agreement | HandshakeFault {
  const { headers, version } = head;
  if (version === "HTTP/1.0") return "answer-http-version";
  const fault = RULES.find(([, broken]) => broken(headers, expected))?.[0];
  if (fault !== undefined) return fault;
  const protocol = headers.get(PROTOCOL) ?? "";
  const extensions = headers.get("sec-websocket-extensions");
  if (extensions === undefined) return { protocol, extensions: "", params: undefined };
  const answers = parseExtensions(extensions);
  if (answers === undefined) return "answer-extensions-malformed";
  const params = readAnswer(answers, expected.deflate);
  return typeof params === "string" ? params : { protocol, extensions, params };
}
