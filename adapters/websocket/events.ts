// The events of the web's WebSocket (WHATWG WebSockets §5) for runtimes without them, its `on…`
// attributes (HTML §8.1.8.1), and the queue of tasks that fires events. Conversions of arguments
// are in idl.ts.

import { exposeInterface, requireArgument, toScalarText } from "../host/webidl.ts";

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

/** The runtime's own CloseEvent, so that `instanceof` holds. Node has none before 23. */
export const CloseEvent: new(type: string, init?: CloseEventInit) => CloseEvent =
  (globalThis as unknown as { CloseEvent?: typeof OwnCloseEvent; }).CloseEvent ?? OwnCloseEvent;

/** The `error` event before an unclean `close`, with its cause, which browsers keep secret. */
export class ConnectionErrorEvent extends Event {
  /** A HandshakeError, a ProtocolError, or an error of the runtime. */
  readonly error: unknown;
  /** The error's message. */
  readonly message: string;

  /** Made with what went wrong. */
  constructor(error: unknown) {
    super("error");
    this.error = error;
    this.message = error instanceof Error ? error.message : String(error);
  }
}

// --- Event handler attributes ---

type Listener = ((this: unknown, event: never) => unknown) | null;

/** The values of one target's `on…` attributes (HTML §8.1.8.1, event handler IDL attributes). */
export class HandlerAttributes {
  readonly #target: EventTarget;
  readonly #handlers = new Map<string, Listener>();

  constructor(target: EventTarget) {
    this.#target = target;
  }

  get(type: string): Listener {
    return this.#handlers.get(type) ?? null;
  }

  // A handler keeps its place among the listeners until the attribute is set to null.
  set(type: string, value: unknown): void {
    if (Object(value) === value) {
      if (!this.#handlers.has(type)) this.#target.addEventListener(type, this.#call);
      this.#handlers.set(type, value as Listener);
    } else if (this.#handlers.delete(type)) {
      this.#target.removeEventListener(type, this.#call);
    }
  }

  readonly #call = (event: Event): void => {
    const handler = this.get(event.type);
    if (typeof handler === "function") handler.call(this.#target, event as never);
  };
}

/** Defines an accessor `on…` on the prototype for each type of event, as Web IDL names it. */
export function exposeHandlers<T extends object>(
  prototype: T,
  types: readonly string[],
  handlersOf: (target: T) => HandlerAttributes,
): void {
  for (const type of types) {
    const attribute = {
      get [`on${type}`](): Listener {
        return handlersOf(this as unknown as T).get(type);
      },
      set [`on${type}`](value: unknown) {
        handlersOf(this as unknown as T).set(type, value);
      },
    };
    Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(attribute));
  }
}
