// Which proxy leads to a target: the one that was given, or the one that the environment names, in
// the form that curl and others have made common. How a proxy is spoken to is connect-tunnel.ts's
// and socks.ts's affair.

import { refuseUnknown } from "../../../core/limits.ts";
import { type HeaderInput, UsageError } from "../../../core/mod.ts";
import type { TlsClientOptions } from "../transport.ts";
import { checkTls } from "./checks.ts";
import type { Target } from "./target.ts";

/** A proxy, when its URL does not say all. */
export interface ProxyOptions {
  /**
   * `http:` and `https:` for HTTP's CONNECT (RFC 9110 §9.3.6), `socks5:` or `socks5h:` for SOCKS
   * (RFC 1928); with a user name and password where the proxy wants them. Names are always resolved
   * by the proxy.
   */
  readonly url: string | URL;
  /** Fields for the CONNECT request; not for SOCKS. */
  readonly headers?: HeaderInput | undefined;
  /** For an `https:` proxy. */
  readonly tls?: TlsClientOptions | undefined;
}

/**
 * A proxy; or `"env"` for what HTTPS_PROXY (for `wss:`), HTTP_PROXY (for `ws:`), ALL_PROXY and
 * NO_PROXY say, in lower case first; or `false` for none.
 */
export type ProxyChoice = string | URL | ProxyOptions | false;

/** A proxy, taken apart. */
export interface Proxy {
  readonly kind: "http" | "socks";
  readonly hostname: string;
  readonly port: number;
  /** Percent-encoded, as in a URL. */
  readonly username: string;
  readonly password: string;
  readonly headers: HeaderInput | undefined;
  /** There for a proxy that is spoken to over TLS. */
  readonly tls: TlsClientOptions | undefined;
}

/** Reads a variable of the environment. */
export type Environment = (name: string) => string | undefined;

interface Scheme {
  readonly kind: Proxy["kind"];
  readonly port: number;
  readonly secure?: true;
}

const SCHEMES: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  ["http:", { kind: "http", port: 80 }],
  ["https:", { kind: "http", port: 443, secure: true }],
  ["socks:", { kind: "socks", port: 1080 }],
  ["socks5:", { kind: "socks", port: 1080 }],
  ["socks5h:", { kind: "socks", port: 1080 }],
]);

/**
 * The proxy that leads to the target, if any does.
 *
 * @throws {UsageError} for a proxy that is none, or of a kind that is not known
 */
export function proxyFor(
  target: Target,
  choice: ProxyChoice | undefined,
  environment: Environment,
): Proxy | undefined {
  if (choice === undefined || choice === false) return undefined;
  if (choice === "env") {
    return target.path === undefined
      ? proxyFromEnvironment(target, environment)
      : undefined;
  }
  if (target.path !== undefined) throw new UsageError("a proxy does not lead to a unix socket");
  return typeof choice === "string" || choice instanceof URL
    ? parseProxy({ url: choice })
    : parseProxy(choice);
}

function parseProxy(options: ProxyOptions): Proxy {
  refuseUnknown("proxy", options, ["url", "headers", "tls"]);
  checkTls("proxy.tls", options.tls);
  const url = parseUrl(options.url);
  const scheme = SCHEMES.get(url.protocol);
  if (scheme === undefined || url.hostname === "") throw notAProxy(`${url.protocol}//${url.host}`);
  const { kind, secure } = scheme;
  if (kind === "socks" && options.headers !== undefined) {
    throw new UsageError("proxy.headers is for HTTP proxies");
  }
  if (!secure && options.tls !== undefined) throw new UsageError("proxy.tls is for https: proxies");
  return {
    kind,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? scheme.port : Number(url.port),
    username: url.username,
    password: url.password,
    headers: options.headers,
    tls: secure && (options.tls ?? {}),
  };
}

function parseUrl(given: string | URL): URL {
  try {
    return new URL(given);
  } catch {
    throw notAProxy("the proxy");
  }
}

// The URL itself is not shown: there may be a password in it.
function notAProxy(what: string): UsageError {
  return new UsageError(
    `${what} is not the URL of a proxy: use http:, https: or socks5:, or "env"`,
  );
}

// --- The environment ---

function proxyFromEnvironment(target: Target, environment: Environment): Proxy | undefined {
  const read = (name: string): string | undefined => readVariable(name, environment);
  if (isExempt(target, read("NO_PROXY") ?? "")) return undefined;
  const proxy = read(target.secure ? "HTTPS_PROXY" : "HTTP_PROXY") ?? read("ALL_PROXY");
  if (proxy === undefined) return undefined;
  return parseProxy({ url: proxy.includes("://") ? proxy : `http://${proxy}` });
}

// In a CGI program HTTP_PROXY is what a client sent as the field "Proxy" (CVE-2016-5385).
function readVariable(name: string, environment: Environment): string | undefined {
  const lower = environment(name.toLowerCase());
  if (lower !== undefined && lower !== "") return lower;
  if (name === "HTTP_PROXY" && environment("REQUEST_METHOD") !== undefined) return undefined;
  return environment(name) || undefined;
}

/**
 * Whether NO_PROXY names the target: `*`, a host with all its subdomains, or an address; each with
 * or without a port.
 */
function isExempt({ hostname, port }: Target, list: string): boolean {
  const host = stripDots(hostname.toLowerCase());
  return list.toLowerCase().split(/[\s,]+/).some((entry) => {
    if (entry === "*") return true;
    const [name, entryPort] = splitEntry(entry);
    if (name === "" || (entryPort !== undefined && Number(entryPort) !== port)) return false;
    return host === name || (host.endsWith(`.${name}`) && !isAddress(host));
  });
}

// `host`, `host:port`, `::1`, `[::1]` or `[::1]:port`
function splitEntry(entry: string): readonly [name: string, port: string | undefined] {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  return [stripDots(bracketed ?? plain ?? entry), port];
}

function stripDots(host: string): string {
  return host.replace(/^\./, "").replace(/\.$/, "");
}

function isAddress(host: string): boolean {
  return host.includes(":") || /^[\d.]+$/.test(host);
}
