/**
 * sansws on Bun: `Bun.listen` and `Bun.connect`.
 *
 * @module
 */

import { deflateCodec } from "./deflate.ts";
import { ipAddress } from "./host/address.ts";
import { connect as connectOn, type ConnectOptions } from "./host/client.ts";
import { Clock } from "./host/clock.ts";
import { Outbox } from "./host/outbox.ts";
import { serve as serveOn, type ServeOptions, type Server } from "./host/server.ts";
import type { Socket } from "./host/socket.ts";
import type {
  Address,
  DialOptions,
  Listener,
  ListenOptions,
  Runtime,
  TlsClientOptions,
  TlsServerOptions,
  Transport,
  TransportEvents,
} from "./host/transport.ts";
import { HIGH_WATER_MARK } from "./host/transport.ts";

// --- Runtime types ---

// What this file asks of Bun, so that it type-checks everywhere.
interface BunSocket {
  data: BunTransport | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** How many bytes it took, maybe none; negative when the socket is closed. It keeps none for later. */
  write(bytes: Uint8Array): number;
  /** Ends writing. */
  shutdown(): void;
  end(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  setNoDelay(noDelay: boolean): void;
  upgradeTLS(options: object): readonly [raw: BunSocket, tls: BunSocket];
}

interface BunListener {
  readonly hostname: string;
  readonly port: number;
  stop(closeActiveConnections?: boolean): void;
}

interface BunApi {
  listen(options: object): BunListener;
  connect(options: object): Promise<BunSocket>;
  CryptoHasher: new(algorithm: "sha1") => { update(bytes: Uint8Array): { digest(): Uint8Array; }; };
}

const { Bun } = globalThis as unknown as { Bun: BunApi; };

// --- Transport ---

class BunTransport implements Transport {
  readonly socket: BunSocket;
  readonly secure: boolean;
  readonly #unix: boolean;
  #events: TransportEvents | undefined;
  #peer: Address | undefined;
  readonly #outbox = new Outbox();
  #blocked = false;
  #ending = false;
  #outputEnded = false;
  #inputEnded = false;

  constructor(socket: BunSocket, secure: boolean, unix: boolean) {
    this.socket = socket;
    this.secure = secure;
    this.#unix = unix;
    socket.data = this;
    if (!unix) socket.setNoDelay(true);
  }

  get peer(): Address {
    const { remoteAddress, remotePort } = this.socket;
    return this.#peer ??= this.#unix ? { path: "" } : ipAddress(remoteAddress, remotePort);
  }

  get bufferedAmount(): number {
    return this.#outbox.size;
  }

  attach(events: TransportEvents): void {
    this.#events = events;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    this.#outbox.push(chunks);
    this.#flush();
    this.#blocked = this.#outbox.size >= HIGH_WATER_MARK;
    return !this.#blocked;
  }

  end(): void {
    this.#ending = true;
    this.#flush();
  }

