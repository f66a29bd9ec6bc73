// A client that stays: when its connection ends it makes another, until it is told to stop or the
// end is one that would come again.
//
// When to try again, retry.ts decides; here are the timer, the attempts, and what goes on between
// connections. Messages that were given to a connection that is lost are lost with it: only the
// application knows whether sending them twice would do harm.

import { refuseUnknown } from "../../../core/limits.ts";
import type { ClosedEvent, SendOptions } from "../../../core/mod.ts";
import { CloseCode, encodeClose, UsageError } from "../../../core/mod.ts";
import { offAbort, onAbort } from "../abort.ts";
import { Deferred } from "../deferred.ts";
import { pickHandlers } from "../options.ts";
import type { Handlers, Message, Sendable } from "../socket/handlers.ts";
import { report } from "../socket/report.ts";
import type { SendResult, Socket } from "../socket/socket.ts";
import { requireSignal } from "./checks.ts";
import { CLIENT_NAMES, type ConnectOptions } from "./client.ts";
import { MessageChain } from "./message-chain.ts";
import type {
  Attempt,
  ReconnectingState,
  ReconnectOptions,
  ReconnectTarget,
  StateChange,
} from "./reconnect-options.ts";
import { type AttemptEnd, resolveRetry, RetryPolicy } from "./retry.ts";
import { SendingQueue } from "./sending-queue.ts";
import { parseTarget } from "./target.ts";

/** What is around the attempts; tests have other surroundings, with a clock of their own. */
export interface Surroundings {
  connect<Data>(url: string | URL, options: ConnectOptions<Data>): Promise<Socket<Data>>;
  /** Milliseconds; never goes back. */
  now(): number;
  /** Calls back after so many milliseconds; what is returned takes that back. */
  after(delay: number, callback: () => void): () => void;
  /** From 0 to 1. */
  random(): number;
}

const OWN_NAMES: readonly string[] = ["retry", "queue", "change"];

/** A socket that lasts: each connection that ends is followed by another. */
export class ReconnectingSocket<Data = unknown> implements AsyncIterable<Message> {
  readonly #target: ReconnectTarget;
  readonly #options: ConnectOptions<Data>;
  readonly #handlers: Handlers<Data>;
  readonly #change: ((change: StateChange<Data>) => void) | undefined;
  readonly #surroundings: Surroundings;

  // State
  #state: ReconnectingState = "connecting";
  #socket: Socket<Data> | undefined;
  readonly #policy: RetryPolicy;

  // Sending
  readonly #queue: SendingQueue;
  #flushing = false;

  // Reading
  readonly #messages = new MessageChain();

  // Closing
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => this.close(CloseCode.goingAway);
  /** What the caller has closed it with. */
  #closedWith: readonly [code: number, reason: string] | undefined;
  readonly #outcome = new Deferred<AttemptEnd | undefined>();

