// A WebSocket server over any runtime: it accepts transports, opens sockets on them, publishes to
// them, and closes them all. Transports become sockets in incoming.ts; serve.ts listens for them.

import { encodeClose } from "../../../core/internal.ts";
import type { HandshakeOptions, Opened, RequestHead, SendOptions } from "../../../core/mod.ts";
import { CloseCode } from "../../../core/mod.ts";
import {
  anything,
  callable,
  checkOptions,
  type Checks,
  members,
  takes,
  withDefaults,
} from "../check.ts";
import { after, type Clock } from "../clock.ts";
import { COMMON, type CommonOptions, HANDLERS, handshakeOptions } from "../options.ts";
import { SERVER_BACKPRESSURE, subprotocols } from "../options.ts";
import { call, pickHandlers, report } from "../socket/handlers.ts";
import { publish, type Sendable } from "../socket/sending.ts";
import type { Backpressure, Owner, Session } from "../socket/session.ts";
import { type Handlers, openSession, type Socket } from "../socket/socket.ts";
import { Topics } from "../topics.ts";
import type { Context, Runtime } from "../transport.ts";
import { plain, type Transport } from "../transport.ts";
import { Deferred } from "../waiting.ts";
import { Admission, type ConnectionLimits, CONNECTIONS } from "./admission.ts";
import { Forwarded, type ForwardedHost } from "./forwarded.ts";
import type { Refusal, RefusedHandler, RequestHook, UpgradeHook } from "./hooks.ts";
import { Incoming, type IncomingHost } from "./incoming.ts";

/** How a server treats its clients. */
export interface ServerOptions<Data = unknown> extends CommonOptions, Handlers<Data> {
  /** Asked before each 101: origin, authentication, subprotocol, headers. Default: accepts all. */
  readonly upgrade?: UpgradeHook<Data> | undefined;
  /** Serves GET and HEAD requests that are not upgrades. Default: 426. */
  readonly request?: RequestHook | undefined;
  /** Hears of everything that is turned away: status, rule and peer. */
  readonly refused?: RefusedHandler | undefined;
  /** Subprotocols in order of preference, for when the upgrade hook names none. */
  readonly protocols?: readonly string[] | undefined;
  /** How many may come in. */
  readonly connections?: Partial<ConnectionLimits> | undefined;
}

/** How a server is closed. */
export interface CloseOptions {
  /** For the Close frames. Default 1001. */
  readonly code?: number | undefined;
  /** For the Close frames. Default empty. */
  readonly reason?: string | undefined;
  /** Milliseconds after which what is still there is dropped. Default 10 s; `Infinity` waits. */
  readonly deadline?: number | undefined;
}

/** The checks of {@linkcode ServerOptions}. */
export const SERVER: Checks<ServerOptions<never>> = {
  ...COMMON,
  ...HANDLERS,
  upgrade: callable,
  request: callable,
  refused: callable,
  protocols: subprotocols,
  connections: members(CONNECTIONS),
};

const CLOSE: Checks<CloseOptions> = {
  code: anything,
  reason: anything,
  deadline: takes("milliseconds, 0 or more, or Infinity", (value) => {
    return typeof value === "number" && value >= 0;
  }),
};

