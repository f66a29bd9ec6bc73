// How a client on Bun reaches a server: `Bun.connect`, and `upgradeTLS` for TLS through a proxy.
// Bun only reports a bad certificate, so this file refuses it. Bun has no TLS within TLS: an
// `https:` proxy cannot lead to a `wss:` server.

import { UsageError } from "../../core/mod.ts";
import { ConnectError } from "../host/client/error.ts";
import type { DialOptions, TlsClientOptions, Transport } from "../host/transport.ts";
import { isAccepted, type TlsError, tlsOptions } from "./tls.ts";
import { Bun, type BunSocket, BunTransport, handlers } from "./transport.ts";

/** See `Runtime.dial`. */
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

/** See `Runtime.checkSecure`. */
export function checkSecure(_options: TlsClientOptions, within: boolean): void {
  if (within) throw new UsageError("Bun has no TLS within TLS: wss: through an https: proxy");
}

/** See `Runtime.secure`. Over an existing socket, Bun runs TLS in a second one. */
export function secure(
  transport: Transport,
  hostname: string,
  options: TlsClientOptions,
  signal: AbortSignal,
): Promise<Transport> {
  const { socket, unix } = transport as BunTransport;
  return connected(true, unix, signal, (hooks) => {
    // The first socket still reports the encrypted bytes: ignore them.
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

/** What happens to a socket that is being connected. */
interface Hooks {
  /** There is a socket, but it is not ready. */
  reached(socket: BunSocket): void;
  done(socket: BunSocket): void;
  fail(error: unknown): void;
}

// Bun reports a bad certificate with the handshake and goes on: drop the socket here.
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

/** The transport once it is done. On failure or an aborted signal its socket is dropped. */
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
