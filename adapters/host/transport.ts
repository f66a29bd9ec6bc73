// The seam between the host and a runtime: what a byte transport does, what it reports, and what a
// runtime must provide.
//
// An adapter implements these interfaces with the verbs of its runtime, and nothing more;
// everything above them is runtime-neutral.

import type { DeflateCodec } from "../../core/mod.ts";
import type { Clock } from "./clock.ts";

/** One end of a transport: an IP address and port, or a unix socket's path. */
export interface Address {
  /**
   * An IP address, IPv6 without brackets; `undefined` for a unix socket, a pair in memory, a stream
   * of the caller's own, and a peer that was gone before it could be asked.
   */
  readonly hostname?: string;
  /** 1-65535; there when `hostname` is. */
  readonly port?: number;
  /** Of a unix socket; may be empty for a client's end. */
  readonly path?: string;
}

/** A byte stream in both directions. */
export interface Transport {
  /**
   * Takes ownership of the chunks and writes them, in order.
   * @returns false when the transport stands above its high-water mark: wait for `drained`
   */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Ends writing, after what was written. */
  end(): void;
  /** Drops the connection at once, with all that waits. */
  abort(): void;
  /** Stops reading; a chunk that is already on its way may still come. */
  pause(): void;
  resume(): void;
  /** Bytes written and not yet taken by the operating system. */
  readonly bufferedAmount: number;
  readonly peer: Address;
  /** Whether the bytes travel encrypted. */
  readonly secure: boolean;
  /**
   * Says who hears of what happens. The first call starts reading; a later one hands the transport
   * over. Who takes over a transport that is closed already hears so, too, but not within this
   * call.
   */
  attach(events: TransportEvents): void;
}

/** What a transport reports. */
export interface TransportEvents {
  /** Bytes came; whose their memory is, `Runtime.chunks` says. */
  received(chunk: Uint8Array): void;
  /** The peer ended its side; writing may go on. */
  ended(): void;
  /** What was written has left, after a `write` that returned false. */
  drained(): void;
  /** Both sides are done: exactly once, and last. */
  closed(error?: Error): void;
}

/** Where a server listens: a host name and port, or a unix socket. */
export interface ListenOptions {
  /** 0 lets the system choose. */
  readonly port?: number | undefined;
  /** A host name or an address, IPv4 or IPv6. */
  readonly hostname?: string | undefined;
  /** A unix socket, instead of a port. */
  readonly path?: string | undefined;
  /** Serves `wss:` with this certificate; without it the server speaks plain `ws:`. */
  readonly tls?: TlsServerOptions | undefined;
}

/** PEM text, or several of it. */
export type Pem = string | readonly string[];

/**
 * A server's side of TLS, in one shape for all runtimes; what a runtime cannot do is refused by
 * name.
 */
export interface TlsServerOptions {
  /** The certificate chain, PEM. */
  readonly cert: string;
  /** The private key, PEM. */
  readonly key: string;
  /** For an encrypted key. Node and Bun. */
  readonly passphrase?: string | undefined;
  /** The authorities that client certificates are checked against, PEM. Node and Bun. */
  readonly ca?: Pem | undefined;
  /** Asks the client for a certificate. Node and Bun. */
  readonly requestCert?: boolean | undefined;
  /**
   * Refuses a client without a valid certificate, once one is asked for. Default true. Node and
   * Bun.
   */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Application protocols in order of preference (RFC 7301). */
  readonly alpnProtocols?: readonly string[] | undefined;
}

/** A client's side of TLS. */
export interface TlsClientOptions {
  /**
   * The authorities to trust, PEM; default: those of the runtime. On Deno they are trusted besides
   * those.
   */
  readonly ca?: Pem | undefined;
  /** The client's own certificate chain, PEM. On Deno not through a proxy. */
  readonly cert?: string | undefined;
  /** Its private key, PEM. */
  readonly key?: string | undefined;
  /** For an encrypted key. Node and Bun. */
  readonly passphrase?: string | undefined;
  /**
   * The name to ask for and to check, when it is not the URL's host. On Deno not together with
   * `cert`.
   */
  readonly serverName?: string | undefined;
  /** `false` accepts any certificate: for tests only. Node and Bun. */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Application protocols in order of preference (RFC 7301). */
  readonly alpnProtocols?: readonly string[] | undefined;
}

/** Where a client connects to. */
export interface DialOptions {
  readonly hostname: string;
  readonly port: number;
  /**
   * A unix socket, instead of the host name and port; the name is still the one that a certificate
   * must have.
   */
  readonly path?: string | undefined;
  readonly tls?: TlsClientOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A socket that listens. */
export interface Listener {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: Address;
  /** Accepts no more connections; open ones go on. Done when the address is free again. */
  stop(): void | Promise<void>;
}

/** What the host asks of a runtime. */
export interface Runtime {
  /** As in error messages: `"Node"`, `"Deno"`, `"Bun"`. */
  readonly name: string;
  readonly clock: Clock;
  /** The default codec for permessage-deflate. */
  readonly deflate: DeflateCodec;
  /** A synchronous SHA-1 from text to base64, where the runtime has a fast one. */
  readonly sha1?: (text: string) => string;
  /**
   * Whether its transports give their chunks away (the default), or only lend them while `received`
   * runs.
   */
  readonly chunks?: "given" | "lent";
  /**
   * Calls `accept` for each transport, and `report` for what goes wrong with one before it is a
   * transport.
   *
   * @throws when the address is in use, unknown or not permitted
   */
  listen(
    options: ListenOptions,
    accept: (transport: Transport) => void,
    report: (error: unknown) => void,
  ): Listener | Promise<Listener>;
  /**
   * @throws when there is no way to the peer, its certificate is not accepted, or the signal is
   * aborted
   */
  dial(options: DialOptions): Promise<Transport>;
  /**
   * Refuses what `secure` could not serve, before there is a transport.
   *
   * @param within whether the transport will be one of TLS already
   * @throws {UsageError} naming the option
   */
  checkSecure(options: TlsClientOptions, within: boolean): void;
  /**
   * Wraps a paused transport of this runtime in TLS. On failure it is dropped.
   *
   * @throws when the peer or its certificate is not accepted, or the signal is aborted
   */
  secure(
    transport: Transport,
    hostname: string,
    options: TlsClientOptions,
    signal: AbortSignal,
  ): Promise<Transport>;
  /** A variable of the environment. */
  env(name: string): string | undefined;
}

/**
 * The bytes that may wait in a transport before its `write` says so: 64 KiB, a few of the kernel's
 * own segments.
 */
export const HIGH_WATER_MARK: number = 64 * 1024;
