// Bun as the host sees it: `Bun.listen`, `Bun.connect` and a native SHA-1.

import process from "node:process";
import { deflateCodec } from "../deflate.ts";
import { Clock } from "../host/clock.ts";
import type { Listener, ListenOptions, Runtime } from "../host/transport.ts";
import type { TlsServerOptions, Transport } from "../host/transport.ts";
import { checkSecure, dial, secure } from "./dial.ts";
import { isAccepted, type TlsError, tlsOptions } from "./tls.ts";
import { Bun, type BunSocket, BunTransport, handlers } from "./transport.ts";

function listen(
  { port = 0, hostname = "0.0.0.0", path, tls }: ListenOptions,
  accept: (transport: Transport) => void,
): Listener {
  const unix = path !== undefined;
  const open = (socket: BunSocket): void =>
    accept(new BunTransport(socket, tls !== undefined, unix));
  const listener = Bun.listen({
    ...unix ? { unix: path } : { hostname, port },
    ...tls !== undefined && { tls: tlsOptions(tls) },
    allowHalfOpen: true,
    socket: { ...handlers, open, ...tls !== undefined && serverTlsHandlers(tls) },
  });
  const address = unix ? { path } : { hostname: listener.hostname, port: listener.port };
  return { address, stop: () => listener.stop() };
}

// With a handler for the handshake Bun opens a socket before it, so that the peer's time, and its
// place among the connections, count from then on; and leaves it to us whom to refuse.
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
  env: (name) => process.env[name],
};
