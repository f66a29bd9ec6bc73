// A server's transport until it is a socket: the request is read, the application decides, and then
// it is a WebSocket, an HTTP answer, or gone.
//
// What is legal in a handshake is the core's ServerHandshake; answer.ts serves other requests.

import { KEY_GUID } from "../../../core/internal.ts";
import {
  acceptKey,
  type HandshakeOptions,
  type Opened,
  type RequestHead,
} from "../../../core/mod.ts";
import {
  ServerHandshake,
  type ServerHandshakeEvent,
  type UpgradeRequest,
} from "../../../core/mod.ts";
import type { Clock } from "../clock.ts";
import { Hold, Pump, type Sink } from "../pump.ts";
import type { Transport } from "../transport.ts";
import { answer, fieldsOf } from "./answer.ts";
import type { Accept, Reject, RequestHook, UpgradeDecision, UpgradeHook } from "./hooks.ts";

/** What an incoming transport asks of its server. */
export interface IncomingHost<Data> {
  readonly clock: Clock;
  readonly handshake: HandshakeOptions;
  readonly protocols: readonly string[];
  readonly upgrade?: UpgradeHook<Data> | undefined;
  readonly request?: RequestHook | undefined;
  readonly sha1?: ((text: string) => string) | undefined;
  /** Whether the server accepts no more sockets. */
  readonly closing: boolean;
  /** The handshake succeeded: the transport becomes a socket. */
  opened(incoming: Incoming<Data>, opened: Opened, data: Data): void;
  /** The transport is gone without having become a socket. */
  gone(incoming: Incoming<Data>): void;
  report(error: unknown): void;
}

/** One transport whose request is not answered yet. */
export class Incoming<Data> implements Sink<ServerHandshakeEvent> {
  readonly pump: Pump;
  readonly #host: IncomingHost<Data>;
  readonly #handshake: ServerHandshake;
  #asked = false;
  /** The request was answered, or the transport is gone. */
  #over = false;

  constructor(transport: Transport, host: IncomingHost<Data>) {
    this.#host = host;
    this.#handshake = new ServerHandshake(host.handshake, host.clock.now());
    this.pump = new Pump(transport, host.clock, this.#handshake, this);
  }

  /** Begins to read; `head` and `rest` are there when an HTTP server has read the request. */
  start(head?: RequestHead, rest?: Uint8Array): void {
    this.pump.start();
    if (head === undefined) return;
    this.pump.deliver(this.#handshake.receiveHead(head, this.#host.clock.now()));
    if (rest !== undefined) this.pump.received(rest);
  }

  /** The server closes: it does not wait for a client that has not asked for anything. */
  abandon(): void {
    if (!this.#asked) this.pump.abort();
  }

  // --- From the pump ---

  event(event: ServerHandshakeEvent): void {
    if (event.type === "failed") {
      this.#over = true;
      return;
    }
    this.#asked = true;
    if (event.type === "request") return this.#serve(event.request);
    this.#decide(event.request).catch((error: unknown) => this.failed(error));
  }

  drained(): void {}

  /** The application failed, which is not the client's fault. */
  failed(error: unknown): void {
    this.#host.report(error);
    this.#reject({ status: 500, body: "the server failed to answer this request\n" });
  }

  gone(): void {
    this.#over = true;
    this.#host.gone(this);
  }

  // --- The decision ---

  async #decide(request: UpgradeRequest): Promise<void> {
    const decision = this.#host.closing ? CLOSING : await this.#ask(request);
    if (this.#over) return;
    if (isReject(decision)) {
      return this.#reject(decision instanceof Response ? await rejectOf(decision) : decision);
    }
    const { sha1 } = this.#host;
    const accept = sha1?.(request.key + KEY_GUID) ?? await acceptKey(request.key);
    if (!this.#over) this.#open(request, decision, accept);
  }

  // A hook that answers at once costs neither a pause nor a turn of the event loop.
  #ask(request: UpgradeRequest): UpgradeDecision<Data> | Promise<UpgradeDecision<Data>> {
    if (this.#host.upgrade === undefined) return undefined;
    const { peer, secure } = this.pump.transport;
    const decision = this.#host.upgrade({ ...request, peer, secure });
    if (!(decision instanceof Promise)) return decision;
    this.pump.hold(Hold.inbox);
    return decision.finally(() => this.pump.release(Hold.inbox));
  }

  #open(request: UpgradeRequest, decision: Accept<Data> | undefined | void, accept: string): void {
    const offered = (name: string): boolean => request.protocols.includes(name);
    const protocol = decision?.protocol ?? this.#host.protocols.find(offered);
    const choice = { protocol, headers: decision?.headers };
    const opened = this.#handshake.accept(choice, accept, this.#host.clock.now());
    if (opened === undefined) return;
    this.#over = true;
    this.#host.opened(this, opened, decision?.data as Data);
  }

  #reject({ status, headers, body }: Reject): void {
    if (this.#over) return;
    this.#handshake.reject(status, headers, body);
    this.#over = true;
    this.pump.commit();
  }

  #serve(head: RequestHead): void {
    const { request: hook, closing } = this.#host;
    if (closing) return this.#reject(CLOSING);
    if (hook === undefined) return this.#reject(UPGRADE_REQUIRED);
    this.#over = true;
    answer(head, this.pump, hook, this.#host, () => this.#host.gone(this));
  }
}

const CLOSING: Reject = {
  status: 503,
  headers: [["Retry-After", "5"]],
  body: "the server is closing\n",
};

// RFC 9110 §15.5.22: the field "Upgrade" says what would have been served.
const UPGRADE_REQUIRED: Reject = {
  status: 426,
  headers: [["Upgrade", "websocket"], ["Sec-WebSocket-Version", "13"]],
  body: "this server speaks WebSocket only\n",
};

function isReject<Data>(decision: UpgradeDecision<Data>): decision is Reject | Response {
  return typeof decision === "object" && "status" in decision;
}

async function rejectOf(response: Response): Promise<Reject> {
  const headers = fieldsOf(response, "content-length");
  return { status: response.status, headers, body: new Uint8Array(await response.arrayBuffer()) };
}
