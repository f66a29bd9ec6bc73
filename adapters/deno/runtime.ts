// Deno as the host's Runtime: `Deno.listen`, `Deno.listenTls`, and the loop that accepts. dial.ts
// is the client's part, transport.ts the transport of both. Chunks are lent: all reads of a
// connection share a buffer.

import { AsyncLocalStorage } from "node:async_hooks";
import { deflateCodec } from "../deflate.ts";
import { Clock } from "../host/clock.ts";
import { refuseOptions } from "../host/options.ts";
import { serverProtocols } from "../host/tls.ts";
import type { Context, Listener, ListenOptions, Runtime, Transport } from "../host/transport.ts";
import { checkSecure, dial, secure } from "./dial.ts";
import { addressOf, Deno, type DenoConn, type DenoListener, DenoTransport } from "./transport.ts";

/** Options that `Deno.listenTls` lacks. */
const NO_SERVER_TLS = ["passphrase", "ca", "requestCert", "rejectUnauthorized"] as const;

function listen(
  options: ListenOptions,
  accept: (transport: Transport) => void,
  report: (error: unknown) => void,
): Listener {
  refuseUnsupported(options);
  const { path, tls } = options;
  const listener = listenAt(options);
  let stopped = false;
  const open = (conn: DenoConn): void => accept(new DenoTransport(conn, tls !== undefined));
  const accepting = acceptAll(listener, open, report, () => stopped);
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    listener.close();
    // The pending accept releases the socket's file, and may remove it. Wait for that, because the
    // path may be in use again soon.
    await accepting;
    if (path !== undefined) removeSocket(path);
  };
  return { address: addressOf(listener.addr), stop };
}

function refuseUnsupported({ path, fd, reusePort, tls }: ListenOptions): void {
  refuseOptions("Deno", "options", { fd }, ["fd"]);
  if (tls !== undefined) refuseOptions("Deno", "tls", tls, NO_SERVER_TLS);
  if (path !== undefined) refuseOptions("Deno", "options", { tls }, ["tls"], " on a unix socket");
  if (reusePort !== true) return;
  const names = ["reusePort"];
  // Elsewhere Deno ignores it. Without the flag it ends the process.
  if (Deno.build.os !== "linux") {
    refuseOptions("Deno", "options", { reusePort }, names, ` on ${Deno.build.os}`);
  }
  if (Deno.listenDatagram === undefined) {
    refuseOptions("Deno", "options", { reusePort }, names, " without --unstable-net");
  }
}

function listenAt(options: ListenOptions): DenoListener {
  const { port = 0, hostname = "0.0.0.0", path, reusePort = false, mode, tls } = options;
  const reuse = reusePort && { reusePort };
  if (tls !== undefined) {
    const { cert, key } = tls;
    const alpnProtocols = serverProtocols(tls);
    return Deno.listenTls({ port, hostname, ...reuse, cert, key, alpnProtocols });
  }
  if (path === undefined) return Deno.listen({ port, hostname, ...reuse });
  const listener = Deno.listen({ path, transport: "unix" });
  try {
    if (mode !== undefined) Deno.chmodSync(path, mode);
  } catch (error) {
    listener.close();
    removeSocket(path);
    throw error;
  }
  return listener;
}

// If the file stayed, the next listener on its path would fail: the address is in use.
function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It is gone already, or it is not a file.
  }
}

/** Milliseconds before a listener that failed is asked again. */
const ACCEPT_PAUSE = 100;

/** Errors of `accept` for a peer that reset the connection early: the listener has not failed. */
const GONE: readonly string[] = ["NotConnected", "ConnectionReset", "ConnectionAborted"];

// An error concerns one connection that was reset early, or a system that is out of descriptors for
// a while. Go on in both cases: otherwise the server would be down.
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
  captureContext: () => AsyncLocalStorage.snapshot() as Context,
  env: (name) => Deno.env.get(name),
};
