// How a client on Deno reaches a server: `Deno.connect`, and `Deno.startTls` on top of it, or
// `Deno.connectTls` with a client certificate. An option that Deno lacks is refused by name, before
// there is a connection.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { UsageError } from "../../core/mod.ts";
import { step } from "../host/client/error.ts";
import { refuseOptions } from "../host/options.ts";
import { clientProtocols, serverNameOf } from "../host/tls.ts";
import type { DialOptions, TlsClientOptions, Transport } from "../host/transport.ts";
import { Deno, type DenoConn, DenoTransport } from "./transport.ts";

/** Options that `Deno.connectTls` lacks. */
const NO_CLIENT_TLS = ["passphrase", "rejectUnauthorized"] as const;

function clientTls(options: TlsClientOptions): object {
  const { ca, cert, key } = options;
  return {
    ...ca !== undefined && { caCerts: [ca].flat() },
    ...cert !== undefined && { cert, key },
    alpnProtocols: clientProtocols(options),
  };
}

/** Refuses what no connection could serve. */
function checkTls(options: TlsClientOptions): void {
  refuseOptions("Deno", "tls", options, NO_CLIENT_TLS);
  serverNameOf("", options);
  clientProtocols(options);
}

/** See `Runtime.dial`. */
export async function dial({ hostname, port, path, tls, signal }: DialOptions): Promise<Transport> {
  if (tls !== undefined) checkTls(tls);
  if (path !== undefined) refuseOptions("Deno", "options", { tls }, ["tls"], " on a unix socket");
  if (tls?.cert !== undefined) return dialWithCertificate({ hostname, port, signal }, tls);
  const address = path === undefined ? { hostname, port } : { path, transport: "unix" };
  const conn = await abortable(Deno.connect({ ...address, signal }), signal);
  const transport = new DenoTransport(conn, false);
  if (tls === undefined) return transport;
  const message = `no TLS with ${hostname}`;
  return step("tls", message, signal, () => secure(transport, hostname, tls, signal));
}

// Only `connectTls` takes a client certificate. It takes no other server name, and goes on for a
// while after an abort.
async function dialWithCertificate(
  { signal, ...address }: DialOptions,
  tls: TlsClientOptions,
): Promise<Transport> {
  refuseOptions("Deno", "tls", tls, ["serverName"], " together with tls.cert");
  checkPair(tls.cert!, tls.key!);
  const conn = await abortable(Deno.connectTls({ ...address, ...clientTls(tls) }), signal);
  return step("tls", `no TLS with ${address.hostname}`, signal, () => handshaken(conn, signal));
}

// Deno 2.9 panics when they do not belong together. It throws for one that it cannot read.
function checkPair(cert: string, key: string): void {
  let fits = true;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    // `connectTls` says what is wrong.
  }
  if (!fits) throw new UsageError("tls.key is not the key of tls.cert");
}

/** See `Runtime.checkSecure`. */
export function checkSecure(options: TlsClientOptions, within: boolean): void {
  checkTls(options);
  refuseOptions("Deno", "tls", options, ["cert", "key"], " over a proxy");
  if (within) throw new UsageError("Deno has no TLS within TLS: wss: through an https: proxy");
}

/** See `Runtime.secure`. */
export async function secure(
  transport: Transport,
  hostname: string,
  options: TlsClientOptions,
  signal?: AbortSignal,
): Promise<Transport> {
  // Deno sends no address as SNI.
  const tls = { ...clientTls(options), hostname: serverNameOf(hostname, options).name };
  const starting = Deno.startTls((transport as DenoTransport).conn, tls);
  return handshaken(await abortable(starting, signal), signal);
}

// Deno returns a TLS connection before its handshake. Await that, so that a bad certificate is an
// error of connecting.
async function handshaken(conn: DenoConn, signal: AbortSignal | undefined): Promise<Transport> {
  try {
    await abortable(conn.handshake!(), signal);
    return new DenoTransport(conn, true);
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** The promise, or the reason of the aborted signal; a connection that comes late is closed. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason);
      promise.then((late) => (late as Partial<DenoConn> | undefined)?.close?.(), () => {});
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
