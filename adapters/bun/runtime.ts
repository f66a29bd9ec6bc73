// Bun as the host's Runtime: `Bun.listen` and a native SHA-1. dial.ts is the client's part,
// transport.ts the transport of both. It never calls `report`. A TLS handshake counts into the
// time limit of the opening handshake.

import { AsyncLocalStorage } from "node:async_hooks";
import { chmodSync } from "node:fs";
import process from "node:process";
import { deflateCodec } from "../deflate.ts";
import { Clock } from "../host/clock.ts";
import { refuseOptions } from "../host/options.ts";
import type { Context, Listener, ListenOptions, Runtime } from "../host/transport.ts";
import type { TlsServerOptions, Transport } from "../host/transport.ts";
import { checkSecure, dial, secure } from "./dial.ts";
import { isAccepted, serverOptions, type TlsError } from "./tls.ts";
import { Bun, type BunListener, type BunSocket, BunTransport, handlers } from "./transport.ts";

function listen(
  { port = 0, hostname = "0.0.0.0", path, fd, reusePort = false, mode, tls }: ListenOptions,
  accept: (transport: Transport) => void,
): Listener {
  refuseOptions("Bun", "options", { fd }, ["fd"]);
  if (reusePort && process.platform === "win32") {
    refuseOptions("Bun", "options", { reusePort }, ["reusePort"], " on Windows");
  }
  const unix = path !== undefined;
  const open = (socket: BunSocket): void =>
    accept(new BunTransport(socket, tls !== undefined, unix));
  const listener = Bun.listen({
    ...unix ? { unix: path } : { hostname, port, ...reusePort && { reusePort } },
    ...tls !== undefined && { tls: serverOptions(tls) },
    allowHalfOpen: true,
    socket: { ...handlers, open, ...tls !== undefined && serverTlsHandlers(tls) },
  });
  if (unix && mode !== undefined) changeMode(listener, path, mode);
  const address = unix ? { path } : { hostname: listener.hostname, port: listener.port };
  return { address, stop: () => listener.stop() };
}

function changeMode(listener: BunListener, path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    listener.stop();
    throw error;
  }
}

// With a `handshake` handler Bun opens a socket before the TLS handshake, so that the peer's time,
// and its place among the connections, count from then on. The handler must refuse the peer itself.
function serverTlsHandlers({ rejectUnauthorized = true }: TlsServerOptions): object {
  const handshake = (socket: BunSocket, authorized: boolean, error: TlsError | null): void => {
    if (!isAccepted(authorized, error, rejectUnauthorized)) socket.terminate();
  };
  return { handshake };
}

/** Bun. */
export const runtime: Runtime = {
  name: "Bun",
  clock: new Clock(),
  deflate: deflateCodec,
  sha1: (text) => Bun.CryptoHasher.hash("sha1", text, "base64"),
  listen,
  dial,
  checkSecure,
  secure,
  captureContext: () => AsyncLocalStorage.snapshot() as Context,
  env: (name) => process.env[name],
};
