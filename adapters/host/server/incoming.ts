// A server's transport until it is a socket: the request is read, the application decides, and then
// it is a WebSocket, an HTTP answer, or gone.
//
// What is legal in a handshake is the core's ServerHandshake; answer.ts serves other requests.

import { KEY_GUID } from "../../../core/internal.ts";
import {
  acceptKey,
  HANDSHAKE_FAULTS,
  type HandshakeError,
  ServerHandshake,
} from "../../../core/mod.ts";
import type { HandshakeOptions, Opened, RequestHead } from "../../../core/mod.ts";
import type { ServerHandshakeEvent, UpgradeRequest } from "../../../core/mod.ts";
import {
  anything,
  checkOptions,
  type Checks,
  integer,
  isObject,
  isPlain,
  wrong,
} from "../check.ts";
import type { Clock } from "../clock.ts";
import { headers } from "../options.ts";
import { Hold, Pump, type Sink } from "../pump.ts";
import { call } from "../socket/handlers.ts";
import type { Context, Transport } from "../transport.ts";
import { isThenable } from "../waiting.ts";
import { answer, fieldsOf, isResponse } from "./answer.ts";
import type { Accept, Refusal, Reject, RequestHook, UpgradeHook } from "./hooks.ts";

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
  captureContext(): Context;
  /** A request without an upgrade is being answered: no handshake is under way any more. */
  answering(): void;
  /** The handshake succeeded: the transport becomes a socket. */
  opened(incoming: Incoming<Data>, opened: Opened, data: Data): void;
  refused(refusal: Refusal): void;
  /** The transport is gone without having become a socket. */
  gone(incoming: Incoming<Data>): void;
  report(error: unknown): void;
}

/** One transport whose request is not answered yet. */
export class Incoming<Data> implements Sink<ServerHandshakeEvent> {
  readonly pump: Pump;
  /** Whether a request without an upgrade is being answered. */
  answered = false;
  readonly #host: IncomingHost<Data>;
  readonly #handshake: ServerHandshake;
  #request: RequestHead | undefined;
  /** Tells the hook that its decision is not waited for any more. */
  #deciding: AbortController | undefined;
  /** The request was answered, or the transport is gone. */
  #over = false;

