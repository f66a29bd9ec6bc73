// What tls-wire.node.test.ts looks at: a ClientHello, read by hand, and the certificates and
// protocols that a `node:tls` peer sees.

import { type AddressInfo, connect as netConnect, createServer } from "node:net";
import type { ListenOptions, NetConnectOpts, Server, Socket } from "node:net";
import { connect, createServer as createTlsServer } from "node:tls";
import type { ConnectionOptions, TlsOptions, TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";
import type { Program } from "../processes.ts";
import { acceptance, request } from "./raw.ts";
import type { Order, Result } from "./tls-agent.ts";

/** Sends orders to a program of tls-agent.ts. */
export async function order(program: Program, control: number, order: Order): Promise<Result> {
  const query = encodeURIComponent(JSON.stringify(order));
  const response = await fetch(`http://127.0.0.1:${control}/?${query}`);
  if (program.complaints !== "") throw new Error(program.complaints);
  return await response.json() as Result;
}

// --- A ClientHello ---

/** Of a ClientHello (RFC 8446 §4.1.2). An extension that is missing is `undefined`. */
export interface Hello {
  /** The names of `server_name` (RFC 6066 §3). */
  readonly names: readonly string[] | undefined;
  /** The names of `application_layer_protocol_negotiation` (RFC 7301 §3.1). */
  readonly protocols: readonly string[] | undefined;
  /** `supported_versions` (RFC 8446 §4.2.1), GREASE left out. */
  readonly versions: readonly number[] | undefined;
}

/** Reads vectors: a length, and so many bytes. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get more(): boolean {
    return this.#at < this.#bytes.length;
  }

  number(size: number): number {
    return this.take(size).reduce((value, byte) => value * 256 + byte, 0);
  }

  take(size: number): Uint8Array {
    if (this.#at + size > this.#bytes.length) throw new RangeError("the ClientHello is cut off");
    return this.#bytes.subarray(this.#at, this.#at += size);
  }

  vector(size: number): Reader {
    return new Reader(this.take(this.number(size)));
  }

  text(size: number): string {
    return new TextDecoder().decode(this.take(this.number(size)));
  }

  list<T>(read: (reader: Reader) => T): T[] {
    const items: T[] = [];
    while (this.more) items.push(read(this));
    return items;
  }
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;

/** Reads the ClientHello in the first record. */
export function readHello(record: Uint8Array): Hello {
  const reader = new Reader(record);
  if (reader.number(1) !== HANDSHAKE) throw new Error("not a handshake record");
  reader.take(2); // legacy_record_version
  const fragment = reader.vector(2);
  if (fragment.number(1) !== CLIENT_HELLO) throw new Error("not a ClientHello");
  const hello = fragment.vector(3);
  hello.take(2 + 32); // legacy_version, random
  hello.vector(1); // legacy_session_id
  hello.vector(2); // cipher_suites
  hello.vector(1); // legacy_compression_methods
  const extensions = new Map(
    hello.vector(2).list((each) => [each.number(2), each.vector(2)] as const),
  );
  const serverName = (each: Reader): string => {
    each.take(1); // name_type: host_name
    return each.text(2);
  };
  return {
    names: extensions.get(0)?.vector(2).list(serverName),
    protocols: extensions.get(16)?.vector(2).list((each) => each.text(1)),
    versions: extensions.get(43)?.vector(1).list((each) => each.number(2)).filter((version) =>
      (version & 0x0f0f) !== 0x0a0a
    ),
  };
}

// --- Servers ---

/** Listens on a free port, or a path, until the test is over. */
async function listen(server: Server, where: ListenOptions): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket.on("error", () => {})));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve, reject) => {
    const port = where.path === undefined ? { port: 0, host: "127.0.0.1" } : {};
    server.once("error", reject).listen({ ...port, ...where }, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** An HTTP proxy that leads to one place, whatever it is asked for; returns its URL. */
export async function listenAsProxy(host: string, to: NetConnectOpts): Promise<string> {
  const server = createServer((socket) => {
    socket.once("data", () => {
      const onward = netConnect(to).on("error", () => {}).once("close", () => socket.destroy());
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
  });
  return `http://${host}:${await listen(server, { host })}`;
}

/** A listener that reads one ClientHello, and hangs up. */
export async function listenForHello(
  host: string,
): Promise<{ readonly port: number; readonly hello: Promise<Hello>; }> {
  let settle!: (hello: Hello | Promise<Hello>) => void;
  const hello = new Promise<Hello>((resolve) => settle = resolve);
  const server = createServer((socket) => {
    socket.once("data", (chunk) => {
      socket.destroy();
      settle(Promise.resolve(chunk).then(readHello));
    });
  });
  return { port: await listen(server, { host }), hello };
}

/** What a server saw of the clients that got through TLS. */
export interface Seen {
  readonly port: number;
  /** The names in their certificates, the whole chain; empty without one. */
  readonly chains: readonly (readonly string[])[];
  readonly protocols: readonly TLSSocket["alpnProtocol"][];
}

/** A TLS server that asks for a certificate, takes any, and accepts every WebSocket. */
export async function listenForTls(options: TlsOptions, where: ListenOptions = {}): Promise<Seen> {
  const chains: string[][] = [];
  const protocols: TLSSocket["alpnProtocol"][] = [];
  const tls = { requestCert: true, rejectUnauthorized: false, ...options };
  const server = createTlsServer(tls, (socket) => {
    chains.push(chainOf(socket));
    protocols.push(socket.alpnProtocol);
    socket.on("error", () => {});
    socket.once("data", (head) => socket.write(acceptance(String(head))));
  });
  // A client that does not trust this server ends the handshake.
  server.on("tlsClientError", () => {});
  return { port: await listen(server, where), chains, protocols };
}

/** The names of the certificates that a peer sent. */
function chainOf(socket: TLSSocket): string[] {
  const names: string[] = [];
  let certificate = socket.getPeerCertificate(true);
  while (certificate?.subject !== undefined && !names.includes(certificate.subject.CN)) {
    names.push(certificate.subject.CN);
    certificate = certificate.issuerCertificate;
  }
  return names;
}

// --- A client ---

/** What a client sees of a server. */
export interface Sight {
  readonly chain: readonly string[];
  readonly protocol: string | false | null;
}

/** Opens a WebSocket by `node:tls`; the error's text when that fails. */
export function look(port: number, options: ConnectionOptions): Promise<Sight | string> {
  const where = { port, host: "127.0.0.1" };
  const socket = connect({ ...where, rejectUnauthorized: false, ...options });
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve) => {
    socket.once("secureConnect", () => socket.write(request()));
    socket.once("data", (head: Uint8Array) => {
      if (!String(head).startsWith("HTTP/1.1 101 ")) return resolve(String(head));
      return resolve({ chain: chainOf(socket), protocol: socket.alpnProtocol });
    });
    socket.on("error", ({ message }: Error) => resolve(message));
    socket.once("close", () => resolve("it hung up"));
  });
}
