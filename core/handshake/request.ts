// What a server asks of a request: the rules of RFC 9112 for any, and those of RFC 6455 §4.2.1 for
// one that wants a WebSocket.
//
// Pure functions from a head to what it says or to the rule it breaks. When they are asked, and
// what is answered, is server.ts's.

import { equalsIgnoringCase } from "../bytes.ts";
import { requestBodyFault, requestBodyLength } from "../http/body.ts";
import type { Extension, HeaderFields } from "../http/fields.ts";
import { parseExtensions, parseTokenList, splitList } from "../http/fields.ts";
import type { RequestHead } from "../http/head.ts";
import { isHost, splitAbsoluteTarget } from "../http/target.ts";
import { isKey } from "./accept.ts";
import type { HandshakeFault } from "./faults.ts";

/** A request for a WebSocket that breaks no rule, and waits to be accepted or rejected. */
export interface UpgradeRequest extends RequestHead {
  /**
   * The host the client means, with its port where it is not the default one: from the target, or
   * else from Host.
   */
  readonly host: string;
  /** Path and query; begins with a slash. */
  readonly path: string;
  /**
   * Where the page comes from that opens the WebSocket; `undefined` for most clients that are not
   * browsers (RFC 6455 §10.2).
   */
  readonly origin: string | undefined;
  /** The subprotocols offered, the preferred one first. */
  readonly protocols: readonly string[];
}

/** An upgrade request with what only the handshake itself needs of it. */
export interface Upgrade {
  readonly request: UpgradeRequest;
  readonly key: string;
  readonly offers: readonly Extension[];
}

type Rule = readonly [fault: HandshakeFault, broken: (headers: HeaderFields) => boolean];

// RFC 9112 §3.2: "A server MUST respond with a 400 … to any HTTP/1.1 request message that lacks
// a Host header field and to any request message that contains more than one Host header field line
// or a Host header field with an invalid field value."
const HOST_RULES: readonly Rule[] = [
  ["host-missing", (headers) => !headers.has("host")],
  ["host-repeated", (headers) => headers.repeats("host")],
  ["host-invalid", (headers) => !isHost(headers.get("host")!)],
];

// RFC 6455 §4.2.1, in the order in which a fault tells most about what is wrong.
const UPGRADE_RULES: readonly Rule[] = [
  ["body-unexpected", (headers) => requestBodyLength(headers) !== 0],
  ["upgrade-missing", (headers) => !listsWebSocket(headers)],
  ["connection-missing", (headers) => !listsUpgrade(headers)],
  ["version-missing", (headers) => !headers.has("sec-websocket-version")],
  ["version-repeated", (headers) => headers.repeats("sec-websocket-version")],
  ["version-unsupported", (headers) => headers.get("sec-websocket-version") !== "13"],
  ["key-missing", (headers) => !headers.has("sec-websocket-key")],
  ["key-repeated", (headers) => headers.repeats("sec-websocket-key")],
  ["key-invalid", (headers) => !isKey(headers.get("sec-websocket-key")!)],
  ["origin-repeated", (headers) => headers.repeats("origin")],
];

function listsWebSocket(headers: HeaderFields): boolean {
  const value = headers.get("upgrade");
  if (value === undefined) return false;
  // What nearly all clients send is seen without a list being made of it.
  return value === "websocket"
    || splitList(value).some((protocol) => equalsIgnoringCase(protocol, "websocket"));
}

/**
 * Whether Connection lists Upgrade, among whatever else: `keep-alive, Upgrade` is what Firefox
 * sends.
 */
export function listsUpgrade(headers: HeaderFields): boolean {
  const options = parseTokenList(headers.get("connection") ?? "");
  return options?.some((option) => equalsIgnoringCase(option, "upgrade")) ?? false;
}

function brokenRule(rules: readonly Rule[], headers: HeaderFields): HandshakeFault | undefined {
  for (const [fault, broken] of rules) {
    if (broken(headers)) return fault;
  }
  return undefined;
}

/** The rule of HTTP that a request breaks, whatever it asks for. */
export function requestFault({ headers }: RequestHead): HandshakeFault | undefined {
  return brokenRule(HOST_RULES, headers) ?? requestBodyFault(headers);
}

/**
 * Whether a request means a WebSocket, be it a good one or not. What only a WebSocket client sends
 * counts too, so that such a client is told what is wrong when a proxy has removed its Upgrade,
 * which is a field from hop to hop.
 */
export function wantsWebSocket({ headers }: RequestHead): boolean {
  return listsWebSocket(headers) || headers.has("sec-websocket-key")
    || headers.has("sec-websocket-version");
}

/** Reads a request that wants a WebSocket; or names the rule it breaks. */
export function readUpgrade(head: RequestHead): Upgrade | HandshakeFault {
  const { method, target, headers } = head;
  if (method !== "GET") return "method-not-get";
  const fault = brokenRule(UPGRADE_RULES, headers);
  if (fault !== undefined) return fault;
  const protocols = readProtocols(headers);
  if (typeof protocols === "string") return protocols;
  const offers = readOffers(headers);
  if (typeof offers === "string") return offers;
  // RFC 9112 §3.2.2: with a target in absolute form a server "MUST ignore the received Host header
  // field".
  const [host, path] = splitAbsoluteTarget(target) ?? [headers.get("host")!, target];
  const origin = headers.get("origin");
  return {
    request: { method, target, headers, host, path, origin, protocols },
    key: headers.get("sec-websocket-key")!,
    offers,
  };
}

function readProtocols(headers: HeaderFields): readonly string[] | HandshakeFault {
  const value = headers.get("sec-websocket-protocol");
  if (value === undefined) return [];
  const protocols = parseTokenList(value);
  if (protocols === undefined) return "protocols-malformed";
  // RFC 6455 §4.1: they "MUST all be unique strings".
  return new Set(protocols).size === protocols.length ? protocols : "protocols-not-unique";
}

// RFC 6455 §9.1: whoever receives a value that does not follow the grammar "MUST immediately _Fail
// the WebSocket Connection_".
function readOffers(headers: HeaderFields): readonly Extension[] | HandshakeFault {
  const value = headers.get("sec-websocket-extensions");
  return value === undefined ? [] : parseExtensions(value) ?? "extensions-malformed";
}
