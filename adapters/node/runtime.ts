// Node as the host sees it: `net`, `tls` and a native SHA-1.

import { hash } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import type { Server as NetServer, Socket as NetSocket } from "node:net";
import process from "node:process";
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from "node:tls";
import { deflateCodec } from "../deflate.ts";
import { Clock } from "../host/clock.ts";
import type { Address, Listener, ListenOptions, Runtime, Transport } from "../host/transport.ts";
import { dial, secure } from "./dial.ts";
import { NodeTransport } from "./transport.ts";

function listenerAddress(server: NetServer): Address {
  const address = server.address() as AddressInfo | string;
  return typeof address === "string"
    ? { path: address }
    : { hostname: address.address, port: address.port };
}

function listen(
  options: ListenOptions,
  accept: (transport: Transport) => void,
  report: (error: unknown) => void,
): Promise<Listener> {
  const { port = 0, hostname = "0.0.0.0", path, tls } = options;
  const common = { allowHalfOpen: true, noDelay: true };
  const open = (socket: NetSocket): void => accept(new NodeTransport(socket));
  const server = tls === undefined
    ? createServer(common, open)
    : createTls({ ...common, ...tlsServerOptions(tls) }, open);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path === undefined ? { port, host: hostname } : { path }, () => {
      server.off("error", reject).on("error", report);
      resolve({ address: listenerAddress(server), stop: () => void server.close() });
    });
  });
}

// Who has not shaken hands yet is not waited for when the server closes: such a socket does not
// keep the process alive.
function createTls(options: TlsOptions, open: (socket: NetSocket) => void): NetServer {
  const server = createTlsServer(options, (socket) => open(socket.ref()));
  return server.prependListener("connection", (socket: NetSocket) => socket.unref()).on(
    "tlsClientError",
    drop,
  );
}

// Of a handshake that failed, or took too long, Node only tells: unless it is closed here, its
// socket stays.
function drop(_error: Error, socket: TLSSocket): void {
  socket.destroy();
}

/** A TLS handshake has as much time as one of WebSocket. */
const TLS_HANDSHAKE_TIMEOUT = 10_000;

function tlsServerOptions(
  { alpnProtocols, ca, ...tls }: NonNullable<ListenOptions["tls"]>,
): TlsOptions {
  return {
    ...tls as TlsOptions,
    ...ca !== undefined && { ca: ca as string | string[] },
    ...alpnProtocols !== undefined && { ALPNProtocols: [...alpnProtocols] },
    handshakeTimeout: TLS_HANDSHAKE_TIMEOUT,
  };
}

/** Node. */
export const runtime: Runtime = {
  name: "Node",
  clock: new Clock(),
  deflate: deflateCodec,
  sha1: (text) => hash("sha1", text, "base64"),
  listen,
  dial,
  checkSecure() {},
  secure,
  env: (name) => process.env[name],
};
