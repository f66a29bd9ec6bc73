// The options that `serve` and `connect` share: their checks, their defaults, and how they become
// the core's.

import {
  type Delivery,
  isToken,
  resolveDeflate,
  resolveLimits,
  resolveTimeouts,
} from "../../core/internal.ts";
import type { GivenDeflateOptions, HandshakeOptions, Limits, Timeouts } from "../../core/mod.ts";
import { UsageError } from "../../core/mod.ts";
import { boolean, callable, type Check, type Checks, members, oneOf } from "./check.ts";
import { checkOptions, isObject, requireOptions, takes, text, wrong } from "./check.ts";
import type { SocketHandlers } from "./socket/handlers.ts";
import type { Backpressure } from "./socket/session.ts";
import type { Certificate, Runtime, TlsClientOptions, TlsServerOptions } from "./transport.ts";

/** Options of permessage-deflate; `codec` replaces the one that comes with the library. */
export type DeflateChoice = boolean | Partial<GivenDeflateOptions>;

/** Options that servers and clients share. */
export interface CommonOptions {
  /** Bounds on what a peer can make this end hold. */
  readonly limits?: Partial<Limits> | undefined;
  /** How long to wait for what, in milliseconds. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** permessage-deflate (RFC 7692). Default off. */
  readonly deflate?: DeflateChoice | undefined;
  /** `"bytes"` gives text messages as checked UTF-8, to forward or parse. Default `"string"`. */
  readonly text?: "string" | "bytes" | undefined;
  /** How much may wait for a peer that does not read. */
  readonly backpressure?: Partial<Backpressure> | undefined;
  /**
   * Waits for the promise that a `message` or `piece` handler returns before the next event is
   * given; the peer is not read meanwhile. Default false.
   */
  readonly ordered?: boolean | undefined;
}

const BACKPRESSURE: Checks<Backpressure> = {
  maxBufferedAmount: takes("a positive number or Infinity", (value) => {
    return typeof value === "number" && value > 0;
  }),
  onOverflow: oneOf("close", "drop"),
  readWhileBlocked: boolean,
};

// The core's messages cannot show every value: what no option of it can be is refused before.
function byCore(resolve: (value: object) => unknown): Check {
  return (value, path) => {
    requireOptions(value, path);
    for (const [name, each] of Object.entries(value)) {
      if (typeof each !== "symbol" && (!isObject(each) || name === "codec")) continue;
      throw wrong(`${path}.${name}`, each, "a number or a boolean");
    }
    resolve(value);
  };
}

const deflateOptions: Check = byCore((value) => resolveDeflate({ codec: NO_CODEC, ...value }));

const deflate: Check = (value, path) => {
  if (typeof value !== "boolean") deflateOptions(value, path);
};

/** Stands for the runtime's codec while options are checked. */
const NO_CODEC = {
  createInflater() {},
  createDeflater() {},
} as unknown as GivenDeflateOptions["codec"];

/** The checks of {@linkcode CommonOptions}. */
export const COMMON: Checks<CommonOptions> = {
  limits: byCore(resolveLimits),
  timeouts: byCore(resolveTimeouts),
  deflate,
  text: oneOf("string", "bytes"),
  backpressure: members(BACKPRESSURE),
  ordered: boolean,
};

/** The checks of the handlers. */
export const HANDLERS: Checks<SocketHandlers<never>> = {
  open: callable,
  message: callable,
  piece: callable,
  drain: callable,
  ping: callable,
  pong: callable,
  closing: callable,
  close: callable,
  error: callable,
};

const pem: Check = (value, path) => {
  if (Array.isArray(value) && value.length === 0) throw wrong(path, value, "PEM");
  for (const part of [value].flat()) {
    if (typeof part === "string" && part.includes("-----BEGIN ")) continue;
    throw new UsageError(`${path} is not text in PEM`);
  }
};

const protocolNames: Check = takes("an array of names", (value) => {
  return Array.isArray(value) && value.every((name) => typeof name === "string" && name !== "");
});

type CommonTls = Pick<TlsClientOptions, keyof TlsClientOptions & keyof TlsServerOptions>;

