// The server's side of a transport until it is a socket: the request is read, the application
// decides, and then it is a WebSocket, an HTTP exchange, or gone.
//
// What is legal in a handshake is the core's ServerHandshake; requests that are not upgrades are
// served by exchange.ts.

import type {
  AcceptChoice,
  HandshakeOptions,
  Opened,
  RequestHead,
  UpgradeRequest,
} from "../../../core/mod.ts";
import { ServerHandshake } from "../../../core/mod.ts";
import type { Clock, Sleeper } from "../clock.ts";
import { linger } from "../linger.ts";
import type { Transport, TransportEvents } from "../transport.ts";
import { exchange } from "./exchange.ts";
import { fieldsOf } from "./response.ts";
import type { Accept, Reject, RequestHook, UpgradeDecision, UpgradeHook } from "./upgrade.ts";

/** What an opening asks of its server. */
export interface OpeningHost<Data> {
  readonly clock: Clock;
  readonly handshake: HandshakeOptions;
  readonly protocols: readonly string[];
  readonly upgrade?: UpgradeHook<Data> | undefined;
  readonly request?: RequestHook | undefined;
  /** Whether the server accepts no more sockets. */
  readonly closing: boolean;
  /** The handshake succeeded: the transport becomes a socket. */
  opened(opening: Opening<Data>, opened: Opened, data: Data): void;
  /** The transport is gone without having become a socket. */
  gone(opening: Opening<Data>): void;
  report(error: unknown): void;
}

/** One transport whose request is not answered yet. */
export class Opening<Data> implements TransportEvents, Sleeper {
  readonly transport: Transport;
  readonly #host: OpeningHost<Data>;
  readonly #handshake: ServerHandshake;
  #alarm: number;
  #deciding = false;
  #over = false;

  /** `head` is there when an HTTP server has read the request already. */
  constructor(transport: Transport, host: OpeningHost<Data>, head?: RequestHead) {
    const now = host.clock.now();
    this.transport = transport;
    this.#host = host;
    this.#handshake = head === undefined
      ? new ServerHandshake(host.handshake, now)
      : ServerHandshake.fromRequest(head, host.handshake, now);
    this.#alarm = host.clock.schedule(this, this.#handshake.deadline);
  }

  /** Begins to read; `rest` are bytes that came behind a head that was read already. */
  start(rest?: Uint8Array): void {
    this.transport.attach(this);
    if (rest !== undefined && !this.#over) this.#handshake.receive(rest, this.#host.clock.now());
    this.#proceed();
  }

  /** The server closes: whoever has not asked for anything yet is not waited for. */
  abandon(): void {
    if (this.#handshake.request === undefined && this.#handshake.plainRequest === undefined) {
      this.transport.abort();
    }
  }

  // --- From the transport ---

  received(chunk: Uint8Array): void {
    this.#handshake.receive(chunk, this.#host.clock.now());
    this.#proceed();
  }

  ended(): void {
    this.#handshake.receiveEnd(this.#host.clock.now());
    this.#settle();
  }

  drained(): void {}

  closed(): void {
    this.#finish();
    this.#host.gone(this);
  }

  // --- From the clock ---

  wake(now: number): void {
    this.#handshake.tick(now);
    this.#settle();
    if (!this.#over) this.#alarm = this.#host.clock.schedule(this, this.#handshake.deadline);
  }

  // --- The request ---

  #proceed(): void {
    const { request, plainRequest } = this.#handshake;
    if (request !== undefined && !this.#deciding) {
      this.#deciding = true;
      this.#decide(request).catch((error: unknown) => this.#blunder(error));
    } else if (plainRequest !== undefined) {
      this.#serve(plainRequest);
    } else {
      this.#settle();
    }
  }

  async #decide(request: UpgradeRequest): Promise<void> {
    const decision = this.#host.closing ? CLOSING : await this.#ask(request);
    if (this.#over) return;
    if (isReject(decision)) {
      const { status, headers, body } = decision instanceof Response
        ? await rejectOf(decision)
        : decision;
      this.#handshake.reject(status, headers, body);
      return this.#settle();
    }
    const opened = await this.#handshake.accept(this.#choice(request, decision));
    if (this.#over) return;
    this.#finish();
    this.transport.write(this.#handshake.takeOutput());
    this.#host.opened(this, opened, decision?.data as Data);
  }

  // A hook that answers at once costs neither a pause nor a turn of the event loop.
  #ask(request: UpgradeRequest): UpgradeDecision<Data> | Promise<UpgradeDecision<Data>> {
    if (this.#host.upgrade === undefined) return undefined;
    const { peer, secure } = this.transport;
    const decision = this.#host.upgrade({ ...request, peer, secure });
    if (!(decision instanceof Promise)) return decision;
    this.transport.pause();
    return decision.finally(() => {
      if (!this.#over) this.transport.resume();
    });
  }

  #choice(request: UpgradeRequest, decision: Accept<Data> | undefined | void): AcceptChoice {
    const protocol = decision?.protocol
      ?? this.#host.protocols.find((name) => request.protocols.includes(name));
    return { protocol, headers: decision?.headers };
  }

  #serve(head: RequestHead): void {
    const { request: hook, closing } = this.#host;
    if (hook === undefined || closing) {
      const { status, headers, body } = closing ? CLOSING : UPGRADE_REQUIRED;
      this.#handshake.reject(status, headers, body);
      return this.#settle();
    }
    this.#finish();
    exchange(
      head,
      this.#handshake.takeRest(),
      this.transport,
      hook,
      this.#host,
      () => this.#host.gone(this),
    );
  }

  /** The application failed, which is not the client's fault. */
  #blunder(error: unknown): void {
    if (error === this.#handshake.failure || this.#over) return;
    this.#host.report(error);
    this.#handshake.reject(500, undefined, "the server failed to answer this request\n");
    this.#settle();
  }

  // --- The end ---

  #settle(): void {
    if (this.#over) return;
    const output = this.#handshake.takeOutput();
    if (output.length > 0) this.transport.write(output);
    if (this.#handshake.outputEnded) this.#leave();
  }

  #leave(): void {
    if (this.#over) return;
    this.#finish();
    linger(this.transport, this.#host.clock, () => this.#host.gone(this));
  }

  #finish(): void {
    this.#over = true;
    this.#host.clock.cancel(this, this.#alarm);
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
