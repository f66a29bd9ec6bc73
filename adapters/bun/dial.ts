// How a client on Bun reaches its server: `Bun.connect`, and `upgradeTLS` for TLS behind a proxy.

import { UsageError } from "../../core/mod.ts";
import { ConnectError } from "../host/client/error.ts";
import type { DialOptions, TlsClientOptions, Transport } from "../host/transport.ts";
import { isAccepted, type TlsError, tlsOptions } from "./tls.ts";
import { Bun, type BunSocket, BunTransport, handlers } from "./transport.ts";

/** As `Runtime.dial` says. */
export function dial({ hostname, port, path, tls, signal }: DialOptions): Promise<Transport> {
  const unix = path !== undefined;
  return connected(tls !== undefined, unix, signal, (hooks) => {
    const options = { ...unix ? { unix: path } : { hostname, port }, allowHalfOpen: true };
    const connectError = (_socket: BunSocket, error: Error): void => hooks.fail(error);
    const connecting = tls === undefined
      ? Bun.connect({ ...options, socket: { ...handlers, open: hooks.done, connectError } })
      : Bun.connect({
        ...options,
        tls: { serverName: hostname, ...clientTls(tls) },
        socket: { ...tlsHandlers(hostname, tls, hooks), connectError },
      });
    connecting.catch(hooks.fail);
  });
}

/** As `Runtime.checkSecure` says. */
export function checkSecure(_options: TlsClientOptions, within: boolean): void {
  if (within) throw new UsageError("Bun has no TLS within TLS: wss: through an https: proxy");
}

/** As `Runtime.secure` says. Over a socket that exists, Bun runs TLS in a second one. */
export function secure(
  transport: Transport,
  hostname: string,
  options: TlsClientOptions,
  signal: AbortSignal,
): Promise<Transport> {
  const { socket, unix } = transport as BunTransport;
  return connected(true, unix, signal, (hooks) => {
    // What is encrypted is still reported of the first one.
    socket.data = undefined;
    socket.upgradeTLS({
      data: undefined,
      tls: { serverName: hostname, ...clientTls(options) },
      socket: tlsHandlers(hostname, options, hooks),
    });
  });
}

function clientTls(options: TlsClientOptions): object {
  return tlsOptions({ alpnProtocols: ["http/1.1"], ...options });
}

/** What becomes of a socket that is to be connected. */
interface Hooks {
  /** There is a socket, though not ready yet. */
  reached(socket: BunSocket): void;
  done(socket: BunSocket): void;
  fail(error: unknown): void;
}

/**
 * Handlers of a client's socket for TLS: of a bad certificate Bun tells with the handshake, and
 * leaves it to us.
 */
function tlsHandlers(
  name: string,
  { rejectUnauthorized = true }: TlsClientOptions,
  hooks: Hooks,
): object {
  const fail = (error: unknown): void =>
    hooks.fail(new ConnectError("tls", `no TLS with ${name}`, error));
  const handshake = (socket: BunSocket, authorized: boolean, error: TlsError | null): void => {
    if (isAccepted(authorized, error, rejectUnauthorized)) return hooks.done(socket);
    fail(error);
    socket.terminate();
  };
  const close = ({ data }: BunSocket, error?: Error): void => {
    if (data === undefined) fail(error ?? "the connection was lost");
    else data.closed(error);
  };
  return { ...handlers, open: hooks.reached, handshake, close, error: close };
}

/**
 * The transport, once it is done; on failure and when the signal is aborted its socket is dropped.
 */
function connected(
  secure: boolean,
  unix: boolean,
  signal: AbortSignal | undefined,
  begin: (hooks: Hooks) => void,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    let reached: BunSocket | undefined;
    const abort = (): void => {
      reached?.terminate();
      reject(signal!.reason);
    };
    const settle = (): void => signal?.removeEventListener("abort", abort);
    const keep = (socket: BunSocket): void => {
      reached = socket;
      if (signal?.aborted) socket.terminate();
    };
    signal?.addEventListener("abort", abort);
    begin({
      reached: keep,
      done(socket) {
        settle();
        keep(socket);
        if (!signal?.aborted) resolve(new BunTransport(socket, secure, unix));
      },
      fail(error) {
        settle();
        reject(error);
      },
    });
    if (signal?.aborted) abort();
  });
}
