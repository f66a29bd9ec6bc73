// The seam between the host and a runtime: what a transport does, what it reports, and what else a
// runtime provides. An adapter implements these interfaces with the verbs of its runtime; all above
// them is runtime-neutral. The forms of an address are here, too. This file imports types only.

import type { DeflateCodec } from "../../core/mod.ts";
import type { Clock } from "./clock.ts";

/** One end of a transport: an IP address and port, or a unix socket's path. */
export interface Address {
  /**
   * An IP address, IPv6 without brackets. `undefined` for a unix socket, a pair in memory, a
   * caller's own stream, and a peer that left before its address could be read.
   */
  readonly hostname?: string;
  /** 1-65535; present when `hostname` is. */
  readonly port?: number;
  /** Path of a unix socket; may be empty for a client's end. */
  readonly path?: string;
}

/** A byte stream in both directions. */
export interface Transport {
  /**
   * Writes the chunks in order. It only reads them, and must not change or transfer them: a
   * prepared message goes to many sockets by reference. The host does not touch them before `done`.
   *
   * @returns false when the transport is above its high-water mark: wait for `drained`
   */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Ends writing, after what was written. */
  end(): void;
  /** Drops the connection at once, with all that waits. */
  abort(): void;
  /** Stops reading; a chunk that is already on its way may still arrive. */
  pause(): void;
  resume(): void;
  /** Bytes written and not yet taken by the operating system. */
  readonly bufferedAmount: number;
  /** Whether no written chunk is in use any more. Absent where the transport cannot tell. */
  readonly done?: boolean;
  readonly peer: Address;
  /** Whether the bytes travel encrypted. */
  readonly secure: boolean;
  /**
   * Sets the receiver of events. The first call starts reading; a later one hands the transport
   * over. A transport that is closed already reports that to the new owner, after this call.
   */
  attach(events: TransportEvents): void;
}

/** What a transport reports. */
export interface TransportEvents {
  /** A chunk arrived; `Runtime.chunks` says who owns its memory. */
  received(chunk: Uint8Array): void;
  /** The peer ended its direction; writing may go on. */
  ended(): void;
  /** What was written has left, after a `write` that returned false. */
  drained(): void;
  /** Both directions are done: exactly once, and last. */
  closed(error?: Error): void;
}

/** Where a server listens: a host name and port, a unix socket, or an inherited socket. */
export interface ListenOptions {
  /** Default 0: the system chooses. */
  readonly port?: number | undefined;
  /** A host name or an address, IPv4 or IPv6. Default `"0.0.0.0"`. */
  readonly hostname?: string | undefined;
  /** A unix socket, instead of a port. */
  readonly path?: string | undefined;
  /**
   * The descriptor of a socket that listens already, such as 3 under systemd's socket activation.
   * It excludes `port`, `hostname` and `path`. The `address` of a unix socket has an empty path
   * then. Node, but not on Windows.
   */
  readonly fd?: number | undefined;
  /**
   * Lets other listeners with this option share the port, in this process or others: the system
   * spreads connections over them (`SO_REUSEPORT`). With `port` only. Default false. Node 22.12 and
   * later but not 23.0, Deno on Linux with `--unstable-net`, Bun except on Windows.
   */
  readonly reusePort?: boolean | undefined;
  /**
   * Permissions of the unix socket's file, 0 to 0o777; they are set when the server listens, right
   * before `serve` returns. Until then it has those of the process's umask: only a directory with
   * permissions of its own keeps others out from the start. With `path` only.
   */
  readonly mode?: number | undefined;
  /** Serves `wss:` with this certificate; without it the server speaks plain `ws:`. */
  readonly tls?: TlsServerOptions | undefined;
}

/** One PEM text, or several. */
export type Pem = string | readonly string[];

/** A server's certificate. */
export interface Certificate {
  /** The certificate chain, PEM. */
  readonly cert: string;
  /** The private key, PEM. */
  readonly key: string;
  /** For an encrypted key. Node and Bun. */
  readonly passphrase?: string | undefined;
}

/** A server's TLS, the same for all runtimes; an option that the runtime lacks is a UsageError. */
export interface TlsServerOptions extends Certificate {
  /** With `requestCert`, the authorities of client certificates, PEM. Node and Bun. */
  readonly ca?: Pem | undefined;
  /** Asks the client for a certificate. Node and Bun. */
  readonly requestCert?: boolean | undefined;
  /** With `requestCert`, refuses a client without a valid one. Default true. Node and Bun. */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Application protocols in order of preference (RFC 7301); empty for none. */
  readonly alpnProtocols?: readonly string[] | undefined;
}

