// The PROXY protocol (HAProxy, doc/proxy-protocol.txt) on a transport: its options, a transport
// that waits for its header, and one with the client's address. proxyheader.ts reads the header.

import { resolveTimeouts } from "../../../core/internal.ts";
import { type HandshakeOptions, UsageError } from "../../../core/mod.ts";
import { type Check, checkOptions, type Checks, takes } from "../check.ts";
import type { Clock } from "../clock.ts";
import { Pump, type Sink } from "../pump.ts";
import type { Address, Context, Transport, TransportEvents } from "../transport.ts";
import type { Refusal } from "./hooks.ts";
import { isNetwork, UNIX } from "./networks.ts";
import { type HeaderEvent, ProxyHeader } from "./proxyheader.ts";

/** Which peers name their clients in a header of the PROXY protocol. */
export interface ProxyProtocolOptions {
  /**
   * At least one of: an IPv4 or IPv6 address, a network such as `"10.0.0.0/8"`, and `"unix:"` for
   * all peers of a unix socket.
   */
  readonly trusted: readonly string[];
}

const PROXY_PROTOCOL: Checks<ProxyProtocolOptions> = {
  trusted: takes("an array of addresses, networks such as 10.0.0.0/8, or unix:", (value) => {
    return Array.isArray(value) && value.length > 0
      && value.every((entry) => entry === UNIX || isNetwork(entry));
  }),
};

/** Takes {@linkcode ProxyProtocolOptions}. */
export const proxyProtocol: Check = (value, path) => {
  checkOptions(value as ProxyProtocolOptions, PROXY_PROTOCOL, path);
  if ((value as ProxyProtocolOptions).trusted !== undefined) return;
  throw new UsageError(`${path}.trusted is missing: it lists the proxies that may name a client`);
};

/** What a forwarded transport asks of its server. */
export interface ForwardedHost {
  readonly clock: Clock;
  readonly handshake: HandshakeOptions;
  /** The header is read: the transport leads to the client. */
  forwarded(from: Forwarded, transport: Transport, rest: Uint8Array): void;
  refused(refusal: Refusal): void;
  /** The transport is gone before its header was read. */
  unforwarded(from: Forwarded): void;
  report(error: unknown): void;
}

/** The transport of a trusted proxy whose header is not read yet. */
export class Forwarded implements Sink<HeaderEvent> {
  readonly pump: Pump;
  readonly #host: ForwardedHost;
  #over = false;
  #abandoned = false;

  constructor(transport: Transport, host: ForwardedHost, context: Context) {
    const { handshake } = resolveTimeouts(host.handshake.timeouts);
    const header = new ProxyHeader(host.clock.now() + handshake);
    this.#host = host;
    this.pump = new Pump(transport, host.clock, header, this);
    this.pump.context = context;
  }

  /** The server closes: it does not wait for a header. */
  abandon(): void {
    this.#abandoned = true;
    this.pump.abort();
  }

  event(event: HeaderEvent): void {
    const { transport } = this.pump;
    if (event.type === "failed") {
      if (this.#abandoned) return; // It is the server that has ended it.
      return this.#host.refused({ status: 400, rule: "proxy-protocol", peer: transport.peer });
    }
    const { client, rest } = event;
    this.#over = true;
    // Takes the pump off the clock: the transport gets another pump, with the client's handshake.
    this.pump.closed();
    const onward = client === undefined ? transport : new ClientTransport(transport, client);
    this.#host.forwarded(this, onward, rest);
  }

  drained(): void {}

  failed(error: unknown): void {
    this.#host.report(error);
  }

  gone(): void {
    if (!this.#over) this.#host.unforwarded(this);
  }
}

/** A transport whose peer is the client that a proxy named. */
class ClientTransport implements Transport {
  readonly peer: Address;
  readonly #transport: Transport;

  constructor(transport: Transport, peer: Address) {
    this.peer = peer;
    this.#transport = transport;
  }

  get secure(): boolean {
    return this.#transport.secure;
  }

  get bufferedAmount(): number {
    return this.#transport.bufferedAmount;
  }

  get done(): boolean {
    return this.#transport.done ?? false;
  }

  attach(events: TransportEvents): void {
    this.#transport.attach(events);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    return this.#transport.write(chunks);
  }

  end(): void {
    this.#transport.end();
  }

  abort(): void {
    this.#transport.abort();
  }

  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }
}
