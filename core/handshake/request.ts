// The request of the opening handshake: how a client writes it (RFC 6455 §4.1), and what a server
// asks of it (RFC 9112 for any request, RFC 6455 §4.2.1 for one that wants a WebSocket). Pure
// functions: server.ts and client.ts decide when they are called and what follows.

import { type DeflateOptions, formatOffer } from "../deflate/negotiate.ts";
import { UsageError } from "../errors.ts";
import type { HandshakeFault } from "../faults.ts";
import { requestBodyFault, requestBodyLength } from "../http/body.ts";
import type { Extension, HeaderField, HeaderFields, HeaderInput } from "../http/fields.ts";
import { equalsIgnoringCase, isToken, parseExtensions } from "../http/fields.ts";
import { parseTokenList, splitList } from "../http/fields.ts";
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

// RFC 9112 §3.2: "A server MUST respond with a 400" to an HTTP/1.1 request that lacks Host, and to
// any request with "more than one Host header field line" or with an invalid one.
const HTTP_RULES: readonly Rule[] = [
  ["host-missing", ({ version, headers }) => version !== "HTTP/1.0" && !headers.has("host")],
  ["host-repeated", ({ headers }) => headers.repeats("host")],
  ["host-invalid", ({ headers }) => headers.has("host") && !isHost(headers.get("host")!)],
];

// RFC 6455 §4.2.1; the most telling fault comes first. RFC 9110 §7.8 has a server ignore Upgrade
// in HTTP/1.0, but a client that means a WebSocket is told what is missing.
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
  if (value === "websocket") return true; // as nearly all clients send it
  return splitList(value).some((protocol) => equalsIgnoringCase(protocol, "websocket"));
}

/** Whether Connection lists Upgrade; Firefox sends `keep-alive, Upgrade`. */
export function listsUpgrade(headers: HeaderFields): boolean {
  const options = parseTokenList(headers.get("connection") ?? "");
  return options?.some((option) => equalsIgnoringCase(option, "upgrade")) ?? false;
}

function brokenRule(rules: readonly Rule[], head: RequestHead): HandshakeFault | undefined {
  return rules.find(([, broken]) => broken(head))?.[0];
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
  // RFC 9112 §3.2.2: for an absolute target a server "MUST ignore the received Host header".
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

const SCHEMES = ["ws:", "wss:", "http:", "https:"];
const isOwn = ownFields(["host", "upgrade", "connection", "content-length", "transfer-encoding"]);

/** Tells, by lower-case names, the fields that a handshake writes itself: its own and `names`. */
export function ownFields(names: readonly string[]): (lowerName: string) => boolean {
  return (lowerName) => lowerName.startsWith("sec-websocket-") || names.includes(lowerName);
}

/**
 * The head of the request.
 * @throws {UsageError} for a URL that is not one of a WebSocket, and for a key, subprotocol or
 *   field that must not be sent
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

function checkUrl({ protocol, host, hash }: ClientUrl): void {
  if (!SCHEMES.includes(protocol)) {
    const name = JSON.stringify(protocol);
    throw new UsageError(`${name} is not the scheme of a WebSocket: use ws: or wss:`);
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
      const name = JSON.stringify(protocol);
      throw new UsageError(`subprotocol ${name} is not a token (RFC 6455 §4.1)`);
    }
  }
  if (new Set(protocols).size !== protocols.length) {
    throw new UsageError("a subprotocol is offered twice (RFC 6455 §4.1)");
  }
}

/** The user name and password of a URL, percent-encoded. */
export type Credentials = Pick<ClientUrl, "username" | "password">;

/** Whether the URL has a user name or a password. */
export function hasCredentials({ username = "", password = "" }: Credentials): boolean {
  return username !== "" || password !== "";
}

/**
 * Basic authentication (RFC 7617), for Authorization or Proxy-Authorization.
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
