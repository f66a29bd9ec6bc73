// How a client on Deno reaches its server: `Deno.connect`, and `Deno.startTls` on top, or
// `Deno.connectTls` with a certificate.

import { UsageError } from "../../core/mod.ts";
import { step } from "../host/client/error.ts";
import { refuseOptions } from "../host/options.ts";
import type { DialOptions, Pem, TlsClientOptions, Transport } from "../host/transport.ts";
import { Deno, type DenoConn, DenoTransport } from "./transport.ts";

/** What `Deno.connectTls` has no option for. */
const NO_CLIENT_TLS = ["passphrase", "rejectUnauthorized"] as const;

/** The application protocols as Deno takes them. */
export function alpn(protocols: readonly string[] | undefined): object {
  return protocols === undefined ? {} : { alpnProtocols: [...protocols] };
}

function clientTls({ ca, cert, key, alpnProtocols = ["http/1.1"] }: TlsClientOptions): object {
  return {
    ...ca !== undefined && { caCerts: list(ca) },
    ...cert !== undefined && { cert, key },
    ...alpn(alpnProtocols),
  };
}

function list(pem: Pem): string[] {
  return typeof pem === "string" ? [pem] : [...pem];
}

/** As `Runtime.dial` says. */
export async function dial({ hostname, port, path, tls, signal }: DialOptions): Promise<Transport> {
  if (tls !== undefined) refuseOptions("Deno", "tls", tls, NO_CLIENT_TLS);
  if (tls !== undefined && path !== undefined) {
    refuseOptions("Deno", "options", { tls }, ["tls"], " on a unix socket");
  }
  if (tls?.cert !== undefined) return dialWithCertificate({ hostname, port, signal }, tls);
  const address = path === undefined ? { hostname, port } : { path, transport: "unix" };
  const transport = new DenoTransport(
    await abortable(Deno.connect({ ...address, signal }), signal),
    false,
  );
  if (tls === undefined) return transport;
  return step(
    "tls",
    `no TLS with ${hostname}`,
    signal,
    () => secure(transport, hostname, tls, signal),
  );
}

// The one way to show a certificate, but it cannot be told another name, and goes on for a while
// when it is aborted.
async function dialWithCertificate(
  { signal, ...address }: DialOptions,
  tls: TlsClientOptions,
): Promise<Transport> {
  refuseOptions("Deno", "tls", tls, ["serverName"], " together with tls.cert");
  const conn = await abortable(Deno.connectTls({ ...address, ...clientTls(tls) }), signal);
  return step("tls", `no TLS with ${address.hostname}`, signal, () => handshaken(conn, signal));
}

/** As `Runtime.checkSecure` says. */
export function checkSecure(options: TlsClientOptions, within: boolean): void {
  refuseOptions("Deno", "tls", options, NO_CLIENT_TLS);
  refuseOptions("Deno", "tls", options, ["cert", "key"], " over a proxy");
  if (within) throw new UsageError("Deno has no TLS within TLS: wss: through an https: proxy");
}

/** As `Runtime.secure` says. */
export async function secure(
  transport: Transport,
  hostname: string,
  options: TlsClientOptions,
  signal?: AbortSignal,
): Promise<Transport> {
  const { conn } = transport as DenoTransport;
  const name = options.serverName ?? hostname;
  return handshaken(
    await abortable(Deno.startTls(conn, { ...clientTls(options), hostname: name }), signal),
    signal,
  );
}

// What Deno calls a TLS connection has not shaken hands yet; whoever waits for one wants to hear of
// a bad certificate.
async function handshaken(conn: DenoConn, signal: AbortSignal | undefined): Promise<Transport> {
  try {
    await abortable(conn.handshake!(), signal);
    return new DenoTransport(conn, true);
  } catch (error) {
    conn.close();
    throw error;
  }
}

/**
 * The promise, or the signal's reason as soon as it is aborted; a connection that comes too late is
 * closed.
 */
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
