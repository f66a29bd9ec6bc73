// The request of the opening handshake: how a client writes it (RFC 6455 §4.1), and what a server
// asks of it (RFC 9112 for any request, RFC 6455 §4.2.1 for one that wants a WebSocket).
//
// Pure functions. server.ts and client.ts decide when they are called and what follows.

import { type DeflateOptions, formatOffer } from "../deflate/negotiate.ts";
import { UsageError } from "../errors.ts";
import type { HandshakeFault } from "../faults.ts";
import { requestBodyFault, requestBodyLength } from "../http/body.ts";
import {
  equalsIgnoringCase,
  type Extension,
  type HeaderField,
  type HeaderFields,
  type HeaderInput,
  isToken,
  parseExtensions,
  parseTokenList,
  splitList,
} from "../http/fields.ts";
import { checkFields, formatRequestHead } from "../http/format.ts";
import { isHost, type RequestHead, splitAbsoluteTarget } from "../http/head.ts";
import { utf8Encoder } from "../platform.ts";
import { encodeBase64, isKey } from "./key.ts";

/** The one version of the protocol (RFC 6455 §4.1). */
const VERSION = "13";

// --- The server's side ---

/** A request for a WebSocket that breaks no rule, and waits to be accepted or rejected. */
export interface UpgradeRequest extends RequestHead {
  /** The host that the client means, with a port that is not the default one. */
  readonly host: string;
  /** Path and query; begins with a slash. */
  readonly path: string;
  /** The page's origin; `undefined` for most clients that are not browsers (RFC 6455 §10.2). */
  readonly origin: string | undefined;
  /** The subprotocols offered, the preferred one first. */
  readonly protocols: readonly string[];
  /** The Sec-WebSocket-Key: what `acceptKey` takes. */
  readonly key: string;
}

type Rule = readonly [fault: HandshakeFault, broken: (head: RequestHead) => boolean];

// RFC 9112 §3.2: "A server MUST respond with a 400 … to any HTTP/1.1 request message that lacks
// a Host header field and to any request message that contains more than one Host header field line
// or a Host header field with an invalid field value."
const HTTP_RULES: readonly Rule[] = [
  ["host-missing", ({ version, headers }) => version !== "HTTP/1.0" && !headers.has("host")],
  ["host-repeated", ({ headers }) => headers.repeats("host")],
  ["host-invalid", ({ headers }) => headers.has("host") && !isHost(headers.get("host")!)],
];

// RFC 6455 §4.2.1, in the order in which a fault tells most about what is wrong. RFC 9110 §7.8
// has a server ignore Upgrade in HTTP/1.0; a client that means a WebSocket is told what is missing.
const UPGRADE_RULES: readonly Rule[] = [
  ["method-not-get", ({ method }) => method !== "GET"],
  ["upgrade-http-version", ({ version }) => version === "HTTP/1.0"],
  ["body-unexpected", ({ headers }) => requestBodyLength(headers) !== 0],
  ["upgrade-missing", ({ headers }) => !listsWebSocket(headers)],
  ["connection-missing", ({ headers }) => !listsUpgrade(headers)],
  ["version-missing", ({ headers }) => !headers.has("sec-websocket-version")],
  ["version-repeated", ({ headers }) => headers.repeats("sec-websocket-version")],
  ["version-unsupported", ({ headers }) => headers.get("sec-websocket-version") !== VERSION],
  ["key-missing", ({ headers }) => !headers.has("sec-websocket-key")],
  ["key-repeated", ({ headers }) => headers.repeats("sec-websocket-key")],
  ["key-invalid", ({ headers }) => !isKey(headers.get("sec-websocket-key")!)],
  ["origin-repeated", ({ headers }) => headers.repeats("origin")],
];

function listsWebSocket(headers: HeaderFields): boolean {
  const value = headers.get("upgrade");
  if (value === undefined) return false;
  // Nearly all clients send this: no list has to be made of it.
  if (value === "websocket") return true;
  return splitList(value).some((protocol) => equalsIgnoringCase(protocol, "websocket"));
}

/** Whether Connection lists Upgrade; Firefox sends `keep-alive, Upgrade`. */
export function listsUpgrade(headers: HeaderFields): boolean {
  const options = parseTokenList(headers.get("connection") ?? "");
  return options?.some((option) => equalsIgnoringCase(option, "upgrade")) ?? false;
}

function brokenRule(rules: readonly Rule[], head: RequestHead): HandshakeFault | undefined {
  for (const [fault, broken] of rules) {
    if (broken(head)) return fault;
  }
  return undefined;
}

/** The rule of HTTP that a request breaks, whatever it asks for. */
export function requestFault(head: RequestHead): HandshakeFault | undefined {
  return brokenRule(HTTP_RULES, head) ?? requestBodyFault(head.headers);
}

/**
 * Whether a request means a WebSocket, well-formed or not. Fields that only a WebSocket client
 * sends count too: a proxy may have removed Upgrade, and then the client is told so.
 */
export function wantsWebSocket({ headers }: RequestHead): boolean {
  return listsWebSocket(headers) || headers.has("sec-websocket-key")
    || headers.has("sec-websocket-version");
}

/** The rule that a request without an upgrade breaks: it is answered, if it is GET or HEAD. */
export function plainRequestFault({ method }: RequestHead): HandshakeFault | undefined {
  return method === "GET" || method === "HEAD" ? undefined : "method-not-allowed";
}

