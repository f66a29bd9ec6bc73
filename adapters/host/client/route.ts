// The route to a target: a connection of the runtime, a proxy, or the caller's stream; with TLS on
// top where the target wants it. All steps are decided before the first one is taken, so that a
// wrong option opens no connection. `negotiate` is the step that speaks over a transport.

import { type Machine, UsageError } from "../../../core/mod.ts";
import type { Clock } from "../clock.ts";
import { type Proxy, type ProxyChoice, proxyFor } from "../proxy/proxy.ts";
import { Tunnel, type TunnelEvent } from "../proxy/tunnel.ts";
import { Pump, type Sink } from "../pump.ts";
import type { DialOptions, Runtime, TlsClientOptions, Transport } from "../transport.ts";
import { offAbort, onAbort } from "../waiting.ts";
import { step } from "./error.ts";
import { openStream, type StreamSource } from "./stream.ts";
import { authorityOf, nameOf, type Target } from "./target.ts";

/** How a target is reached. */
export interface RouteOptions {
  /** For `wss:` URLs. */
  readonly tls?: TlsClientOptions | undefined;
  /** A proxy to go through. Default: none. */
  readonly proxy?: ProxyChoice | undefined;
  /** A byte stream, or a function that makes one. For `wss:` it must be encrypted already. */
  readonly stream?: StreamSource | undefined;
}

/** Takes a route. When the signal is aborted, nothing stays open. */
export type Route = (signal: AbortSignal) => Promise<Transport>;

/** The route to the target. @throws {UsageError} for options that exclude each other or it */
export function routeTo(target: Target, options: RouteOptions, runtime: Runtime): Route {
  const { tls, stream } = options;
  if (stream !== undefined) return streamRoute(target, stream, options);
  if (!target.secure && tls !== undefined) throw new UsageError("tls is for wss: URLs");
  const proxy = proxyFor(target, options.proxy, (name) => runtime.env(name));
  const targetTls = target.secure ? tls ?? {} : undefined;
  if (proxy !== undefined) return proxyRoute(target, targetTls, proxy, runtime);
  return (signal) => dial(runtime, target, targetTls, signal);
}

function streamRoute(target: Target, stream: StreamSource, { tls, proxy }: RouteOptions): Route {
  if (tls !== undefined) throw new UsageError("a stream is used as it is: it excludes tls");
  if (proxy !== undefined && proxy !== false) {
    throw new UsageError("a stream takes the place of a proxy");
  }
  if (target.path !== undefined) throw new UsageError("a stream takes the place of a unix socket");
  return (signal) => {
    const open = (): Promise<Transport> => openStream(stream, target, signal);
    return step("unreachable", `no stream to ${nameOf(target)}`, signal, open);
  };
}

// RFC 6455 §4.1 has the client ask a proxy for a connection to the host, by CONNECT: for ws: as
// well, because many HTTP proxies cannot forward an upgrade.
function proxyRoute(
  target: Target,
  tls: TlsClientOptions | undefined,
  proxy: Proxy,
  runtime: Runtime,
): Route {
  const tunnel = new Tunnel(proxy, target);
  if (tls !== undefined) runtime.checkSecure(tls, proxy.tls !== undefined);
  return async (signal) => {
    const transport = await dial(runtime, proxy, proxy.tls, signal);
    await negotiate(transport, runtime.clock, tunnel, signal, takeTunnel);
    if (tls === undefined) return transport;
    const secure = (): Promise<Transport> =>
      runtime.secure(transport, target.hostname, tls, signal);
    return step("tls", `no TLS with ${authorityOf(target)}`, signal, secure);
  };
}

function takeTunnel(event: TunnelEvent, pump: Pump): void {
  if (event.type === "failed") throw event.error;
  pump.transport.pause();
}

function dial(
  runtime: Runtime,
  { hostname, port, path }: DialOptions,
  tls: TlsClientOptions | undefined,
  signal: AbortSignal,
): Promise<Transport> {
  const name = path ?? authorityOf({ hostname, port });
  const open = (): Promise<Transport> => runtime.dial({ hostname, port, path, tls, signal });
  return step("unreachable", `no connection to ${name}`, signal, open);
}

/**
 * Drives the machine until it reports an event, and returns what `take` makes of it. `take` runs
 * within that report, so no byte comes in between.
 *
 * @throws what `take` throws; the signal's reason when it is aborted before the event
 */
export function negotiate<Event, T>(
  transport: Transport,
  clock: Clock,
  machine: Machine<Event>,
  signal: AbortSignal,
  take: (event: Event, pump: Pump) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    // Drop the transport: a server that goes on sending would keep the process alive. Reject first,
    // because a runtime may report the end of the transport within `abort`.
    const fail = (error: unknown): void => {
      offAbort(signal, abort);
      reject(error);
      pump.abort();
    };
    const abort = (): void => fail(signal.reason);
    const sink: Sink<Event> = {
      event(event) {
        // First, because a handler that `take` calls may abort the signal of the open socket.
        offAbort(signal, abort);
        try {
          resolve(take(event, pump));
        } catch (error) {
          fail(error);
        }
      },
      drained() {},
      failed: fail,
      gone() {},
    };
    const pump = new Pump(transport, clock, machine, sink);
    if (signal.aborted) return abort();
    onAbort(signal, abort);
    pump.start();
    transport.resume();
  });
}
