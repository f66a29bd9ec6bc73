// Which proxy leads to a target: the given one, or the one that environment variables name, in the
// form that curl made common. http.ts and socks.ts are the protocols of proxies, tunnel.ts drives
// them.

import { type HeaderInput, UsageError } from "../../../core/mod.ts";
import { anything, type Check, checkOptions, type Checks, isObject } from "../check.ts";
import type { Target } from "../client/target.ts";
import { clientTls, headers } from "../options.ts";
import type { TlsClientOptions } from "../transport.ts";
import { isExempt } from "./exempt.ts";

/** A proxy with options that its URL has no place for. */
export interface ProxyOptions {
  /**
   * `http:` or `https:` for HTTP's CONNECT (RFC 9110 §9.3.6), `socks5:` or `socks5h:` for SOCKS
   * (RFC 1928); with a user name and password if needed. The proxy always resolves host names.
   */
  readonly url: string | URL;
  /** Fields for the CONNECT request; not for SOCKS. */
  readonly headers?: HeaderInput | undefined;
  /** For an `https:` proxy. */
  readonly tls?: TlsClientOptions | undefined;
}

/**
 * A proxy; `"env"` for the variables HTTPS_PROXY (for `wss:`), HTTP_PROXY (for `ws:`), ALL_PROXY
 * and NO_PROXY, in lower case first; `false` for none.
 */
export type ProxyChoice = string | URL | ProxyOptions | false;

/** A checked proxy. */
export interface Proxy {
  readonly kind: "http" | "socks";
  readonly hostname: string;
  readonly port: number;
  /** Percent-encoded, as in a URL. */
  readonly username: string;
  readonly password: string;
  readonly headers: HeaderInput | undefined;
  /** Present for a proxy that speaks TLS. */
  readonly tls: TlsClientOptions | undefined;
}

/** The client's side of a negotiation with a proxy. */
export interface Dialogue {
  /** The first bytes to write. */
  readonly opening: Uint8Array;
  /**
   * Takes bytes of the proxy, and returns the answer, if any, or `"done"`.
   *
   * @throws {ConnectError} when the proxy refuses, or breaks the protocol
   */
  receive(chunk: Uint8Array): Uint8Array | "done" | undefined;
}

/** Reads a variable of the environment. */
export type Environment = (name: string) => string | undefined;

interface Scheme {
  readonly kind: Proxy["kind"];
  readonly port: number;
  readonly secure?: true;
}

const SOCKS: Scheme = { kind: "socks", port: 1080 };
const SCHEMES: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  ["http:", { kind: "http", port: 80 }],
  ["https:", { kind: "http", port: 443, secure: true }],
  ["socks:", SOCKS],
  ["socks5:", SOCKS],
  ["socks5h:", SOCKS],
]);

const PROXY: Checks<ProxyOptions> = { url: anything, headers, tls: clientTls };

/** A proxy to go through. */
export const proxy: Check = (value, path) => {
  if (value === false || value === "env") return;
  if (typeof value !== "string" && !(isObject(value) && isUrl(value))) {
    checkOptions(value as ProxyOptions, PROXY, path);
  }
  parseProxy(optionsOf(value as Exclude<ProxyChoice, false>));
};

/**
 * The proxy that leads to the target, if any does.
 *
 * @throws {UsageError} for what is not a proxy, or of an unknown kind
 */
export function proxyFor(
  target: Target,
  choice: ProxyChoice | undefined,
  environment: Environment,
): Proxy | undefined {
  if (choice === undefined || choice === false) return undefined;
  if (choice === "env") {
    return target.path === undefined ? proxyFromEnvironment(target, environment) : undefined;
  }
  if (target.path !== undefined) throw new UsageError("a proxy does not lead to a unix socket");
  return parseProxy(optionsOf(choice));
}

function optionsOf(choice: string | URL | ProxyOptions): ProxyOptions {
  return typeof choice === "string" || isUrl(choice) ? { url: choice } : choice;
}

// Of any realm: a URL has an `href`.
function isUrl(value: object): value is URL {
  return "href" in value;
}

function parseProxy({ url: given, headers, tls }: ProxyOptions): Proxy {
  const text = String(given);
  if (!URL.canParse(text)) throw notAProxy("the proxy");
  const url = new URL(text);
  const scheme = SCHEMES.get(url.protocol);
  if (scheme === undefined || url.hostname === "") throw notAProxy(`${url.protocol}//${url.host}`);
  checkRest(url, scheme, headers, tls);
  const { kind, secure } = scheme;
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? scheme.port : Number(url.port);
  const { username, password } = url;
  return { kind, hostname, port, username, password, headers, tls: secure && (tls ?? {}) };
}

// A URL parser reads a backslash as a slash, so `http://DOMAIN\\user:secret@proxy` has the host
// "domain": what would be ignored is refused.
function checkRest(
  { pathname, search, hash }: URL,
  { kind, secure }: Scheme,
  headers: HeaderInput | undefined,
  tls: TlsClientOptions | undefined,
): void {
  if (!["", "/"].includes(pathname) || search !== "" || hash !== "") {
    const advice = "write a backslash in a user name as %5C";
    throw new UsageError(`the URL of a proxy has no path, query or fragment; ${advice}`);
  }
  if (kind === "socks" && headers !== undefined) {
    throw new UsageError("proxy.headers is for HTTP proxies");
  }
  if (!secure && tls !== undefined) throw new UsageError("proxy.tls is for https: proxies");
}

// The message omits the URL itself: it may contain a password.
function notAProxy(what: string): UsageError {
  const use = `use http:, https: or socks5:, or "env"`;
  return new UsageError(`${what} is not the URL of a proxy: ${use}`);
}

// --- The environment ---

function proxyFromEnvironment(target: Target, environment: Environment): Proxy | undefined {
  const read = (name: string): string | undefined => readVariable(name, environment);
  if (isExempt(target, read("NO_PROXY") ?? "")) return undefined;
  const proxy = read(target.secure ? "HTTPS_PROXY" : "HTTP_PROXY") ?? read("ALL_PROXY");
  if (proxy === undefined) return undefined;
  return parseProxy({ url: proxy.includes("://") ? proxy : `http://${proxy}` });
}

// In a CGI program HTTP_PROXY is the client's field "Proxy" (CVE-2016-5385).
function readVariable(name: string, environment: Environment): string | undefined {
  const lower = environment(name.toLowerCase());
  if (lower) return lower;
  if (name === "HTTP_PROXY" && environment("REQUEST_METHOD") !== undefined) return undefined;
  return environment(name) || undefined;
}
