// Deno as the host sees it: `Deno.listen`, `Deno.listenTls`, `Deno.connect` and `Deno.connectTls`.

import { deflateCodec } from "../deflate.ts";
import { Clock } from "../host/clock.ts";
import { refuseOptions } from "../host/options.ts";
import type { Listener, ListenOptions, Runtime, Transport } from "../host/transport.ts";
import { alpn, checkSecure, dial, secure } from "./dial.ts";
import { addressOf, Deno, type DenoConn, type DenoListener, DenoTransport } from "./transport.ts";

/** What `Deno.listenTls` has no option for. */
const NO_SERVER_TLS = ["passphrase", "ca", "requestCert", "rejectUnauthorized"] as const;

function listen(
  { port = 0, hostname = "0.0.0.0", path, tls }: ListenOptions,
  accept: (transport: Transport) => void,
  report: (error: unknown) => void,
): Listener {
  if (tls !== undefined) refuseOptions("Deno", "tls", tls, NO_SERVER_TLS);
  if (tls !== undefined && path !== undefined) {
    refuseOptions("Deno", "options", { tls }, ["tls"], " on a unix socket");
  }
  const address = path === undefined ? { port, hostname } : { path, transport: "unix" };
  const listener = tls === undefined
    ? Deno.listen(address)
    : Deno.listenTls({ ...address, cert: tls.cert, key: tls.key, ...alpn(tls.alpnProtocols) });
  let stopped = false;
  const open = (conn: DenoConn): void => accept(new DenoTransport(conn, tls !== undefined));
  const accepting = acceptAll(listener, open, report, () => stopped);
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    listener.close();
    // The accept that is under way lets go of the socket's file, maybe by removing it: not after
    // somebody has made it anew.
    await accepting;
    if (path !== undefined) removeSocket(path);
  };
  return { address: addressOf(listener.addr), stop };
}

// Whoever listens again on the path of a socket that was left behind hears that the address is in
// use.
function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Somebody else did, or it is not a file.
  }
}

/** Milliseconds before a listener that failed is asked again. */
const ACCEPT_PAUSE = 100;

/**
 * What `accept` says of a peer that reset the connection before it was taken, which is no failure
 * of the listener.
 */
const GONE: readonly string[] = ["NotConnected", "ConnectionReset", "ConnectionAborted"];

// What fails is one connection, which was gone too early, or the system for a while, when it has no
// descriptors left. A listener that is not asked again would be a server that is down.
async function acceptAll(
  listener: DenoListener,
  open: (conn: DenoConn) => void,
  report: (error: unknown) => void,
  stopped: () => boolean,
): Promise<void> {
  for (let failing = false;;) {
    try {
      open(await listener.accept());
      failing = false;
    } catch (error) {
      if (stopped()) return;
      if (GONE.includes((error as Error).name)) continue;
      if (!failing) report(error);
      failing = true;
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE));
    }
  }
}

/** Deno. */
export const runtime: Runtime = {
  name: "Deno",
  chunks: "lent",
  clock: new Clock(),
  deflate: deflateCodec,
  listen,
  dial,
  checkSecure,
  secure,
  env: (name) => Deno.env.get(name),
};