/** A server without a listener: transports are given to it. */
export class SocketServer<Data = unknown>
  implements Owner<Socket<Data>>, IncomingHost<Data>, ForwardedHost
{
  readonly handlers: Handlers<Data>;
  readonly backpressure: Backpressure;
  readonly topics: Topics<Socket<Data>> = new Topics();
  readonly clock: Clock;
  readonly handshake: HandshakeOptions;
  readonly protocols: readonly string[];
  readonly upgrade: UpgradeHook<Data> | undefined;
  readonly request: RequestHook | undefined;
  readonly ordered: boolean;
  readonly sha1: Runtime["sha1"];
  readonly #refused: RefusedHandler | undefined;
  readonly #runtime: Runtime;
  readonly #context: Context;

  readonly #sockets = new Set<Socket<Data>>();
  readonly #incoming = new Set<Incoming<Data> | Forwarded>();
  readonly #admission: Admission;
  #closed: Deferred<void> | undefined;

  /** Takes options that are checked. */
  constructor(runtime: Runtime, options: ServerOptions<Data>) {
    this.handlers = pickHandlers(options, Object.keys(HANDLERS));
    this.backpressure = withDefaults(SERVER_BACKPRESSURE, options.backpressure);
    this.clock = runtime.clock;
    this.sha1 = runtime.sha1;
    this.handshake = handshakeOptions(runtime, options);
    this.protocols = [...options.protocols ?? []];
    this.upgrade = options.upgrade?.bind(options);
    this.request = options.request?.bind(options);
    this.ordered = options.ordered ?? false;
    this.#refused = options.refused?.bind(options);
    this.#admission = new Admission(options.connections);
    this.#runtime = runtime;
    this.#context = this.captureContext();
  }

  /** The open sockets. */
  get sockets(): ReadonlySet<Socket<Data>> {
    return this.#sockets;
  }

  /** Sends to all subscribers of the topic; returns to how many. */
  publish(topic: string, data: Sendable, options?: SendOptions): number {
    return publish(this.topics, topic, data, options);
  }

  // --- Transports ---

  /** Takes a transport; `head` and `rest` are there when an HTTP server has read the request. */
  accept(
    transport: Transport,
    head?: RequestHead,
    rest?: Uint8Array,
    context: Context = this.#context,
  ): void {
    if (this.#admission.admit(transport, this)) this.#begin(transport, context, head, rest);
  }

  /** Takes a transport of a trusted proxy, which begins with a PROXY header. */
  acceptForwarded(transport: Transport): void {
    // It has a place from now on, but counts for an address only when the client's is known.
    if (!this.#admission.enter(transport, this)) return;
    const forwarded = new Forwarded(transport, this, this.#context);
    this.#incoming.add(forwarded);
    forwarded.pump.start();
  }

  forwarded(from: Forwarded, transport: Transport, rest: Uint8Array): void {
    this.#incoming.delete(from);
    if (this.#admission.identify(transport, this)) {
      this.#begin(transport, this.#context, undefined, rest);
    } else {
      this.#noteLeaving();
    }
  }

  unforwarded(from: Forwarded): void {
    this.#incoming.delete(from);
    this.#admission.withdraw();
    this.#noteLeaving();
  }

  #begin(transport: Transport, context: Context, head?: RequestHead, rest?: Uint8Array): void {
    const incoming = new Incoming(transport, this, context);
    this.#incoming.add(incoming);
    incoming.start(head, rest);
  }

  captureContext(): Context {
    return this.#runtime.captureContext?.() ?? plain;
  }

  answering(): void {
    this.#admission.settle();
  }

  refused(refusal: Refusal): void {
    const { handlers } = this;
    if (this.#refused === undefined) return;
    void call(() => this.#refused!(refusal), (error) => report(handlers, error));
  }

  opened(incoming: Incoming<Data>, opened: Opened, data: Data): void {
    this.#incoming.delete(incoming);
    this.#admission.settle();
    const session = openSession(opened, incoming.pump, this, data);
    this.#sockets.add(session.socket);
    session.start(opened.rest);
    if (this.closing) session.close(CloseCode.goingAway, "");
  }

  gone(incoming: Incoming<Data>): void {
    this.#incoming.delete(incoming);
    if (!incoming.answered) this.#admission.settle();
    this.#leave(incoming.pump.transport);
  }

  forget({ socket, pump }: Session<Socket<Data>>): void {
    this.#sockets.delete(socket);
    this.#leave(pump.transport);
  }

  #leave(transport: Transport): void {
    this.#admission.leave(transport);
    this.#noteLeaving();
  }

  #noteLeaving(): void {
    if (this.#sockets.size === 0 && this.#incoming.size === 0) this.#closed?.resolve();
  }

  report(error: unknown): void {
    report(this.handlers, error);
  }

  // --- Closing ---

  /** Whether `close` was called. */
  get closing(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Closes every socket, answers upgrades that are under way with 503, waits, and drops what is
   * left at the deadline.
   *
   * @throws {UsageError} for a code or deadline that is not legal
   */
  async close(options?: CloseOptions): Promise<void> {
    const { code, reason, deadline } = resolveClose(options);
    const closed = this.#closed ??= this.#beginClosing(code, reason);
    // The earliest deadline counts, whichever call brought it.
    const cancel = after(deadline, () => this.#abortAll());
    await closed.promise;
    cancel();
  }

  #beginClosing(code: number, reason: string): Deferred<void> {
    const closed = this.#closed = new Deferred<void>();
    for (const socket of this.#sockets) socket.close(code, reason);
    for (const incoming of this.#incoming) incoming.abandon();
    if (this.#sockets.size === 0 && this.#incoming.size === 0) closed.resolve();
    return closed;
  }

  #abortAll(): void {
    for (const socket of this.#sockets) socket.abort();
    for (const { pump } of this.#incoming) pump.abort();
  }
}

/** The options with their defaults. @throws {UsageError} for an illegal code or deadline */
export function resolveClose(
  options: CloseOptions = {},
): { readonly code: number; readonly reason: string; readonly deadline: number; } {
  checkOptions(options, CLOSE, "close");
  const { code = CloseCode.goingAway, reason = "", deadline = 10_000 } = options;
  encodeClose(code, reason);
  return { code, reason, deadline };
}
