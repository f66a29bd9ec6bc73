// The way to a target: straight, through a proxy, or by what the caller provides; with TLS on top
// where the target wants it.
//
// What the steps are is decided before the first of them is taken, so that a wrong option opens
// nothing.

import { UsageError } from "../../../core/mod.ts";
import type { DialOptions, Runtime, TlsClientOptions, Transport } from "../transport.ts";
import { checkTls } from "./checks.ts";
import { step } from "./connect-error.ts";
import { type Proxy, type ProxyChoice, proxyFor } from "./proxy.ts";
import { openStream, type StreamSource } from "./stream-transport.ts";
import { authorityOf, nameOf, type Target } from "./target.ts";
import { negotiationWith, tunnel } from "./tunnel.ts";

/** What says how a target is reached. */
export interface RouteOptions {
  /** For `wss:` URLs. */
  readonly tls?: TlsClientOptions | undefined;
  /** A proxy to go through. Default: none. */
  readonly proxy?: ProxyChoice | undefined;
  /**
   * A byte stream to use instead of a connection of the runtime's own, or a function that makes
   * one. For `wss:` URLs it must be encrypted already.
   */
  readonly stream?: StreamSource | undefined;
}

/**
 * A way that was decided on. Taking it may be given up through the signal, which leaves nothing
 * behind.
 */
export type Route = (signal: AbortSignal) => Promise<Transport>;

/**
 * The way to the target.
 *
 * @throws {UsageError} for options that do not go together, or with the target
 */
export function routeTo(target: Target, options: RouteOptions, runtime: Runtime): Route {
  const { tls, stream } = options;
  checkTls("tls", tls);
  if (stream !== undefined) return streamRoute(target, stream, options);
  if (!target.secure && tls !== undefined) throw new UsageError("tls is for wss: URLs");
  const proxy = proxyFor(target, options.proxy, (name) => runtime.env(name));
  const targetTls = target.secure ? tls ?? {} : undefined;
  return proxy === undefined
    ? (signal) => dial(runtime, target, targetTls, signal)
    : proxyRoute(target, targetTls, proxy, runtime);
}

function streamRoute(target: Target, stream: StreamSource, { tls, proxy }: RouteOptions): Route {
  if (tls !== undefined) throw new UsageError("a stream is used as it is: it excludes tls");
  if (proxy !== undefined && proxy !== false) {
    throw new UsageError("a stream takes the place of a proxy");
  }
  if (target.path !== undefined) throw new UsageError("a stream takes the place of a unix socket");
  return (signal) =>
    step(
      "unreachable",
      `no stream to ${nameOf(target)}`,
      signal,
      () => openStream(stream, target, signal),
    );
}

// RFC 6455 §4.1 has a proxy asked for a tunnel by CONNECT for ws: as well, because many HTTP
// proxies know no upgrade.
function proxyRoute(
  target: Target,
  tls: TlsClientOptions | undefined,
  proxy: Proxy,
  runtime: Runtime,
): Route {
  const negotiation = negotiationWith(proxy, target);
  if (tls !== undefined) runtime.checkSecure(tls, proxy.tls !== undefined);
  return async (signal) => {
    const transport = await dial(runtime, proxy, proxy.tls, signal);
    await tunnel(transport, negotiation, signal);
    if (tls === undefined) return transport;
    const message = `no TLS with ${authorityOf(target)}`;
    return step(
      "tls",
      message,
      signal,
      () => runtime.secure(transport, target.hostname, tls, signal),
    );
  };
}

function dial(
  runtime: Runtime,
  { hostname, port, path }: DialOptions & Pick<Target, "hostname" | "port">,
  tls: TlsClientOptions | undefined,
  signal: AbortSignal,
): Promise<Transport> {
  const message = `no connection to ${path ?? authorityOf({ hostname, port })}`;
  return step(
    "unreachable",
    message,
    signal,
    () => runtime.dial({ hostname, port, path, tls, signal }),
  );
}
