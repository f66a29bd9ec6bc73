// Parses a URL into where it leads: `ws:` and `wss:` (RFC 6455 §3), and `ws+unix:` and `wss+unix:`
// for a unix socket. The latter have the form of other libraries,
// `ws+unix:/path/of/the.sock:/path/of/the/request?query`: the socket's path ends at the first colon
// and is percent-decoded, so a colon in it is %3A. The handshake checks scheme and fragment.

import { UsageError } from "../../../core/mod.ts";
import { authority } from "../transport.ts";

/** A parsed URL. */
export interface Target {
  /** The URL of the request: ws:, wss:, http: or https:. */
  readonly url: URL;
  /** Whether to use TLS. */
  readonly secure: boolean;
  /** A name or an address, IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** A unix socket, instead of the host and port. */
  readonly path?: string;
}

/**
 * Parses a URL.
 *
 * @param path a unix socket to use instead of the host
 * @throws {UsageError} for what is not a URL or a path, and for two unix sockets
 */
export function parseTarget(given: string | URL, path?: string): Target {
  if (path !== undefined && (typeof path !== "string" || path === "")) {
    throw new UsageError("path is not that of a socket");
  }
  const text = String(given);
  if (!URL.canParse(text)) throw new UsageError(`${JSON.stringify(redact(text))} is not a URL`);
  const url = new URL(text);
  const unix = /^(wss?)\+unix:$/.exec(url.protocol)?.[1];
  if (unix === undefined) return locate(url, path);
  if (path === undefined) return locateUnix(unix, url);
  throw new UsageError(`path and the URL ${redact(url.href)} both name a unix socket`);
}

// No message shows a password.
function redact(url: string): string {
  return url.replace(/\/\/[^/?#]*@/, "//…@");
}

function locate(url: URL, path: string | undefined): Target {
  const secure = url.protocol === "wss:" || url.protocol === "https:";
  // RFC 6455 §3: the default ports
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  return { url, secure, hostname, port, ...path !== undefined && { path } };
}

function locateUnix(scheme: string, { pathname, search, hash, href }: URL): Target {
  const [, socket, request = "/"] = /^([^:]+)(?::(\/.*|))?$/.exec(pathname) ?? [];
  if (socket === undefined) {
    const form = "ws+unix:/path/of/the.sock:/path/of/the/request";
    throw new UsageError(`${redact(href)} is not of the form ${form}`);
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

/** The host and port, as in a CONNECT request and in messages. */
export function authorityOf({ hostname, port }: Pick<Target, "hostname" | "port">): string {
  return `${authority(hostname)}:${port}`;
}

/** The target's name in messages. */
export function nameOf(target: Target): string {
  return target.path ?? authorityOf(target);
}
