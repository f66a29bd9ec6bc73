// Who may come in: limits on connections, in all and for one address, and on handshakes that are
// under way. Whoever is one too many hears 503 and why.

import { formatResponseHead } from "../../../core/http/head.ts";
import { refuseUnknown } from "../../../core/limits.ts";
import { UsageError } from "../../../core/mod.ts";
import { networkOf } from "../address.ts";
import type { Transport } from "../transport.ts";

/**
 * Bounds on connections to a server; each a positive integer or `Infinity` (the default) for none.
 */
export interface ConnectionLimits {
  /** Transports in all, from the first byte to the last. */
  readonly max: number;
  /**
   * Transports from one IPv4 address, or from one IPv6 network of 64 bits; all of a unix socket are
   * from one.
   */
  readonly maxPerAddress: number;
  /** Transports whose opening handshake, or other request, is not answered yet. */
  readonly maxHandshakes: number;
}

const UNLIMITED: ConnectionLimits = {
  max: Infinity,
  maxPerAddress: Infinity,
  maxHandshakes: Infinity,
};

/** Counts who is in, and says who may not. */
export class Admission {
  readonly #limits: ConnectionLimits;
  readonly #byAddress = new Map<string, number>();
  #total = 0;
  #handshakes = 0;

  /** @throws {UsageError} for an unknown name or an illegal value */
  constructor(given: Partial<ConnectionLimits> = {}) {
    refuseUnknown("connections", given, Object.keys(UNLIMITED));
    for (const [name, value] of Object.entries(given)) {
      if (value > 0 && (value === Infinity || Number.isInteger(value))) continue;
      throw new UsageError(
        `connections.${name} is ${value}; it takes a positive integer or Infinity`,
      );
    }
    this.#limits = { ...UNLIMITED, ...given };
  }

  /** Why a transport may not come in; `undefined` when it may. */
  objection(transport: Transport): string | undefined {
    const { max, maxPerAddress, maxHandshakes } = this.#limits;
    if (this.#total >= max) return "there are too many connections";
    if (this.#handshakes >= maxHandshakes) return "there are too many handshakes under way";
    if (this.#count(transport) >= maxPerAddress) {
      return "there are too many connections from this address";
    }
    return undefined;
  }

  /** A transport came in, and has a handshake to do. */
  enter(transport: Transport): void {
    this.#total++;
    this.#handshakes++;
    this.#add(transport, 1);
  }

  /** Its handshake, or other request, is over. */
  settle(): void {
    this.#handshakes--;
  }

  /** It is gone. */
  leave(transport: Transport): void {
    this.#total--;
    this.#add(transport, -1);
  }

  #count(transport: Transport): number {
    if (this.#limits.maxPerAddress === Infinity) return 0;
    return this.#byAddress.get(addressOf(transport)) ?? 0;
  }

  #add(transport: Transport, change: number): void {
    if (this.#limits.maxPerAddress === Infinity) return;
    const address = addressOf(transport);
    const count = this.#count(transport) + change;
    if (count === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count);
  }
}

function addressOf({ peer }: Transport): string {
  return networkOf(peer.hostname ?? "");
}

/** The answer to a transport that may not come in, before anything it says was read. */
export function refusal(reason: string): Uint8Array[] {
  const body = new TextEncoder().encode(`${reason}\n`);
  const head = formatResponseHead(503, [
    ["Connection", "close"],
    ["Content-Type", "text/plain; charset=utf-8"],
    ["Content-Length", String(body.length)],
    ["Retry-After", "5"],
  ]);
  return [head, body];
}
