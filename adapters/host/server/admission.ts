// Who may come in: limits on connections, in all and for one address, and on handshakes that are
// under way. A transport beyond them is answered with 503 and the reason.

import { type HandshakeOptions, ServerHandshake } from "../../../core/mod.ts";
import { type Checks, positive, withDefaults } from "../check.ts";
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
    this.#limits = withDefaults(UNLIMITED, given);
  }

  /** Counts the transport in; or answers it with 503, and returns false. */
  admit(transport: Transport, host: AdmissionHost): boolean {
    return this.enter(transport, host) && this.identify(transport, host);
  }

  /** As `admit`, but for the address: a PROXY header brings it later. */
  enter(transport: Transport, host: AdmissionHost): boolean {
    const { max, maxHandshakes } = this.#limits;
    if (this.#total >= max) return refuse(transport, host, "max");
    if (this.#handshakes >= maxHandshakes) return refuse(transport, host, "maxHandshakes");
    this.#total++;
    this.#handshakes++;
    return true;
  }

  /** Counts the address of a transport that has entered; or answers it, and takes that back. */
  identify(transport: Transport, host: AdmissionHost): boolean {
    if (this.#count(transport) < this.#limits.maxPerAddress) {
      this.#add(transport, 1);
      return true;
    }
    this.withdraw();
    return refuse(transport, host, "maxPerAddress");
  }

  /** A transport that has entered is gone before it was identified. */
  withdraw(): void {
    this.#total--;
    this.#handshakes--;
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
function refuse(transport: Transport, host: AdmissionHost, limit: keyof ConnectionLimits): false {
  const { clock } = host;
  const handshake = new ServerHandshake(host.handshake, clock.now());
  handshake.reject(503, { "Retry-After": "5" }, `${REASONS[limit]}\n`);
  new Pump(transport, clock, handshake, DEAF).start();
  host.refused({ status: 503, rule: `connections.${limit}`, peer: transport.peer });
  return false;
}
