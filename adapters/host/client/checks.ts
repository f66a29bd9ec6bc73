// What a caller without a type checker may get wrong: it is told at once and by name, where it
// would otherwise be found out on the way, with a transport open and nobody to hear of it.

import { refuseUnknown } from "../../../core/limits.ts";
import { UsageError } from "../../../core/mod.ts";
import type { Pem, TlsClientOptions } from "../transport.ts";

const TLS_NAMES: readonly (keyof TlsClientOptions)[] = [
  "ca",
  "cert",
  "key",
  "passphrase",
  "serverName",
  "rejectUnauthorized",
  "alpnProtocols",
];

/**
 * The signal, of this realm or another.
 *
 * @throws {UsageError} for what is none
 */
export function requireSignal(name: string, given: AbortSignal): AbortSignal {
  const signal = given as Partial<AbortSignal> | null | undefined;
  if (typeof signal?.throwIfAborted !== "function") {
    throw new UsageError(`${name} is not an AbortSignal`);
  }
  return given;
}

/** @throws {UsageError} for what is not a positive number */
export function checkTimeout(name: string, value: number): number {
  if (!(typeof value === "number" && value > 0)) {
    throw new UsageError(`${name} is ${String(value)}; it takes milliseconds above 0, or Infinity`);
  }
  return value;
}

/**
 * The subprotocols as a list. Whether each is a token, and given once, the handshake will check.
 *
 * @throws {UsageError} for what is neither a string nor a list
 */
export function checkProtocols(given: string | readonly string[] = []): readonly string[] {
  if (typeof given === "string") return [given];
  if (Array.isArray(given)) return given;
  throw new UsageError(`protocols is ${String(given)}; it takes a string or an array of strings`);
}

/**
 * Checks what can be checked before there is a peer. What a runtime would make of a certificate
 * that is none differs; it is told here.
 *
 * @throws {UsageError} for an unknown name, what is not PEM, and a certificate without its key or
 *   the other way around
 */
export function checkTls(scope: string, tls: TlsClientOptions | undefined): void {
  if (tls === undefined) return;
  refuseUnknown(scope, tls, TLS_NAMES);
  for (const name of ["ca", "cert", "key"] as const) requirePem(`${scope}.${name}`, tls[name]);
  if ((tls.cert === undefined) === (tls.key === undefined)) return;
  throw new UsageError(`${scope}.cert and ${scope}.key go together`);
}

function requirePem(name: string, given: Pem | undefined): void {
  for (const pem of [given ?? []].flat()) {
    if (typeof pem !== "string" || !pem.includes("-----BEGIN ")) {
      throw new UsageError(`${name} is not text in PEM`);
    }
  }
}
