/**
 * sansws on Deno: `Deno.listen`, `Deno.listenTls`, `Deno.connect` and `Deno.connectTls`.
 *
 * @module
 */

import { deflateCodec } from "./deflate.ts";
import { ipAddress } from "./host/address.ts";
import { connect as connectOn, type ConnectOptions } from "./host/client.ts";
import { Clock } from "./host/clock.ts";
import { Outbox } from "./host/outbox.ts";
import { ReadBuffer } from "./host/read-buffer.ts";
import { refuseOptions } from "./host/refuse.ts";
import { serve as serveOn, type ServeOptions, type Server } from "./host/server.ts";
import type { Socket } from "./host/socket.ts";
import type {
  Address,
  DialOptions,
  Listener,
  ListenOptions,
  Pem,
  Runtime,
  TlsClientOptions,
  Transport,
  TransportEvents,
} from "./host/transport.ts";
import { HIGH_WATER_MARK } from "./host/transport.ts";

// --- Runtime types ---

// What this file asks of Deno, so that it type-checks everywhere.
interface DenoConn {
  readonly remoteAddr: DenoAddr;
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
  setNoDelay?(noDelay: boolean): void;
  handshake?(): Promise<unknown>;
}

interface DenoAddr {
  readonly transport: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: string;
}

interface DenoListener {
  readonly addr: DenoAddr;
  accept(): Promise<DenoConn>;
  close(): void;
}

interface DenoApi {
  listen(options: object): DenoListener;
  listenTls(options: object): DenoListener;
  connect(options: object): Promise<DenoConn>;
  connectTls(options: object): Promise<DenoConn>;
  startTls(conn: DenoConn, options: object): Promise<DenoConn>;
  removeSync(path: string): void;
}

const { Deno } = globalThis as unknown as { Deno: DenoApi; };

// --- Transport ---

class DenoTransport implements Transport {
  readonly conn: DenoConn;
  readonly secure: boolean;
  #events: TransportEvents | undefined;

  // Reading
  #paused = false;
  #reading = false;
  #inputEnded = false;
  #buffer: ReadBuffer | undefined;

  // Writing
  readonly #outbox = new Outbox();
  #writing = false;
  #blocked = false;
  #ending = false;
  #outputEnded = false;
  #closed = false;

  constructor(conn: DenoConn, secure: boolean) {
    this.conn = conn;
    this.secure = secure;
    // A TLS connection has no such method, and a unix one no such delay.
    if (conn.remoteAddr.transport === "tcp") conn.setNoDelay?.(true);
  }

  get peer(): Address {
    return addressOf(this.conn.remoteAddr);
  }

  get bufferedAmount(): number {
    return this.#outbox.size;
  }

