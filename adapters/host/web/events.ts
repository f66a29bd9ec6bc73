// The events of the web's WebSocket, and the `on…` attributes of event targets, for runtimes that
// lack some of them.

import { exposeInterface, requireArgument, toScalarText } from "./web.ts";

/** How a {@linkcode CloseEvent} is made. */
export interface CloseEventInit extends EventInit {
  /** Default false. */
  readonly wasClean?: boolean;
  /** Default 0. */
  readonly code?: number;
  /** Default empty. */
  readonly reason?: string;
}

/** The event that ends a WebSocket (WHATWG WebSockets §5). */
export interface CloseEvent extends Event {
  /** Whether Close frames went both ways. */
  readonly wasClean: boolean;
  /** The peer's code; 1005 when it gave none, 1006 when there was no Close frame. */
  readonly code: number;
  /** The peer's; at most 123 bytes of UTF-8, empty when it gave none. */
  readonly reason: string;
}

class OwnCloseEvent extends Event implements CloseEvent {
  readonly #wasClean: boolean;
  readonly #code: number;
  readonly #reason: string;

  constructor(type: string, init: CloseEventInit = {}) {
    requireArgument(arguments.length, "CloseEvent");
    super(type, init);
    const { wasClean = false, code = 0, reason = "" } = init;
    this.#wasClean = Boolean(wasClean);
    // Web IDL, `unsigned short`: modulo 65536.
    this.#code = +code & 0xffff;
    this.#reason = toScalarText(reason);
  }

  get wasClean(): boolean {
    return this.#wasClean;
  }

  get code(): number {
    return this.#code;
  }

  get reason(): string {
    return this.#reason;
  }
}

exposeInterface(OwnCloseEvent, {}, "CloseEvent");

/**
 * The runtime's own CloseEvent where there is one, so that `instanceof` holds; Node has none before
 * 23.
 */
export const CloseEvent: new(type: string, init?: CloseEventInit) => CloseEvent =
  (globalThis as unknown as { CloseEvent?: typeof OwnCloseEvent; }).CloseEvent ?? OwnCloseEvent;

/**
 * The event before a `close` that is not clean, with what went wrong: more than a browser would
 * tell a page.
 */
export class ConnectionErrorEvent extends Event {
  /** A HandshakeError, a ProtocolError, or what the runtime reported. */
  readonly error: unknown;
  /** What the error says. */
  readonly message: string;

  /** Made with what went wrong. */
  constructor(error: unknown) {
    super("error");
    this.error = error;
    this.message = error instanceof Error ? error.message : String(error);
  }
}

type Listener = ((this: unknown, event: never) => unknown) | null;

/**
 * The values of the `on…` attributes of one event target (HTML §8.1.8.1, event handler IDL
 * attributes).
 */
export class HandlerAttributes {
  readonly #target: EventTarget;
  readonly #handlers = new Map<string, Listener>();

  constructor(target: EventTarget) {
    this.#target = target;
  }

  get(type: string): Listener {
    return this.#handlers.get(type) ?? null;
  }

  // A handler keeps the place among the listeners at which the attribute was set, until it is set
  // to null.
  set(type: string, value: unknown): void {
    const isObject = typeof value === "function" || (typeof value === "object" && value !== null);
    if (isObject) this.#activate(type, value as Listener);
    else this.#deactivate(type);
  }

  #activate(type: string, handler: Listener): void {
    if (!this.#handlers.has(type)) this.#target.addEventListener(type, this.#call);
    this.#handlers.set(type, handler);
  }

  #deactivate(type: string): void {
    if (this.#handlers.delete(type)) this.#target.removeEventListener(type, this.#call);
  }

  readonly #call = (event: Event): void => {
    const handler = this.get(event.type);
    if (typeof handler === "function") handler.call(this.#target, event as never);
  };
}
