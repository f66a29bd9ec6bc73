// Node as the host's Runtime: `net` and `tls` servers, and a native SHA-1. dial.ts is the client's
// part, transport.ts the transport of both. attach.ts takes sockets of an HTTP server instead of
// these.

import { AsyncLocalStorage } from "node:async_hooks";
import { hash } from "node:crypto";
import { chmodSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import type { Server as NetServer, Socket as NetSocket } from "node:net";
import process from "node:process";
import { createServer as createTlsServer } from "node:tls";
import type { Server as TlsServer, TlsOptions, TLSSocket } from "node:tls";
import { deflateCodec } from "../deflate.ts";
import { Clock } from "../host/clock.ts";
import { refuseOptions } from "../host/options.ts";
import { checkAsked, serverProtocols } from "../host/tls.ts";
import type {
  Address,
  Certificate,
  Context,
  Listener,
  ListenOptions,
  Runtime,
  Transport,
} from "../host/transport.ts";
import { checkSecure, dial, secure } from "./dial.ts";
import { NodeTransport } from "./transport.ts";

/** Milliseconds for a TLS handshake, as for one of WebSocket. */
const TLS_HANDSHAKE_TIMEOUT = 10_000;

async function listen(
  options: ListenOptions,
  accept: (transport: Transport) => void,
  report: (error: unknown) => void,
): Promise<Listener> {
  const { tls } = options;
  const place = placeOf(options);
  const common = { allowHalfOpen: true, noDelay: true };
  const open = (socket: NetSocket): void => accept(new NodeTransport(socket));
  const server = tls === undefined
    ? createServer(common, open)
    : createTls({ ...common, ...tlsServerOptions(tls) }, open);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(place, resolve);
    });
    return listening(server.removeAllListeners("error").on("error", report), options);
  } catch (error) {
    server.close();
    throw error;
  }
}

function placeOf({ port = 0, hostname = "0.0.0.0", path, fd, reusePort }: ListenOptions): object {
  if (path !== undefined) return { path };
  if (fd !== undefined) return { fd };
  if (reusePort === true && !canReusePort()) {
    refuseOptions("Node", "options", { reusePort }, ["reusePort"], ` in ${process.version}`);
  }
  return { port, host: hostname, ...reusePort === true && { reusePort } };
}

/** Node has it from 22.12 on, and from 23.1 on; before that it ignores the option. */
function canReusePort(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}

function listening(server: NetServer, { path, mode, tls }: ListenOptions): Listener {
  if (path !== undefined && mode !== undefined) chmodSync(path, mode);
  return {
    address: listenerAddress(server),
    stop: () => void server.close(),
    ...tls !== undefined && {
      replaceCertificate(certificate: Certificate): void {
        const options = { ...tls, passphrase: undefined, ...certificate };
        (server as TlsServer).setSecureContext(tlsServerOptions(options));
      },
    },
  };
}

function listenerAddress(server: NetServer): Address {
  // null for a unix socket that was inherited.
  const address = server.address() as AddressInfo | string | null;
  if (typeof address === "string" || address === null) return { path: address ?? "" };
  return { hostname: address.address, port: address.port };
}

// Before the handshake a socket does not keep the process alive, so a server that closes does not
// wait for it. After a handshake that failed or timed out, Node leaves the socket open: drop it.
function createTls(options: TlsOptions, open: (socket: NetSocket) => void): NetServer {
  // With half-open sockets Node ignores a peer that leaves during the handshake.
  const server = createTlsServer({ ...options, allowHalfOpen: false }, (socket) => {
    socket.allowHalfOpen = true;
    open(socket.ref());
  });
  server.prependListener("connection", (socket: NetSocket) => socket.unref());
  return server.on("tlsClientError", (_error: Error, socket: TLSSocket) => socket.destroy());
}

function tlsServerOptions(options: NonNullable<ListenOptions["tls"]>): TlsOptions {
  checkAsked(options);
  const { alpnProtocols: _, ...tls } = options;
  const ALPNProtocols = serverProtocols(options);
  return {
    ...tls as TlsOptions,
    ...ALPNProtocols !== undefined && { ALPNProtocols },
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
  checkSecure,
  secure,
  captureContext: () => AsyncLocalStorage.snapshot() as Context,
  env: (name) => process.env[name],
};
