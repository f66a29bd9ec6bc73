// How a client on Node reaches a server: `net.connect`, and `tls.connect` on top of it, or on top
// of another socket, such as a proxy's. The step of TLS makes its own ConnectError; the host makes
// that of the rest.

import { connect as netConnect } from "node:net";
import type { NetConnectOpts, Socket as NetSocket } from "node:net";
import { connect as tlsConnect, type ConnectionOptions } from "node:tls";
import { step } from "../host/client/error.ts";
import { clientProtocols, serverNameOf } from "../host/tls.ts";
import type { DialOptions, TlsClientOptions, Transport } from "../host/transport.ts";
import { NodeTransport } from "./transport.ts";

// Node sends `servername`, and checks the certificate for `host` where that is empty.
function tlsClientOptions(hostname: string, options: TlsClientOptions): ConnectionOptions {
  const { alpnProtocols: _, serverName: __, ...tls } = options;
  const { name, sent } = serverNameOf(hostname, options);
  const ALPNProtocols = clientProtocols(options);
  return { ...tls as ConnectionOptions, host: name, servername: sent, ALPNProtocols };
}

/** See `Runtime.dial`. */
export async function dial({ hostname, port, path, tls, signal }: DialOptions): Promise<Transport> {
  if (tls !== undefined) checkSecure(tls);
  const target = path === undefined ? { host: hostname, port } : { path };
  const socket = netConnect({ ...target, allowHalfOpen: true, noDelay: true } as NetConnectOpts);
  const transport = await connected(socket, "connect", signal);
  if (tls === undefined) return transport;
  const message = `no TLS with ${hostname}`;
  return step("tls", message, signal, () => secure(transport, hostname, tls, signal));
}

/** See `Runtime.checkSecure`. */
export function checkSecure(options: TlsClientOptions): void {
  tlsClientOptions("", options);
}

/** See `Runtime.secure`. */
export async function secure(
  transport: Transport,
  hostname: string,
  options: TlsClientOptions,
  signal?: AbortSignal,
): Promise<Transport> {
  const socket = (transport as NodeTransport).release();
  try {
    const secured = tlsConnect({ socket, ...tlsClientOptions(hostname, options) });
    return await connected(secured, "secureConnect", signal);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The transport after the event. On failure or an aborted signal the socket is dropped. */
function connected(socket: NetSocket, event: string, signal?: AbortSignal): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const settle = (): void => signal?.removeEventListener("abort", abort);
    const fail = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(signal!.reason);
    signal?.addEventListener("abort", abort);
    socket.once("error", fail).once(event, () => {
      settle();
      socket.off("error", fail);
      resolve(new NodeTransport(socket));
    });
    if (signal?.aborted) abort();
  });
}