  constructor(transport: Transport, host: IncomingHost<Data>, context: Context) {
    this.#host = host;
    this.#handshake = new ServerHandshake(host.handshake, host.clock.now());
    this.pump = new Pump(transport, host.clock, this.#handshake, this);
    this.pump.context = context;
  }

  /** Begins to read: `head` was parsed by an HTTP server, `rest` came with what was read before. */
  start(head?: RequestHead, rest?: Uint8Array): void {
    this.pump.start();
    if (head !== undefined) {
      this.pump.deliver(this.#handshake.receiveHead(head, this.#host.clock.now()));
    }
    if (rest !== undefined) this.pump.received(rest);
  }

  /** The server closes: it does not wait for a client that has not asked for anything. */
  abandon(): void {
    if (this.#request === undefined) this.pump.abort();
  }

  // --- From the pump ---

  event(event: ServerHandshakeEvent): void {
    if (event.type === "failed") {
      this.#request ??= event.request;
      return this.#fail(event.error);
    }
    // A client that waits for the answer sends nothing, and is read, so that its end is seen.
    if (event.type === "early") return this.pump.hold(Hold.inbox);
    this.#request = event.request;
    if (event.type === "request") return this.#serve(event.request);
    this.#decide(event.request).catch((error: unknown) => this.failed(error));
  }

  drained(): void {}

  /** The application failed, which is not the client's fault. */
  failed(error: unknown): void {
    this.#host.report(error);
    this.#reject(HOOK_FAILED, "hook-failed");
  }

  gone(): void {
    this.#end();
    this.#host.gone(this);
  }

  #fail(error: HandshakeError): void {
    this.#end();
    // Without an answer nothing was asked: a load balancer opens connections in advance.
    if (this.#handshake.pendingOutput === 0) return;
    this.#refused(HANDSHAKE_FAULTS[error.fault].status!, error.fault);
  }

  #end(): void {
    this.#over = true;
    this.#deciding?.abort(new DOMException("the client has left", "AbortError"));
    this.#deciding = undefined;
  }

  // --- The decision ---

  async #decide(request: UpgradeRequest): Promise<void> {
    if (this.#host.closing) return this.#reject(CLOSING, "closing");
    const given = this.#ask(request);
    const decision = checkDecision<Data>(isThenable(given) ? await given : given);
    if (this.#over) return this.#discard(decision);
    if ("status" in decision) {
      const reject = isResponse(decision) ? await rejectOf(decision) : decision;
      return this.#reject(reject, "rejected");
    }
    const { sha1 } = this.#host;
    const accept = sha1?.(request.key + KEY_GUID) ?? await acceptKey(request.key);
    if (!this.#over) this.#open(request, decision, accept);
  }

  /** A body that is not sent is given back. */
  #discard(decision: object): void {
    if (!isResponse(decision)) return;
    void call(() => decision.body?.cancel(), (error) => this.#host.report(error));
  }

  // The socket's handlers run in the context that the hook leaves when it returns.
  #ask(request: UpgradeRequest): unknown {
    if (this.#host.upgrade === undefined) return undefined;
    const { peer, secure } = this.pump.transport;
    const { signal } = this.#deciding = new AbortController();
    const decision: unknown = this.#host.upgrade({ ...request, peer, secure, signal });
    this.pump.context = this.#host.captureContext();
    return decision;
  }

  #open(request: UpgradeRequest, decision: Accept<Data>, accept: string): void {
    const offered = (name: string): boolean => request.protocols.includes(name);
    const protocol = decision.protocol ?? this.#host.protocols.find(offered);
    const choice = { protocol, headers: decision.headers };
    const opened = this.#handshake.accept(choice, accept, this.#host.clock.now());
    if (opened === undefined) return;
    this.#over = true;
    this.pump.release(Hold.inbox);
    this.#host.opened(this, opened, decision.data as Data);
  }

  #reject({ status, headers, body }: Reject, rule: string): void {
    if (this.#over) return;
    this.#handshake.reject(status, headers, body);
    this.#end();
    this.pump.release(Hold.inbox);
    this.pump.commit();
    this.#refused(status, rule);
  }

  #serve(head: RequestHead): void {
    const { request: hook, closing } = this.#host;
    if (closing) return this.#reject(CLOSING, "closing");
    if (hook === undefined) return this.#reject(UPGRADE_REQUIRED, "no-request-hook");
    this.#over = this.answered = true;
    this.#host.answering();
    answer(head, this.pump, hook, this.#host, () => this.#host.gone(this));
  }

  #refused(status: number, rule: string): void {
    const request = this.#request;
    const { peer } = this.pump.transport;
    this.#host.refused({ status, rule, peer, ...request && { request } });
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

const HOOK_FAILED: Reject = {
  status: 500,
  body: "the server failed to answer this request\n",
};

const ACCEPT: Checks<Accept> = { protocol: takesText, headers, data: anything };
const REJECT: Checks<Reject> = { status: integer(200, 599), headers, body: takesBody };

function takesText(value: unknown, path: string): void {
  if (typeof value !== "string") throw wrong(path, value, "a string");
}

function takesBody(value: unknown, path: string): void {
  if (typeof value === "string" || isBytes(value)) return;
  throw wrong(path, value, "a string or a Uint8Array");
}

// Of any realm: an array of bytes has this name by itself.
function isBytes(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === "[object Uint8Array]";
}

// Fails closed: what is none of the four things that a hook may return opens no WebSocket.
function checkDecision<Data>(given: unknown = {}): Accept<Data> | Reject | Response {
  if (isResponse(given)) return given;
  if (isObject(given) && "status" in given) checkOptions(given as Reject, REJECT, "upgrade");
  else if (isObject(given) && !isPlain(given)) throw wrong("upgrade", given, "a decision");
  else checkOptions(given as Accept, ACCEPT, "upgrade");
  return given as Accept<Data> | Reject;
}

async function rejectOf(response: Response): Promise<Reject> {
  const headers = fieldsOf(response, "content-length");
  return { status: response.status, headers, body: new Uint8Array(await response.arrayBuffer()) };
}