  abort(): void {
    this.socket.terminate();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  received(chunk: Uint8Array): void {
    this.#events!.received(chunk);
  }

  drained(): void {
    this.#flush();
    if (!this.#blocked || this.#outbox.size > 0) return;
    this.#blocked = false;
    this.#events!.drained();
  }

  ended(): void {
    this.#inputEnded = true;
    this.#events!.ended();
    if (this.#outputEnded) this.socket.end();
  }

  closed(error?: Error): void {
    this.#outbox.clear();
    this.#events?.closed(error);
  }

  /** Writes what the system takes; the rest goes when it says so. */
  #flush(): void {
    const outbox = this.#outbox;
    while (outbox.size > 0) {
      const block = outbox.next();
      const count = this.socket.write(block);
      if (count > 0) outbox.wrote(count);
      if (count < block.length) return;
    }
    if (this.#ending && !this.#outputEnded) this.#endOutput();
  }

  // `end` would close at once, and could take with it what was written; `shutdown` ends only this direction.
  #endOutput(): void {
    this.#outputEnded = true;
    this.socket.shutdown();
    if (this.#inputEnded) this.socket.end();
  }
}

/** The events of a socket, passed on to its transport. One object serves all sockets. */
const handlers = {
  binaryType: "uint8array",
  data: ({ data }: BunSocket, chunk: Uint8Array): void => data!.received(chunk),
  drain: ({ data }: BunSocket): void => data?.drained(),
  end: ({ data }: BunSocket): void => data?.ended(),
  close: ({ data }: BunSocket, error?: Error): void => data?.closed(error),
  error: ({ data }: BunSocket, error: Error): void => data?.closed(error),
};

function listen(
  { port = 0, hostname = "0.0.0.0", path, tls }: ListenOptions,
  accept: (transport: Transport) => void,
): Listener {
  const unix = path !== undefined;
  const open = (socket: BunSocket): void => accept(new BunTransport(socket, tls !== undefined, unix));
  const listener = Bun.listen({
    ...unix ? { unix: path } : { hostname, port },
    ...tls !== undefined && { tls: tlsOptions(tls) },
    allowHalfOpen: true,
    socket: { ...handlers, open },
  });
  const address = unix ? { path } : { hostname: listener.hostname, port: listener.port };
  return { address, stop: () => listener.stop() };
}

function tlsOptions({ alpnProtocols, ...tls }: TlsServerOptions | TlsClientOptions): object {
  return { ...tls, ...alpnProtocols !== undefined && { ALPNProtocols: alpnProtocols.join(",") } };
}

function dial({ hostname, port, path, tls, signal }: DialOptions): Promise<Transport> {
  const unix = path !== undefined;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal!.reason);
    signal?.addEventListener("abort", abort);
    const settle = (): void => signal?.removeEventListener("abort", abort);
    const open = (socket: BunSocket): void => {
      settle();
      if (signal?.aborted) socket.terminate();
      else resolve(new BunTransport(socket, tls !== undefined, unix));
    };
    const fail = (_socket: BunSocket, error: Error): void => {
      settle();
      reject(error);
    };
    Bun.connect({
      ...unix ? { unix: path } : { hostname, port },
      ...tls !== undefined && { tls: { serverName: hostname, ...tlsOptions(tls) } },
      allowHalfOpen: true,
      socket: { ...handlers, open, connectError: fail },
    }).catch((error: unknown) => fail(undefined as never, error as Error));
  });
}

// Over a socket that exists, Bun runs TLS in a second one, and reports a bad certificate with the handshake.
function secure(transport: Transport, hostname: string, options: TlsClientOptions): Promise<Transport> {
  const { socket } = transport as BunTransport;
  return new Promise((resolve, reject) => {
    const handshake = (tls: BunSocket, authorized: boolean, error: Error | null): void => {
      if (authorized || options.rejectUnauthorized === false) return resolve(new BunTransport(tls, true, false));
      tls.terminate();
      reject(error ?? new Error("the TLS handshake failed"));
    };
    const close = ({ data }: BunSocket, error?: Error): void => {
      if (data === undefined) reject(error ?? new Error("the connection was lost during the TLS handshake"));
      else data.closed(error);
    };
    socket.data = undefined;
    socket.upgradeTLS({
      data: undefined,
      tls: { serverName: hostname, ...tlsOptions(options) },
      socket: { ...handlers, handshake, close },
    });
  });
}

// --- Entry points ---

const runtime: Runtime = {
  name: "Bun",
  clock: new Clock(),
  deflate: deflateCodec,
  sha1: (bytes) => new Bun.CryptoHasher("sha1").update(bytes).digest(),
  listen,
  dial,
  secure,
};

/** Starts a server; see `serve` of the package root. */
export function serve<Data = unknown>(options: ServeOptions<Data>): Promise<Server<Data>> {
  return serveOn(runtime, options);
}

/** Connects to a server; see `connect` of the package root. */
export function connect<Data = unknown>(url: string | URL, options?: ConnectOptions<Data>): Promise<Socket<Data>> {
  return connectOn(runtime, url, options);
}

export * from "./host/mod.ts";
