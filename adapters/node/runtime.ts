// Node as the host's Runtime: `net` and `tls` servers, and a native SHA-1. dial.ts is the client's
// part, transport.ts the transport of both. attach.ts takes sockets of an HTTP server instead of
// these.

import { AsyncLocalStorage } from "node:async_hooks";
import { hash } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import type { Server as NetServer, Socket as NetSocket } from "node:net";
import process from "node:process";
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from "node:tls";
import { deflateCodec } from "../deflate.ts";
import { Clock } from "../host/clock.ts";
import type {
  Address,
  Context,
  Listener,
  ListenOptions,
  Runtime,
  Transport,
} from "../host/transport.ts";
import { dial, secure } from "./dial.ts";
import { NodeTransport } from "./transport.ts";

/** Milliseconds for a TLS handshake, as for one of WebSocket. */
const TLS_HANDSHAKE_TIMEOUT = 10_000;

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

function listenerAddress(server: NetServer): Address {
  const address = server.address() as AddressInfo | string;
  if (typeof address === "string") return { path: address };
  return { hostname: address.address, port: address.port };
}

// Before the handshake a socket does not keep the process alive, so a server that closes does not
// wait for it. After a handshake that failed or timed out, Node leaves the socket open: drop it.
function createTls(options: TlsOptions, open: (socket: NetSocket) => void): NetServer {
  const server = createTlsServer(options, (socket) => open(socket.ref()));
  server.prependListener("connection", (socket: NetSocket) => socket.unref());
  return server.on("tlsClientError", (_error: Error, socket: TLSSocket) => socket.destroy());
}

function tlsServerOptions(options: NonNullable<ListenOptions["tls"]>): TlsOptions {
  const { alpnProtocols, ca, ...tls } = options;
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
  captureContext: () => AsyncLocalStorage.snapshot() as Context,
  env: (name) => process.env[name],
};