const COMMON_TLS: Checks<CommonTls> = {
  cert: pem,
  key: pem,
  passphrase: text,
  ca: pem,
  rejectUnauthorized: boolean,
  alpnProtocols: protocolNames,
};

const SERVER_TLS: Checks<TlsServerOptions> = { ...COMMON_TLS, requestCert: boolean };
const CLIENT_TLS: Checks<TlsClientOptions> = { ...COMMON_TLS, serverName: text };

/** A server's side of TLS. */
export const serverTls: Check = identity(SERVER_TLS);

/** A server's certificate with its key. */
export const certificate: Check = identity<Certificate>({ cert: pem, key: pem, passphrase: text });

function identity<T extends Certificate>(checks: Checks<T>): Check {
  return (value, path) => {
    checkOptions(value as T, checks, path);
    for (const name of ["cert", "key"] as const) {
      if ((value as T)[name] !== undefined) continue;
      throw new UsageError(`${path}.${name} is missing: a server needs a certificate and its key`);
    }
  };
}

/** A client's side of TLS. */
export const clientTls: Check = (value, path) => {
  checkOptions(value as TlsClientOptions, CLIENT_TLS, path);
  const { cert, key } = value as TlsClientOptions;
  if ((cert === undefined) === (key === undefined)) return;
  throw new UsageError(`${path}.cert and ${path}.key go together`);
};

/** An AbortSignal, of this realm or another. */
export const signal: Check = (value, path) => {
  if (typeof (value as Partial<AbortSignal> | null)?.throwIfAborted === "function") return;
  throw new UsageError(`${path} is not an AbortSignal`);
};

/** A list of subprotocols (RFC 6455 §4.1). */
export const subprotocols: Check = takes("an array of subprotocols", (value) => {
  return Array.isArray(value) && value.every((name) => typeof name === "string" && isToken(name));
});

/** A time of one's own to wait; `Infinity` waits. */
export const milliseconds: Check = takes("milliseconds above 0, or Infinity", (value) => {
  return typeof value === "number" && value > 0;
});

/** Takes header fields in any form; the names and values are checked where they are read. */
export const headers: Check = takes("an object, or a list of names with values", isObject);

/** Of a server. */
export const SERVER_BACKPRESSURE: Backpressure = {
  maxBufferedAmount: 16 * 1024 * 1024,
  onOverflow: "close",
  readWhileBlocked: false,
};

/** Of a client: if both ends waited for the other to read, neither ever would. */
export const CLIENT_BACKPRESSURE: Backpressure = { ...SERVER_BACKPRESSURE, readWhileBlocked: true };

/** The core's options for a handshake and its connection, from options that are checked. */
export function handshakeOptions(
  runtime: Runtime,
  options: CommonOptions & Pick<SocketHandlers<never>, "piece">,
): HandshakeOptions {
  const { deflate, text, limits, timeouts } = options;
  const messages: Delivery["messages"] = options.piece === undefined ? "whole" : "pieces";
  return {
    limits: resolveLimits(limits),
    timeouts: resolveTimeouts(timeouts),
    messages,
    text,
    chunks: runtime.chunks,
    output: "shared",
    deflate: deflate
      ? resolveDeflate({ codec: runtime.deflate, ...deflate === true ? {} : deflate })
      : undefined,
    date: httpDate,
  };
}

let dateSecond = 0;
let date = "";

/** The time as HTTP writes it (RFC 9110 §5.6.7), made once a second. */
function httpDate(): string {
  const second = Math.trunc(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    date = new Date(second * 1000).toUTCString();
  }
  return date;
}

/** @throws {UsageError} naming the first of `names` that is given, and the runtime that lacks it */
export function refuseOptions(
  runtime: string,
  scope: string,
  options: object,
  names: readonly string[],
  where: string = "",
): void {
  const given = options as Readonly<Record<string, unknown>>;
  const name = names.find((name) => given[name] !== undefined);
  if (name === undefined) return;
  throw new UsageError(`${runtime} has no support for ${scope}.${name}${where}`);
}
