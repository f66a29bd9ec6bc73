// Which proxy leads to a target: the given one, or the one that environment variables name, in the
// form that curl made common. http.ts and socks.ts are the protocols of proxies, tunnel.ts drives
// them.

import { refuseUnknown } from "../../../core/internal.ts";
import { type HeaderInput, UsageError } from "../../../core/mod.ts";
import { checkTls } from "../client/options.ts";
import type { Target } from "../client/target.ts";
import type { TlsClientOptions } from "../transport.ts";

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
  const isUrl = typeof choice === "string" || choice instanceof URL;
  return parseProxy(isUrl ? { url: choice } : choice);
}

function parseProxy(options: ProxyOptions): Proxy {
  refuseUnknown("proxy", options, ["url", "headers", "tls"]);
  const { url: given, headers, tls } = options;
  checkTls("proxy.tls", tls);
  const text = String(given);
  if (!URL.canParse(text)) throw notAProxy("the proxy");
  const url = new URL(text);
  const scheme = SCHEMES.get(url.protocol);
  if (scheme === undefined || url.hostname === "") throw notAProxy(`${url.protocol}//${url.host}`);
  const { kind, secure } = scheme;
  if (kind === "socks" && headers !== undefined) {
    throw new UsageError("proxy.headers is for HTTP proxies");
  }
  if (!secure && tls !== undefined) throw new UsageError("proxy.tls is for https: proxies");
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? scheme.port : Number(url.port);
  const { username, password } = url;
  return { kind, hostname, port, username, password, headers, tls: secure && (tls ?? {}) };
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

// NO_PROXY lists `*`, hosts (each with all its subdomains) and addresses, with or without a port.
function isExempt({ hostname, port }: Target, list: string): boolean {
  const host = stripDots(hostname.toLowerCase());
  const isAddress = host.includes(":") || /^[\d.]+$/.test(host);
  return list.toLowerCase().split(/[\s,]+/).some((entry) => {
    if (entry === "*") return true;
    const [name, entryPort] = splitEntry(entry);
    if (name === "" || (entryPort !== undefined && Number(entryPort) !== port)) return false;
    return host === name || (host.endsWith(`.${name}`) && !isAddress);
  });
}

// `host`, `host:port`, `::1`, `[::1]` or `[::1]:port`
function splitEntry(entry: string): readonly [name: string, port: string | undefined] {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  return [stripDots(bracketed ?? plain ?? entry), port];
}

function stripDots(host: string): string {
  return host.replace(/^\.|\.$/g, "");
}
