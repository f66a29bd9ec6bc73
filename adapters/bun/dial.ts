// How a client on Bun reaches a server: `Bun.connect`, and `upgradeTLS` for TLS through a proxy, or
// with an address that only the certificate names. Bun only reports a bad certificate, so this file
// refuses it. Bun has no TLS within TLS: an `https:` proxy cannot lead to a `wss:` server.

import { UsageError } from "../../core/mod.ts";
import { ConnectError, step } from "../host/client/error.ts";
import { clientProtocols, serverNameOf } from "../host/tls.ts";
import type { DialOptions, TlsClientOptions, Transport } from "../host/transport.ts";
import { clientOptions, isAccepted, type TlsError } from "./tls.ts";
import { Bun, type BunSocket, BunTransport, handlers } from "./transport.ts";

/** See `Runtime.dial`. */
export async function dial(options: DialOptions): Promise<Transport> {
  const { hostname, tls, signal } = options;
  if (tls === undefined) return await connect(options);
  const { name, sent } = serverNameOf(hostname, tls);
  clientProtocols(tls);
  // Without SNI, Bun checks the certificate for the address it connects to, and for nothing over a
  // unix socket. `secure` can name another address.
  if (sent !== "" || (name === hostname && options.path === undefined)) return connect(options);
  const transport = await connect({ ...options, tls: undefined });
  return await step("tls", `no TLS with ${hostname}`, signal, () => {
    return secure(transport, hostname, tls, signal);
  });
}

function connect({ hostname, port, path, tls, signal }: DialOptions): Promise<Transport> {
  const unix = path !== undefined;
  return connected(tls !== undefined, unix, signal, (hooks) => {
    const options = { ...unix ? { unix: path } : { hostname, port }, allowHalfOpen: true };
    const connectError = (_socket: BunSocket, error: Error): void => hooks.fail(error);
    const connecting = tls === undefined
      ? Bun.connect({ ...options, socket: { ...handlers, open: hooks.done, connectError } })
      : Bun.connect({
        ...options,
        tls: clientOptions(hostname, tls),
        socket: { ...tlsHandlers(hostname, tls, hooks), connectError },
      });
    connecting.catch(hooks.fail);
  });
}

/** See `Runtime.checkSecure`. */
export function checkSecure(options: TlsClientOptions, within: boolean): void {
  clientOptions("", options);
  if (within) throw new UsageError("Bun has no TLS within TLS: wss: through an https: proxy");
}

/** See `Runtime.secure`. Over an existing socket, Bun runs TLS in a second one. */
export function secure(
  transport: Transport,
  hostname: string,
  options: TlsClientOptions,
  signal?: AbortSignal,
): Promise<Transport> {
  const { socket, unix } = transport as BunTransport;
  return connected(true, unix, signal, (hooks) => {
    // The first socket still reports the encrypted bytes: ignore them.
    socket.data = undefined;
    const secured = upgrade(socket, {
      data: undefined,
      tls: clientOptions(hostname, options),
      socket: tlsHandlers(hostname, options, hooks),
    });
    // The ClientHello has left. Now this is only the name to check: by default it would be the
    // address of the proxy.
    const { name, sent } = serverNameOf(hostname, options);
    if (sent === "") secured.setServername(name);
  });
}

function upgrade(socket: BunSocket, options: object): BunSocket {
  try {
    return socket.upgradeTLS(options)[1];
  } catch (error) {
    socket.terminate();
    throw error;
  }
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
    const fail = (error: unknown): void => {
      settle();
      reject(error);
    };
    const done = (socket: BunSocket): void => {
      settle();
      keep(socket);
      if (!signal?.aborted) resolve(new BunTransport(socket, secure, unix));
    };
    try {
      begin({ reached: keep, done, fail });
    } catch (error) {
      // Bun throws at once for a certificate or a key that it cannot use.
      fail(secure ? new ConnectError("tls", "unusable TLS options", error) : error);
    }
    if (signal?.aborted) abort();
  });
}