/** A client's TLS. */
export interface TlsClientOptions {
  /** Trusted authorities, PEM. Default: the runtime's, which Deno trusts in any case. */
  readonly ca?: Pem | undefined;
  /** The client's own certificate chain, PEM. On Deno not through a proxy. */
  readonly cert?: string | undefined;
  /** Its private key, PEM. */
  readonly key?: string | undefined;
  /** For an encrypted key. Node and Bun. */
  readonly passphrase?: string | undefined;
  /** The name to request and check. Default: the URL's host. On Deno not together with `cert`. */
  readonly serverName?: string | undefined;
  /** `false` accepts any certificate: for tests only. Node and Bun. */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Application protocols in order of preference (RFC 7301). Default `["http/1.1"]`. */
  readonly alpnProtocols?: readonly string[] | undefined;
}

/** Where a client connects to. */
export interface DialOptions {
  readonly hostname: string;
  readonly port: number;
  /** A unix socket to use instead; a certificate must still be valid for `hostname`. */
  readonly path?: string | undefined;
  readonly tls?: TlsClientOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A socket that listens. */
export interface Listener {
  /** Where it listens; the port is the real one when 0 was given. */
  readonly address: Address;
  /** Accepts no more connections; open ones go on. Done when the address is free again. */
  stop(): void | Promise<void>;
  /**
   * Serves new TLS handshakes with another certificate. Absent without TLS, and where the runtime
   * cannot.
   *
   * @throws when certificate and key do not fit; the one before stays
   */
  replaceCertificate?(certificate: Certificate): void;
}

/** Runs a function in an asynchronous context that was captured before. */
export type Context = <R>(run: () => R) => R;

/** The context of the caller. */
export const plain: Context = (run) => run();

/** What the host needs from a runtime. */
export interface Runtime {
  /** As in error messages: `"Node"`, `"Deno"`, `"Bun"`. */
  readonly name: string;
  readonly clock: Clock;
  /** The default codec for permessage-deflate. */
  readonly deflate: DeflateCodec;
  /** A synchronous SHA-1 from text to base64, where the runtime has a fast one. */
  readonly sha1?: (text: string) => string;
  /** Whether its transports give chunks away (the default), or lend them during `received`. */
  readonly chunks?: "given" | "lent";
  /**
   * Calls `accept` with each transport, and `report` with an error from before there is one.
   *
   * @throws when the address is in use, unknown or not permitted
   */
  listen(
    options: ListenOptions,
    accept: (transport: Transport) => void,
    report: (error: unknown) => void,
  ): Listener | Promise<Listener>;
  /** @throws when the peer is unreachable, its certificate not accepted, or the signal aborted */
  dial(options: DialOptions): Promise<Transport>;
  /**
   * Refuses what `secure` could not serve, before there is a transport.
   *
   * @param within whether the transport is TLS already
   * @throws {UsageError} naming the option
   */
  checkSecure(options: TlsClientOptions, within: boolean): void;
  /**
   * Wraps a paused transport of this runtime in TLS; drops it on failure.
   *
   * @throws when the peer or its certificate is not accepted, or the signal is aborted
   */
  secure(
    transport: Transport,
    hostname: string,
    options: TlsClientOptions,
    signal: AbortSignal,
  ): Promise<Transport>;
  /** The caller's asynchronous context, as `AsyncLocalStorage` knows it. */
  captureContext?(): Context;
  /** A variable of the environment. */
  env(name: string): string | undefined;
}

/** Bytes in a transport from which `write` returns false: 64 KiB, a few TCP segments. */
export const HIGH_WATER_MARK: number = 64 * 1024;

// --- Addresses ---

/** The address. A dual-stack listener sees IPv4 as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
export function ipAddress(hostname: string, port: number): Address {
  return { hostname: hostname.replace(/^::ffff:(?=\d+\.)/, ""), port };
}

/** The eight groups of an IPv6 address, as text: "::" stands for groups of zero. */
export function ipv6Groups(hostname: string): string[] {
  const parts = hostname.split("::").map((part) => part.split(":").filter(Boolean));
  const [head = [], tail = []] = parts;
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return [...head, ...zeros, ...tail];
}

/**
 * What counts as one peer: an IPv4 address, or the /64 network of an IPv6 address (RFC 4291
 * §2.5.1), because its holder usually has all of it.
 */
export function networkOf(hostname: string): string {
  return hostname.includes(":") ? ipv6Groups(hostname).slice(0, 4).join(":") : hostname;
}

/** The URL under which a client on the same machine reaches a listener. */
export function urlOf({ hostname = "", port = 0, path }: Address, secure: boolean): string {
  const scheme = secure ? "wss" : "ws";
  if (path !== undefined) {
    return `${scheme}+unix:${encodeURI(path).replace(/[:?#]/g, encodeURIComponent)}:/`;
  }
  // A listener on all addresses of the machine has none of its own.
  const host = hostname === "0.0.0.0" || hostname === "::" ? "localhost" : authority(hostname);
  return `${scheme}://${host}:${port}/`;
}

/** A host name or IP address as in a URL (RFC 3986 §3.2.2). */
export function authority(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
