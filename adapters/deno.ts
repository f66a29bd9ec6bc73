/**
 * sansws on Deno: `Deno.listen`, `Deno.listenTls`, `Deno.connect` and `Deno.connectTls`.
 *
 * @module
 */

import { UsageError } from "../core/mod.ts";
import { deflateCodec } from "./deflate.ts";
import { ipAddress } from "./host/address.ts";
import { connect as connectOn, type ConnectOptions } from "./host/client/client.ts";
import { step } from "./host/client/connect-error.ts";
import type { ReconnectOptions, ReconnectTarget } from "./host/client/reconnect-options.ts";
import { ReconnectingSocket, surroundings } from "./host/client/reconnecting.ts";
import { Clock } from "./host/clock.ts";
import { Outbox } from "./host/outbox.ts";
import { ReadBuffer } from "./host/read-buffer.ts";
import { refuseOptions } from "./host/refuse.ts";
import { serve as serveOn, type ServeOptions, type Server } from "./host/server/server.ts";
import type { Socket } from "./host/socket/socket.ts";
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
  readonly env: { get(name: string): string | undefined; };
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
  #error: Error | undefined;

  constructor(conn: DenoConn, secure: boolean) {
    this.conn = conn;
    this.secure = secure;
    setNoDelay(conn);
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
    if (this.#closed) this.#report();
    else if (first) this.resume();
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

  // One read at a time, all of them into the same memory.
  async #read(): Promise<void> {
    this.#reading = true;
    this.#buffer ??= new ReadBuffer();
    while (!this.#paused && !this.#closed) {
      const count = await this.conn.read(this.#buffer.bytes);
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
    this.#error = error;
    this.#outbox.clear();
    try {
      this.conn.close();
    } catch {
      // The runtime has closed it already.
    }
    this.#report();
  }

  #report(): void {
    queueMicrotask(() => this.#events?.closed(this.#error));
  }
}

function setNoDelay(conn: DenoConn): void {
  try {
    // A TLS connection has no such method, and a unix one no such delay.
    if (conn.remoteAddr.transport === "tcp") conn.setNoDelay?.(true);
  } catch {
    // The peer is gone already, as the next read will tell.
  }
}

function addressOf({ hostname, port, path }: DenoAddr): Address {
  return hostname === undefined || port === undefined ? { path: path ?? "" } : ipAddress(hostname, port);
}

/** What `Deno.listenTls` has no option for. */
const NO_SERVER_TLS = ["passphrase", "ca", "requestCert", "rejectUnauthorized"] as const;

/** What `Deno.connectTls` has no option for. */
const NO_CLIENT_TLS = ["passphrase", "rejectUnauthorized"] as const;

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
  const open = (conn: DenoConn): void => accept(new DenoTransport(conn, tls !== undefined));
  const accepting = acceptAll(listener, open, report, () => stopped);
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    listener.close();
    // The accept that is under way lets go of the socket's file, maybe by removing it: not after somebody has made it anew.
    await accepting;
    if (path !== undefined) removeSocket(path);
  };
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

/** Milliseconds before a listener that failed is asked again. */
const ACCEPT_PAUSE = 100;

/** What `accept` says of a peer that reset the connection before it was taken, which is no failure of the listener. */
const GONE: readonly string[] = ["NotConnected", "ConnectionReset", "ConnectionAborted"];

// What fails is one connection, which was gone too early, or the system for a while, when it has no descriptors left. A listener that
// is not asked again would be a server that is down.
async function acceptAll(
  listener: DenoListener,
  open: (conn: DenoConn) => void,
  report: (error: unknown) => void,
  stopped: () => boolean,
): Promise<void> {
  for (let failing = false;;) {
    try {
      open(await listener.accept());
      failing = false;
    } catch (error) {
      if (stopped()) return;
      if (GONE.includes((error as Error).name)) continue;
      if (!failing) report(error);
      failing = true;
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE));
    }
  }
}

function alpn(protocols: readonly string[] | undefined): object {
  return protocols === undefined ? {} : { alpnProtocols: [...protocols] };
}

function clientTls({ ca, cert, key, alpnProtocols = ["http/1.1"] }: TlsClientOptions): object {
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
  if (tls !== undefined) refuseOptions("Deno", "tls", tls, NO_CLIENT_TLS);
  if (tls !== undefined && path !== undefined) refuseOptions("Deno", "options", { tls }, ["tls"], " on a unix socket");
  if (tls?.cert !== undefined) return dialWithCertificate({ hostname, port, signal }, tls);
  const address = path === undefined ? { hostname, port } : { path, transport: "unix" };
  const transport = new DenoTransport(await abortable(Deno.connect({ ...address, signal }), signal), false);
  if (tls === undefined) return transport;
  return step("tls", `no TLS with ${hostname}`, signal, () => secure(transport, hostname, tls, signal));
}

// The one way to show a certificate, but it cannot be told another name, and goes on for a while when it is aborted.
async function dialWithCertificate({ signal, ...address }: DialOptions, tls: TlsClientOptions): Promise<Transport> {
  refuseOptions("Deno", "tls", tls, ["serverName"], " together with tls.cert");
  const conn = await abortable(Deno.connectTls({ ...address, ...clientTls(tls) }), signal);
  return step("tls", `no TLS with ${address.hostname}`, signal, () => handshaken(conn, signal));
}

function checkSecure(options: TlsClientOptions, within: boolean): void {
  refuseOptions("Deno", "tls", options, NO_CLIENT_TLS);
  refuseOptions("Deno", "tls", options, ["cert", "key"], " over a proxy");
  if (within) throw new UsageError("Deno has no TLS within TLS: wss: through an https: proxy");
}

async function secure(
  transport: Transport,
  hostname: string,
  options: TlsClientOptions,
  signal?: AbortSignal,
): Promise<Transport> {
  const { conn } = transport as DenoTransport;
  const name = options.serverName ?? hostname;
  return handshaken(await abortable(Deno.startTls(conn, { ...clientTls(options), hostname: name }), signal), signal);
}

// What Deno calls a TLS connection has not shaken hands yet; whoever waits for one wants to hear of a bad certificate.
async function handshaken(conn: DenoConn, signal: AbortSignal | undefined): Promise<Transport> {
  try {
    await abortable(conn.handshake!(), signal);
    return new DenoTransport(conn, true);
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** The promise, or the signal's reason as soon as it is aborted; a connection that comes too late is closed. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason);
      promise.then((late) => (late as Partial<DenoConn> | undefined)?.close?.(), () => {});
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

// --- Entry points ---

const runtime: Runtime = {
  name: "Deno",
  chunks: "lent",
  clock: new Clock(),
  deflate: deflateCodec,
  listen,
  dial,
  checkSecure,
  secure,
  env: (name) => Deno.env.get(name),
};

/** Starts a server; see `serve` of the package root. */
export function serve<Data = unknown>(options: ServeOptions<Data>): Promise<Server<Data>> {
  return serveOn(runtime, options);
}

/** Connects to a server; see `connect` of the package root. */
export function connect<Data = unknown>(url: string | URL, options?: ConnectOptions<Data>): Promise<Socket<Data>> {
  return connectOn(runtime, url, options);
}

/** Connects to a server, and again whenever the connection ends; see `reconnecting` of the package root. */
export function reconnecting<Data = unknown>(
  target: ReconnectTarget,
  options: ReconnectOptions<Data> = {},
): ReconnectingSocket<Data> {
  return new ReconnectingSocket(target, options, surroundings(connect));
}

export * from "./host/mod.ts";
export type { PairOptions, SocketPair } from "./pair.ts";
export { pair } from "./pair.ts";