/** Reads a request that wants a WebSocket, with its extension offers; or names the broken rule. */
export function readUpgrade(
  head: RequestHead,
): readonly [request: UpgradeRequest, offers: readonly Extension[]] | HandshakeFault {
  const fault = brokenRule(UPGRADE_RULES, head);
  if (fault !== undefined) return fault;
  const { headers, target } = head;
  const protocols = readProtocols(headers);
  if (typeof protocols === "string") return protocols;
  const offers = readOffers(headers);
  if (typeof offers === "string") return offers;
  // RFC 9112 §3.2.2: with a target in absolute form a server "MUST ignore the received Host header
  // field".
  const [host, path] = splitAbsoluteTarget(target) ?? [headers.get("host")!, target];
  const origin = headers.get("origin");
  const key = headers.get("sec-websocket-key")!;
  return [{ ...head, host, path, origin, protocols, key }, offers];
}

function readProtocols(headers: HeaderFields): readonly string[] | HandshakeFault {
  const value = headers.get("sec-websocket-protocol");
  if (value === undefined) return [];
  const protocols = parseTokenList(value);
  if (protocols === undefined) return "protocols-malformed";
  // RFC 6455 §4.1: they "MUST all be unique strings".
  return new Set(protocols).size === protocols.length ? protocols : "protocols-not-unique";
}

// RFC 6455 §9.1: the receiver of a value that does not follow the grammar "MUST immediately _Fail
// the WebSocket Connection_".
function readOffers(headers: HeaderFields): readonly Extension[] | HandshakeFault {
  const value = headers.get("sec-websocket-extensions");
  return value === undefined ? [] : parseExtensions(value) ?? "extensions-malformed";
}

// --- The client's side ---

/** The parts of a URL that a request needs; a WHATWG `URL` has them. */
export interface ClientUrl {
  /** `"ws:"` or `"wss:"`; `"http:"` and `"https:"` mean the same, as in a browser's WebSocket. */
  readonly protocol: string;
  /** With a port that is not the default one. */
  readonly host: string;
  /** Percent-encoded; empty means `/` (RFC 6455 §3). */
  readonly pathname: string;
  /** The query with its `?`, or empty. */
  readonly search: string;
  /** Must be empty (RFC 6455 §3). */
  readonly hash: string;
  /** Percent-encoded. With a user name or password, Authorization is sent (RFC 7617). */
  readonly username?: string;
  /** Percent-encoded. A field Authorization of the caller's own takes precedence. */
  readonly password?: string;
}

const PROTOCOLS: readonly string[] = ["ws:", "wss:", "http:", "https:"];

const OWN_NAMES: readonly string[] = [
  "host",
  "upgrade",
  "connection",
  "content-length",
  "transfer-encoding",
];

/**
 * The head of the request.
 *
 * @throws {UsageError} for a URL that is not one of a WebSocket, and for a key, subprotocol or
 *   field
 *   that must not be sent
 */
export function formatUpgrade(
  url: ClientUrl,
  key: string,
  protocols: readonly string[],
  deflate: DeflateOptions | undefined,
  headers: HeaderInput | undefined,
): Uint8Array {
  checkUrl(url);
  checkProtocols(protocols);
  if (!isKey(key)) {
    throw new UsageError(`key is ${JSON.stringify(key)}; it takes what createKey makes`);
  }
  const given = checkFields(headers, isOwn);
  const fields: HeaderField[] = [
    ["Host", url.host],
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Key", key],
    ["Sec-WebSocket-Version", VERSION],
  ];
  if (protocols.length > 0) fields.push(["Sec-WebSocket-Protocol", protocols.join(", ")]);
  if (deflate !== undefined) fields.push(["Sec-WebSocket-Extensions", formatOffer(deflate)]);
  if (hasCredentials(url) && !given.some(([name]) => name.toLowerCase() === "authorization")) {
    fields.push(["Authorization", formatCredentials(url)]);
  }
  return formatRequestHead("GET", (url.pathname || "/") + url.search, fields.concat(given));
}

function isOwn(lowerName: string): boolean {
  return lowerName.startsWith("sec-websocket-") || OWN_NAMES.includes(lowerName);
}

function checkUrl({ protocol, host, hash }: ClientUrl): void {
  if (!PROTOCOLS.includes(protocol)) {
    throw new UsageError(
      `${JSON.stringify(protocol)} is not the scheme of a WebSocket: use ws: or wss:`,
    );
  }
  if (!isHost(host)) {
    throw new UsageError(`${JSON.stringify(host)} is not a host with an optional port`);
  }
  // RFC 6455 §3: fragments "MUST NOT be used on these URIs".
  if (hash !== "") {
    throw new UsageError("the URL of a WebSocket has no fragment (RFC 6455 §3); write # as %23");
  }
}

// RFC 6455 §4.1: non-empty tokens that "MUST all be unique strings".
function checkProtocols(protocols: readonly string[]): void {
  for (const protocol of protocols) {
    if (typeof protocol !== "string" || !isToken(protocol)) {
      throw new UsageError(
        `subprotocol ${JSON.stringify(protocol)} is not a token (RFC 6455 §4.1)`,
      );
    }
  }
  if (new Set(protocols).size !== protocols.length) {
    throw new UsageError("a subprotocol is offered twice (RFC 6455 §4.1)");
  }
}

type Credentials = Pick<ClientUrl, "username" | "password">;

/** Whether the URL has a user name or a password. */
export function hasCredentials({ username = "", password = "" }: Credentials): boolean {
  return username !== "" || password !== "";
}

/**
 * Basic authentication (RFC 7617), for Authorization or Proxy-Authorization.
 *
 * @throws {UsageError} if user name or password are not percent-encoded UTF-8
 */
export function formatCredentials({ username = "", password = "" }: Credentials): string {
  try {
    const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${encodeBase64(utf8Encoder.encode(text))}`;
  } catch {
    throw new UsageError("the user name or password in the URL is not percent-encoded UTF-8");
  }
}
