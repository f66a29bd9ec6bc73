// How a client on Node reaches a server: `net.connect`, and `tls.connect` on top of it, or on top
// of another socket, such as a proxy's. The step of TLS makes its own ConnectError; the host makes
// that of the rest.

import { connect as netConnect, isIP } from "node:net";
import type { NetConnectOpts, Socket as NetSocket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { step } from "../host/client/error.ts";
import type { DialOptions, TlsClientOptions, Transport } from "../host/transport.ts";
import { NodeTransport } from "./transport.ts";

function tlsClientOptions(hostname: string, options: TlsClientOptions): object {
  const { alpnProtocols = ["http/1.1"], serverName, ...tls } = options;
  const servername = serverName ?? (isIP(hostname) === 0 ? hostname : undefined);
  // Without `host` the certificate of an IP address would be checked for "localhost".
  return {
    ...tls,
    host: hostname,
    ALPNProtocols: [...alpnProtocols],
    ...servername !== undefined && { servername },
  };
}

/** See `Runtime.dial`. */
export async function dial({ hostname, port, path, tls, signal }: DialOptions): Promise<Transport> {
  const target = path === undefined ? { host: hostname, port } : { path };
  const socket = netConnect({ ...target, allowHalfOpen: true, noDelay: true } as NetConnectOpts);
  const transport = await connected(socket, "connect", signal);
  if (tls === undefined) return transport;
  const message = `no TLS with ${hostname}`;
  return step("tls", message, signal, () => secure(transport, hostname, tls, signal));
}

/** See `Runtime.secure`. */
export function secure(
  transport: Transport,
  hostname: string,
  options: TlsClientOptions,
  signal?: AbortSignal,
): Promise<Transport> {
  const socket = (transport as NodeTransport).release();
  const secured = tlsConnect({ socket, ...tlsClientOptions(hostname, options) });
  return connected(secured, "secureConnect", signal);
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
