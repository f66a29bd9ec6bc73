// The request of a client's opening handshake: RFC 6455 §4.1, from a URL and options to the bytes
// of the head.

import { type DeflateOptions, formatOffer } from "../deflate/negotiate.ts";
import { UsageError } from "../errors.ts";
import { checkFields, type HeaderField, type HeaderInput, isToken } from "../http/fields.ts";
import { formatRequestHead } from "../http/head.ts";
import { isHost } from "../http/target.ts";
import { utf8Encoder } from "../platform.ts";
import { encodeBase64 } from "./accept.ts";

/** The parts of a URL that matter here; a WHATWG `URL` has them. */
export interface ClientUrl {
  /** `"ws:"` or `"wss:"`; `"http:"` and `"https:"` mean the same, as for a browser's WebSocket. */
  readonly protocol: string;
  /** With the port where it is not the default one. */
  readonly host: string;
  /** Percent-encoded; empty means `/` (RFC 6455 §3). */
  readonly pathname: string;
  /** The query with its `?`, or empty. */
  readonly search: string;
  /** Must be empty (RFC 6455 §3). */
  readonly hash: string;
  /**
   * Percent-encoded; with a user name or a password the request has basic authentication (RFC
   * 7617).
   */
  readonly username?: string;
  /** Percent-encoded, too; a field Authorization of the caller's own goes before both. */
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

/** The only version there is (RFC 6455 §4.1). */
const VERSION = "13";

/**
 * The head of the request.
 *
 * @throws {UsageError} for a URL that is not one of a WebSocket, and for a subprotocol or field
 *   that must not be sent
 */
export function formatOfferHead(
  url: ClientUrl,
  key: string,
  protocols: readonly string[],
  deflate: DeflateOptions | undefined,
  headers: HeaderInput | undefined,
): Uint8Array {
  checkUrl(url);
  checkProtocols(protocols);
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

/** Whether the URL has a user name or a password. */
export function hasCredentials(
  { username = "", password = "" }: Pick<ClientUrl, "username" | "password">,
): boolean {
  return username !== "" || password !== "";
}

/**
 * They as basic authentication (RFC 7617), for Authorization or Proxy-Authorization.
 *
 * @throws {UsageError} if they are not percent-encoded UTF-8
 */
export function formatCredentials(
  { username = "", password = "" }: Pick<ClientUrl, "username" | "password">,
): string {
  try {
    return `Basic ${
      encodeBase64(
        utf8Encoder.encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`),
      )
    }`;
  } catch {
    throw new UsageError("the user name or password in the URL is not percent-encoded UTF-8");
  }
}