  /** Made by `reconnecting`. @throws {UsageError} for an unknown option or an illegal value */
  constructor(
    target: ReconnectTarget,
    options: ReconnectOptions<Data>,
    surroundings: Surroundings,
  ) {
    refuseUnknown("options", options, [
      ...CLIENT_NAMES.filter((name) => name !== "lifetime"),
      ...OWN_NAMES,
    ]);
    const { retry, queue, change: _change, signal, ...connectOptions } = options;
    if (signal !== undefined) requireSignal("signal", signal);
    if (typeof options.stream === "object") {
      throw new UsageError(
        "each attempt needs a stream of its own: give a function that makes one",
      );
    }
    if (typeof target !== "function") parseTarget(target, options.path);
    this.#target = target;
    this.#handlers = pickHandlers(options);
    this.#options = { ...connectOptions, ...this.#handlers };
    this.#change = options.change?.bind(options);
    this.#surroundings = surroundings;
    this.#policy = new RetryPolicy(resolveRetry(retry), () => surroundings.random());
    this.#queue = new SendingQueue(queue);
    this.#signal = signal;
    if (signal?.aborted) this.close(CloseCode.goingAway);
    if (signal !== undefined) onAbort(signal, this.#abort);
    queueMicrotask(() => this.#run());
  }

  // --- State ---

  /**
   * `"connecting"` at first; after `"closed"` there is no other. `change` hears of each new one.
   */
  get state(): ReconnectingState {
    return this.#state;
  }

  /** The socket in use; `undefined` between connections. */
  get socket(): Socket<Data> | undefined {
    return this.#socket;
  }

  /** Bytes, or characters of text, that wait for a connection, or in it. */
  get bufferedAmount(): number {
    return this.#queue.size + (this.#socket?.bufferedAmount ?? 0);
  }

  /**
   * Fulfilled when it is over, with the end of the last attempt, unless it was closed between two
   * of them; never rejected.
   */
  get closed(): Promise<AttemptEnd | undefined> {
    return this.#outcome.promise;
  }

  // --- Sending ---

  /**
   * Sends a message, or keeps it until there is a connection. What a connection took with it when
   * it was lost is not sent again.
   *
   * @throws {UsageError} for data of no kind that can be sent
   */
  send(data: Sendable, options?: SendOptions): SendResult {
    if (this.#closedWith !== undefined || this.#state === "closed") return "dropped";
    const socket = this.#socket;
    if (this.#state === "open" && !this.#flushing && socket?.state === "open") {
      return socket.send(data, options);
    }
    return this.#queue.push(data, options) ? "queued" : "dropped";
  }

  async #flush(socket: Socket<Data>): Promise<void> {
    this.#flushing = true;
    while (socket.state === "open" && this.#queue.length > 0) {
      const { data, options } = this.#queue.shift()!;
      if (socket.send(data, options) === "queued") await socket.ready();
    }
    this.#flushing = false;
  }

  // --- Closing ---

  /**
   * Ends it: closes the socket, or gives up the attempt or the wait for the next one. What waits to
   * be sent is dropped.
   *
   * @param code 1000 (the default) to 1003, 1007-1014 or 3000-4999; 1005 for a Close frame without
   *   a code
   * @param reason at most 123 bytes of UTF-8; a longer one is cut after a whole character
   * @throws {UsageError} for any other code
   */
  close(code: number = CloseCode.normal, reason: string = ""): void {
    encodeClose(code, reason);
    if (this.#closedWith !== undefined) return;
    this.#closedWith = [code, reason];
    this.#socket?.close(code, reason);
    this.#ending.abort();
  }

  // --- Reading ---

  /**
   * The messages of all connections, one after the other, when there is no `message` handler. It
   * ends quietly when it was closed, or the server closed with 1000, 1001 or without a code.
   *
   * @throws {SocketClosedError} when it is over and the last connection ended otherwise
   * @throws {ConnectError} {@linkcode HandshakeError} or whatever else the last attempt failed with
   * @throws {UsageError} when there is a handler of messages
   */
  [Symbol.asyncIterator](): AsyncGenerator<Message, undefined> {
    if (!this.#iterable) {
      throw new UsageError("the messages go to a handler: there are none to read");
    }
    return this.#messages[Symbol.asyncIterator]();
  }

  get #iterable(): boolean {
    return this.#handlers.message === undefined && this.#handlers.piece === undefined;
  }

  // --- Connections ---

  async #run(): Promise<void> {
    let previous: AttemptEnd | undefined;
    while (this.#closedWith === undefined) {
      const end = await this.#attempt(previous);
      const delay = this.#closedWith === undefined ? this.#decide(end) : undefined;
      if (delay === undefined) return this.#finish(end);
      this.#enter({ state: "waiting", attempt: this.#policy.attempt, delay, end });
      await this.#wait(delay);
      previous = end;
    }
    this.#finish(undefined);
  }

  async #attempt(previous: AttemptEnd | undefined): Promise<AttemptEnd> {
    const attempt = this.#policy.begin();
    this.#enter({ state: "connecting", attempt });
    try {
      const [socket, prepared] = await this.#connect({
        number: attempt,
        end: previous,
        signal: this.#ending.signal,
      });
      return { closed: await this.#use(socket, prepared) };
    } catch (error) {
      return { error };
    }
  }

  /** The open socket, and when its `open` handler is done. */
  async #connect(attempt: Attempt): Promise<readonly [Socket<Data>, prepared: Promise<unknown>]> {
    const { signal } = attempt;
    const given = typeof this.#target === "function"
      ? await unlessAborted(this.#target(attempt), signal)
      : this.#target;
    const { url, ...own } = typeof given === "string" || given instanceof URL
      ? { url: given }
      : given;
    const options = { ...this.#options, ...own };
    const prepare = async (socket: Socket<Data>): Promise<unknown> => await options.open?.(socket);
    let prepared: Promise<unknown>;
    const open = (socket: Socket<Data>): unknown => prepared = prepare(socket);
    const socket = await this.#surroundings.connect(url, { ...options, open, signal });
    return [socket, prepared!];
  }

  // What waits is sent behind what `open` sends, if need be after it has waited for something
  // itself: mostly for being logged in.
  async #use(socket: Socket<Data>, prepared: Promise<unknown>): Promise<ClosedEvent> {
    this.#policy.opened(this.#surroundings.now());
    this.#socket = socket;
    if (this.#closedWith !== undefined) socket.close(...this.#closedWith);
    if (this.#iterable) this.#messages.add(socket);
    const failed = (): boolean => false;
    if (await Promise.race([prepared.then(() => true, failed), socket.closed.then(failed)])) {
      this.#enter({ state: "open", attempt: this.#policy.attempt, socket });
      this.#flush(socket).catch((error: unknown) => report(this.#handlers, error));
    }
    const closed = await socket.closed;
    this.#socket = undefined;
    return closed;
  }

  #decide(end: AttemptEnd): number | undefined {
    try {
      return this.#policy.ended(end, this.#surroundings.now());
    } catch (error) {
      report(this.#handlers, error);
      return undefined;
    }
  }

  #wait(delay: number): Promise<void> {
    const { signal } = this.#ending;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#surroundings.after(delay, done);
      signal.addEventListener("abort", done);
    });
  }

  #enter(change: StateChange<Data>): void {
    this.#state = change.state;
    try {
      this.#change?.(change);
    } catch (error) {
      report(this.#handlers, error);
    }
  }

  // What an attempt failed with because the caller gave it up says nothing.
  #finish(last: AttemptEnd | undefined): void {
    const end = this.#closedWith !== undefined && last?.closed === undefined ? undefined : last;
    if (this.#signal !== undefined) offAbort(this.#signal, this.#abort);
    this.#queue.clear();
    this.#enter({ state: "closed", end });
    if (end?.error instanceof UsageError) report(this.#handlers, end.error);
    this.#outcome.resolve(end);
    this.#messages.finish(end);
  }
}

/** What an application runs in. */
export function surroundings(connect: Surroundings["connect"]): Surroundings {
  return {
    connect,
    now: () => performance.now(),
    // This timer keeps the process alive, unlike the deadlines of sockets: there is nothing else
    // while the next attempt is awaited.
    after(delay, callback) {
      const timer = setTimeout(callback, delay);
      return () => clearTimeout(timer);
    },
    random: Math.random,
  };
}

/** The value, or the signal's reason as soon as it is aborted. */
async function unlessAborted<T>(value: T | Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let abort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", abort = () => reject(signal.reason));
  });
  try {
    return await Promise.race([value, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
