// Who may come in: limits on connections, in all and for one address, and on handshakes that are
// under way. A transport beyond them is answered with 503 and the reason.

import { type HandshakeOptions, ServerHandshake } from "../../../core/mod.ts";
import { type Checks, positive } from "../check.ts";
import type { Clock } from "../clock.ts";
import { Pump, type Sink } from "../pump.ts";
import { networkOf, type Transport } from "../transport.ts";
import type { Refusal } from "./hooks.ts";

/** Bounds on connections to a server; each a positive integer or `Infinity` (the default). */
export interface ConnectionLimits {
  /** Transports in all, from the first byte to the last. */
  readonly max: number;
  /** Transports from one IPv4 address or IPv6 network of 64 bits; unix sockets count as one. */
  readonly maxPerAddress: number;
  /** Transports whose opening handshake, or other request, is not answered yet. */
  readonly maxHandshakes: number;
}

const UNLIMITED: ConnectionLimits = {
  max: Infinity,
  maxPerAddress: Infinity,
  maxHandshakes: Infinity,
};

/** The checks of {@linkcode ConnectionLimits}. */
export const CONNECTIONS: Checks<ConnectionLimits> = {
  max: positive,
  maxPerAddress: positive,
  maxHandshakes: positive,
};

const REASONS: Readonly<Record<keyof ConnectionLimits, string>> = {
  max: "there are too many connections",
  maxHandshakes: "there are too many handshakes under way",
  maxPerAddress: "there are too many connections from this address",
};

/** What an admission asks of its server. */
interface AdmissionHost {
  readonly clock: Clock;
  readonly handshake: HandshakeOptions;
  refused(refusal: Refusal): void;
}

/** Does not listen: a transport that was refused has nothing more to say. */
const DEAF: Sink<unknown> = { event() {}, drained() {}, failed() {}, gone() {} };

/** Counts transports, and refuses those beyond the limits. */
export class Admission {
  readonly #limits: ConnectionLimits;
  readonly #byAddress = new Map<string, number>();
  #total = 0;
  #handshakes = 0;

  constructor(given: Partial<ConnectionLimits> = {}) {
    this.#limits = { ...UNLIMITED, ...given };
  }

  /** Counts the transport in; or answers it with 503, and returns false. */
  admit(transport: Transport, host: AdmissionHost): boolean {
    const limit = this.#limitReached(transport);
    if (limit === undefined) {
      this.#total++;
      this.#handshakes++;
      this.#add(transport, 1);
      return true;
    }
    refuse(transport, host, REASONS[limit]);
    host.refused({ status: 503, rule: `connections.${limit}`, peer: transport.peer });
    return false;
  }

  /** A handshake, or other request, is over. */
  settle(): void {
    this.#handshakes--;
  }

  /** The transport is gone. */
  leave(transport: Transport): void {
    this.#total--;
    this.#add(transport, -1);
  }

  #limitReached(transport: Transport): keyof ConnectionLimits | undefined {
    const { max, maxPerAddress, maxHandshakes } = this.#limits;
    if (this.#total >= max) return "max";
    if (this.#handshakes >= maxHandshakes) return "maxHandshakes";
    return this.#count(transport) >= maxPerAddress ? "maxPerAddress" : undefined;
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

/** Answers before anything that the transport says was read. */
function refuse(
  transport: Transport,
  { clock, handshake: options }: AdmissionHost,
  reason: string,
): void {
  const handshake = new ServerHandshake(options, clock.now());
  handshake.reject(503, { "Retry-After": "5" }, `${reason}\n`);
  new Pump(transport, clock, handshake, DEAF).start();
}
