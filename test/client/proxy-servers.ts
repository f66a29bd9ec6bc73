// Small proxies in this process, to be asked for a way by tests: HTTP's CONNECT, over TLS if need
// be, and SOCKS.

import { type AddressInfo, connect, createServer, type Socket as NetSocket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { onTestFinished } from "vitest";
import type { Identity } from "../contract/certificates.ts";

/** A proxy, and what it was asked for. */
export interface ProxyServer {
  readonly port: number;
  /**
   * Heads of CONNECT requests; or targets of SOCKS requests, with the user name and password in
   * front.
   */
  readonly asked: readonly string[];
  /** Connections that are open to it. */
  readonly open: ReadonlySet<NetSocket>;
}

/** What a proxy does with a connection; it has a way to the target by `tunnel`. */
type Serve = (client: NetSocket, asked: string[]) => void;

function start(serve: Serve, tls?: Identity): Promise<ProxyServer> {
  const asked: string[] = [];
  const open = new Set<NetSocket>();
  const accept = (client: NetSocket): void => {
    open.add(client);
    client.on("error", () => {}).on("close", () => open.delete(client));
    serve(client, asked);
  };
  const server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
  onTestFinished(() => {
    for (const client of open) client.destroy();
    server.close();
  });
  return new Promise((resolve) => {
    server.listen(
      0,
      "127.0.0.1",
      () => resolve({ port: (server.address() as AddressInfo).port, asked, open }),
    );
  });
}

/** Connects both ends; `greeting` tells the client so. */
function tunnel(client: NetSocket, port: number, greeting: Uint8Array | string): void {
  const target = connect(port, "127.0.0.1", () => {
    client.write(greeting);
    client.pipe(target).pipe(client);
  });
  target.on("error", () => client.destroy());
  client.on("close", () => target.destroy());
  onTestFinished(() => void target.destroy());
}

/**
 * Calls back with what has come, each time that more of it does, until it says that this is enough.
 */
function gather(client: NetSocket, enough: (bytes: Buffer) => boolean): void {
  let bytes: Buffer = Buffer.alloc(0);
  const take = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    if (enough(bytes)) client.off("data", take);
  };
  client.on("data", take);
}

/**
 * An HTTP proxy: every name leads to 127.0.0.1. `answer` is what it says instead of opening a
 * tunnel.
 */
export function startHttpProxy(
  options: { answer?: string; credentials?: string; tls?: Identity; } = {},
): Promise<ProxyServer> {
  const { answer, credentials, tls } = options;
  return start((client, asked) => {
    gather(client, (bytes) => {
      const head = bytes.toString("latin1");
      if (!head.includes("\r\n\r\n")) return false;
      asked.push(head);
      if (answer !== undefined) client.end(answer);
      else if (!isAuthorized(head, credentials)) {
        client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      } else tunnel(client, portIn(head), "HTTP/1.1 200 Connection established\r\n\r\n");
      return true;
    });
  }, tls);
}

function isAuthorized(head: string, credentials: string | undefined): boolean {
  if (credentials === undefined) return true;
  return head.includes(
    `\r\nProxy-Authorization: Basic ${Buffer.from(credentials).toString("base64")}\r\n`,
  );
}

function portIn(head: string): number {
  return Number(/^CONNECT \S+:(\d+) /.exec(head)?.[1]);
}

/** A SOCKS proxy: every name leads to 127.0.0.1. */
export function startSocksProxy(options: { credentials?: string; } = {}): Promise<ProxyServer> {
  const { credentials } = options;
  return start((client, asked) => {
    const method = credentials === undefined ? 0 : 2;
    gather(client, (bytes) => {
      if (bytes.length < 2 + (bytes[1] ?? 0)) return false;
      client.write(Uint8Array.of(5, bytes.subarray(2).includes(method) ? method : 0xff));
      if (credentials === undefined) takeRequest(client, "", asked);
      else takeLogin(client, credentials, asked);
      return true;
    });
  });
}

function takeLogin(client: NetSocket, credentials: string, asked: string[]): void {
  gather(client, (bytes) => {
    const userSize = bytes[1] ?? 0;
    const passwordSize = bytes[2 + userSize] ?? Infinity;
    if (bytes.length < 3 + userSize + passwordSize) return false;
    const given = `${bytes.subarray(2, 2 + userSize)}:${bytes.subarray(3 + userSize)}`;
    client.write(Uint8Array.of(1, given === credentials ? 0 : 1));
    if (given === credentials) takeRequest(client, `${given} `, asked);
    return true;
  });
}

const SUCCEEDED = Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);

function takeRequest(client: NetSocket, user: string, asked: string[]): void {
  gather(client, (bytes) => {
    const size = bytes[3] === 1 ? 10 : bytes[3] === 4 ? 22 : 7 + (bytes[4] ?? Infinity);
    if (bytes.length < size) return false;
    const port = bytes.readUInt16BE(size - 2);
    const address = bytes[3] === 3
      ? bytes.subarray(5, size - 2).toString()
      : [...bytes.subarray(4, size - 2)].join(".");
    asked.push(`${user}${address}:${port}`);
    tunnel(client, port, SUCCEEDED);
    return true;
  });
}
