// Checks of a client's options, for callers without a type checker. A wrong option throws a
// UsageError with its name before there is a transport, not in the middle of connecting.
// Names of headers and subprotocols are checked by the core's handshake.

import { refuseUnknown } from "../../../core/internal.ts";
import { UsageError } from "../../../core/mod.ts";
import type { TlsClientOptions } from "../transport.ts";

const PEM_NAMES = ["ca", "cert", "key"] as const;
const TLS_NAMES = [...PEM_NAMES, "passphrase", "serverName", "rejectUnauthorized", "alpnProtocols"];

/** The error for an option with an illegal value. */
export function illegal(name: string, value: unknown, takes: string): UsageError {
  return new UsageError(`${name} is ${String(value)}; it takes ${takes}`);
}

/** Returns the signal, of this realm or another. @throws {UsageError} for anything else */
export function requireSignal(name: string, given: AbortSignal): AbortSignal {
  const signal = given as Partial<AbortSignal> | null | undefined;
  if (typeof signal?.throwIfAborted === "function") return given;
  throw new UsageError(`${name} is not an AbortSignal`);
}

/** @throws {UsageError} for what is not a positive number */
export function checkTimeout(name: string, value: number): number {
  if (typeof value === "number" && value > 0) return value;
  throw illegal(name, value, "milliseconds above 0, or Infinity");
}

/** The subprotocols as a list. @throws {UsageError} for what is neither a string nor a list */
export function checkProtocols(given: string | readonly string[] = []): readonly string[] {
  if (typeof given === "string") return [given];
  if (Array.isArray(given)) return given;
  throw illegal("protocols", given, "a string or an array of strings");
}

/**
 * Checks what can be checked before there is a peer: runtimes differ on an invalid certificate.
 *
 * @throws {UsageError} for an unknown name, what is not PEM, and a certificate or key without the
 *   other
 */
export function checkTls(scope: string, tls: TlsClientOptions | undefined): void {
  if (tls === undefined) return;
  refuseUnknown(scope, tls, TLS_NAMES);
  for (const name of PEM_NAMES) {
    for (const pem of [tls[name] ?? []].flat()) {
      if (typeof pem === "string" && pem.includes("-----BEGIN ")) continue;
      throw new UsageError(`${scope}.${name} is not text in PEM`);
    }
  }
  if ((tls.cert === undefined) === (tls.key === undefined)) return;
  throw new UsageError(`${scope}.cert and ${scope}.key go together`);
}
