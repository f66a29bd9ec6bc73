// Where a URL leads: RFC 6455 §3 for ws: and wss:, and ws+unix: and wss+unix: for a socket of the
// file system.
//
// The latter are written `ws+unix:/path/of/the.sock:/path/of/the/request?query`, as other libraries
// have it. The path of the socket ends at its first colon, and is percent-decoded: a colon in it is
// %3A.

import { UsageError } from "../../../core/mod.ts";
import { authority } from "../address.ts";

/** A URL, taken apart. */
export interface Target {
  /** What the request is for: always one of ws:, wss:, http: and https:. */
  readonly url: URL;
  /** Whether it is to be reached over TLS. */
  readonly secure: boolean;
  /** A name or an address, IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** A unix socket, which takes the place of the host and port. */
  readonly path?: string;
}

/** What RFC 6455 §3 has for a URL without a port. */
const DEFAULT_PORT = { plain: 80, secure: 443 } as const;

/**
 * Takes a URL apart. Whether its scheme is one of WebSocket's, and its fragment empty, the
 * handshake will check.
 *
 * @param path a unix socket to go to instead of the host
 * @throws {UsageError} for what is not a URL or a path, and for two unix sockets
 */
export function parseTarget(given: string | URL, path?: string): Target {
  if (path !== undefined && (typeof path !== "string" || path === "")) {
    throw new UsageError("path is not that of a socket");
  }
  const parsed = parseUrl(given);
  const unix = /^(wss?)\+unix:$/.exec(parsed.protocol)?.[1];
  if (unix === undefined) return locate(parsed, path);
  if (path !== undefined) {
    throw new UsageError(`path and the URL ${parsed.href} both name a unix socket`);
  }
  return locateUnix(unix, parsed);
}

function parseUrl(given: string | URL): URL {
  try {
    return new URL(given);
  } catch {
    throw new UsageError(`${JSON.stringify(String(given))} is not a URL`);
  }
}

function locate(url: URL, path: string | undefined): Target {
  const secure = url.protocol === "wss:" || url.protocol === "https:";
  const port = url.port === "" ? DEFAULT_PORT[secure ? "secure" : "plain"] : Number(url.port);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  return { url, secure, hostname, port, ...path !== undefined && { path } };
}

function locateUnix(scheme: string, { pathname, search, hash, href }: URL): Target {
  const colon = pathname.indexOf(":");
  const socket = colon === -1 ? pathname : pathname.slice(0, colon);
  const request = colon === -1 ? "/" : pathname.slice(colon + 1);
  if (socket === "" || !(request === "" || request.startsWith("/"))) {
    throw new UsageError(
      `${href} is not of the form ws+unix:/path/of/the.sock:/path/of/the/request`,
    );
  }
  return locate(new URL(`${scheme}://localhost${request}${search}${hash}`), decodePath(socket));
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new UsageError(`${path} is not percent-encoded UTF-8`);
  }
}

/** The host and port as they stand in a CONNECT request, and in messages. */
export function authorityOf({ hostname, port }: Pick<Target, "hostname" | "port">): string {
  return `${authority(hostname)}:${port}`;
}

/** How a target is called in messages. */
export function nameOf(target: Target): string {
  return target.path ?? authorityOf(target);
}