  attach(events: TransportEvents): void {
    const first = this.#events === undefined;
    this.#events = events;
    if (first) this.resume();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#closed) return true;
    this.#outbox.push(chunks);
    if (!this.#writing) this.#write().catch((error: Error) => this.#close(error));
    this.#blocked = this.#outbox.size >= HIGH_WATER_MARK;
    return !this.#blocked;
  }

  end(): void {
    this.#ending = true;
    if (!this.#writing) this.#write().catch((error: Error) => this.#close(error));
  }

  abort(): void {
    this.#close();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (!this.#reading && !this.#inputEnded) this.#read().catch((error: Error) => this.#close(error));
  }

  // One read at a time. What it reads belongs to whoever hears of it, so the buffer goes on behind it.
  async #read(): Promise<void> {
    this.#reading = true;
    this.#buffer ??= new ReadBuffer();
    while (!this.#paused && !this.#closed) {
      const count = await this.conn.read(this.#buffer.free);
      if (this.#closed) return;
      if (count === null) return this.#endInput();
      this.#events!.received(this.#buffer.take(count));
    }
    this.#reading = false;
  }

  #endInput(): void {
    this.#inputEnded = true;
    this.#events!.ended();
    if (this.#outputEnded) this.#close();
  }

  // One write at a time: two at once may interleave. Each may take only a part.
  async #write(): Promise<void> {
    const outbox = this.#outbox;
    this.#writing = true;
    while (outbox.size > 0 && !this.#closed) {
      const count = await this.conn.write(outbox.next());
      if (!this.#closed) outbox.wrote(count);
    }
    this.#writing = false;
    if (this.#closed) return;
    if (this.#blocked) {
      this.#blocked = false;
      this.#events!.drained();
    }
    if (this.#ending && outbox.size === 0 && !this.#outputEnded) await this.#endOutput();
  }

  async #endOutput(): Promise<void> {
    this.#outputEnded = true;
    await this.conn.closeWrite();
    if (this.#inputEnded) this.#close();
  }

  // Closing with a read or a write under way makes that fail, which ends up here again.
  #close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outbox.clear();
    try {
      this.conn.close();
    } catch {
      // The runtime has closed it already.
    }
    queueMicrotask(() => this.#events?.closed(error));
  }
}

function addressOf({ hostname, port, path }: DenoAddr): Address {
  return hostname === undefined || port === undefined ? { path: path ?? "" } : ipAddress(hostname, port);
}

/** What `Deno.listenTls` has no option for. */
const NO_SERVER_TLS = ["passphrase", "ca", "requestCert", "rejectUnauthorized"] as const;

/** What `Deno.connectTls` has no option for. */
const NO_CLIENT_TLS = ["passphrase", "serverName", "rejectUnauthorized"] as const;

function listen(
  { port = 0, hostname = "0.0.0.0", path, tls }: ListenOptions,
  accept: (transport: Transport) => void,
  report: (error: unknown) => void,
): Listener {
  if (tls !== undefined) refuseOptions("Deno", "tls", tls, NO_SERVER_TLS);
  if (tls !== undefined && path !== undefined) refuseOptions("Deno", "options", { tls }, ["tls"], " on a unix socket");
  const address = path === undefined ? { port, hostname } : { path, transport: "unix" };
  const listener = tls === undefined
    ? Deno.listen(address)
    : Deno.listenTls({ ...address, cert: tls.cert, key: tls.key, ...alpn(tls.alpnProtocols) });
  let stopped = false;
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    listener.close();
    if (path !== undefined) removeSocket(path);
  };
  acceptAll(listener, tls !== undefined, accept).catch((error: unknown) => {
    if (!stopped) report(error);
  });
  return { address: addressOf(listener.addr), stop };
}

// Whoever listens again on the path of a socket that was left behind hears that the address is in use.
function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Somebody else did, or it is not a file.
  }
}

async function acceptAll(listener: DenoListener, tls: boolean, accept: (transport: Transport) => void): Promise<void> {
  for (;;) accept(new DenoTransport(await listener.accept(), tls));
}

function alpn(protocols: readonly string[] | undefined): object {
  return protocols === undefined ? {} : { alpnProtocols: [...protocols] };
}

function clientTls(options: TlsClientOptions): object {
  refuseOptions("Deno", "tls", options, NO_CLIENT_TLS);
  const { ca, cert, key, alpnProtocols = ["http/1.1"] } = options;
  return {
    ...ca !== undefined && { caCerts: list(ca) },
    ...cert !== undefined && { cert, key },
    ...alpn(alpnProtocols),
  };
}

function list(pem: Pem): string[] {
  return typeof pem === "string" ? [pem] : [...pem];
}

async function dial({ hostname, port, path, tls, signal }: DialOptions): Promise<Transport> {
  const address = path === undefined ? { hostname, port } : { path, transport: "unix" };
  if (tls === undefined) return new DenoTransport(await abortable(Deno.connect({ ...address, signal }), signal), false);
  if (path !== undefined) refuseOptions("Deno", "options", { tls }, ["tls"], " on a unix socket");
  const conn = await abortable(Deno.connectTls({ ...address, ...clientTls(tls) }), signal);
  await handshaken(conn, signal);
  return new DenoTransport(conn, true);
}

// What `connectTls` gives may not have shaken hands yet; whoever waits for a connection wants to hear of a bad certificate.
async function handshaken(conn: DenoConn, signal: AbortSignal | undefined): Promise<void> {
  try {
    await abortable(conn.handshake?.() ?? Promise.resolve(), signal);
  } catch (error) {
    conn.close();
    throw error;
  }
}

async function secure(transport: Transport, hostname: string, options: TlsClientOptions): Promise<Transport> {
  const { cert } = options;
  if (cert !== undefined) refuseOptions("Deno", "tls", options, ["cert", "key"], " over a proxy");
  const conn = await Deno.startTls((transport as DenoTransport).conn, { hostname, ...clientTls(options) });
  await handshaken(conn, undefined);
  return new DenoTransport(conn, true);
}

/** The promise, or the signal's reason as soon as it is aborted; a connection that comes too late is closed. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason);
      promise.then((late) => (late as Partial<DenoConn> | undefined)?.close?.(), () => {});
    };
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

// --- Entry points ---

const runtime: Runtime = { name: "Deno", clock: new Clock(), deflate: deflateCodec, listen, dial, secure };

/** Starts a server; see `serve` of the package root. */
export function serve<Data = unknown>(options: ServeOptions<Data>): Promise<Server<Data>> {
  return serveOn(runtime, options);
}

/** Connects to a server; see `connect` of the package root. */
export function connect<Data = unknown>(url: string | URL, options?: ConnectOptions<Data>): Promise<Socket<Data>> {
  return connectOn(runtime, url, options);
}

export * from "./host/mod.ts";
