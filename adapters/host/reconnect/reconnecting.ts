// A client that stays: when its connection ends it makes another, until it is told to stop, or the
// end would come again. retry.ts decides when to try again; here are the timer, the attempts, and
// what goes on between connections.
//
// Messages that were given to a lost connection are lost with it: only the application knows
// whether sending them twice does harm.

import { encodeClose } from "../../../core/internal.ts";
import { CloseCode, type ClosedEvent, type SendOptions, UsageError } from "../../../core/mod.ts";
import { callable, checkOptions, type Checks, isObject, requireOptions } from "../check.ts";
import { without } from "../check.ts";
import { CLIENT, type ConnectOptions, keepOptions } from "../client/connect.ts";
import { parseTarget } from "../client/target.ts";
import { after } from "../clock.ts";
import { showAs } from "../inspect.ts";
import { HANDLERS } from "../options.ts";
import { pickHandlers, report } from "../socket/handlers.ts";
import type { Message } from "../socket/inbox.ts";
import type { Sendable, SendResult } from "../socket/sending.ts";
import type { Handlers, Socket } from "../socket/socket.ts";
import { Deferred, offAbort, onAbort, unlessAborted } from "../waiting.ts";
import { MessageChain, queue, SendingQueue } from "./messages.ts";
import type { Attempt, ReconnectingState, ReconnectOptions } from "./options.ts";
import type { ReconnectTarget, StateChange } from "./options.ts";
import { type AttemptEnd, resolveRetry, retry, RetryPolicy } from "./retry.ts";

/** The surroundings of the attempts; tests replace them to control time and chance. */
export interface Dependencies {
  connect<Data>(url: string | URL, options: ConnectOptions<Data>): Promise<Socket<Data>>;
  /** Milliseconds; never goes back. */
  now(): number;
  /** Calls back after `delay` milliseconds; the returned function cancels that. */
  after(delay: number, callback: () => void): () => void;
  /** From 0 to 1. */
  random(): number;
}

const RECONNECT: Checks<ReconnectOptions<never>> = {
  ...without(CLIENT, "lifetime"),
  retry,
  queue,
  change: callable,
};

/** The options of each attempt; the signal ends all of them. */
const OF_ATTEMPTS = Object.keys(without(CLIENT, "lifetime", "signal"));

/** A socket that lasts: each connection that ends is followed by another. */
export class ReconnectingSocket<Data = unknown> implements AsyncIterable<Message> {
  readonly #target: ReconnectTarget;
  readonly #options: ConnectOptions<Data>;
  readonly #handlers: Handlers<Data>;
  readonly #change: ((change: StateChange<Data>) => void) | undefined;
  readonly #dependencies: Dependencies;

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
  /** The arguments of the first `close`. */
  #closedWith: readonly [code: number, reason: string] | undefined;
  readonly #outcome = new Deferred<AttemptEnd | undefined>();

  /** Made by `reconnecting`. @throws {UsageError} for an unknown option or an illegal value */
  constructor(
    target: ReconnectTarget,
    options: ReconnectOptions<Data>,
    dependencies: Dependencies,
  ) {
    checkOptions(options, RECONNECT);
    const { retry, queue, signal } = options;
    if (typeof options.stream === "object") {
      const advice = "give a function that makes one";
      throw new UsageError(`each attempt needs a stream of its own: ${advice}`);
    }
    if (typeof target !== "function") parseTarget(target, options.path);
    this.#target = target;
    this.#handlers = pickHandlers(options, Object.keys(HANDLERS));
    this.#options = { ...keepOptions(options, OF_ATTEMPTS), ...this.#handlers };
    this.#change = options.change?.bind(options);
    this.#dependencies = dependencies;
    this.#policy = new RetryPolicy(resolveRetry(retry), () => dependencies.random());
    this.#queue = new SendingQueue(queue);
    this.#signal = signal;
    if (signal?.aborted) this.close(CloseCode.goingAway);
    if (signal !== undefined) onAbort(signal, this.#abort);
    queueMicrotask(() => this.#run());
  }

  // --- State ---

  /** At first `"connecting"`; `"closed"` is the last. `change` is called with each new one. */
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
   * Fulfilled when the reconnecting is over, with the end of the last attempt, or `undefined` if it
   * was closed between two of them; never rejected.
   */
  get closed(): Promise<AttemptEnd | undefined> {
    return this.#outcome.promise;
  }

  // --- Sending ---

  /**
   * Sends a message, or keeps it until there is a connection. A message that is lost together with
   * its connection is not sent again.
   *
   * @throws {UsageError} for data of a kind that cannot be sent
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
   * Ends the reconnecting: closes the socket, or gives up the attempt or the wait for the next one.
   * Messages that wait to be sent are dropped.
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
   * The messages of all connections in order, if there is no `message` handler. It ends quietly
   * after `close`, or after the server closed with 1000, 1001 or without a code.
   *
   * @throws {SocketClosedError} when it is over and the last connection ended otherwise
   * @throws {ConnectError} {@linkcode HandshakeError} or any other error of the last attempt
   * @throws {UsageError} when there is a handler of messages
   */
  [Symbol.asyncIterator](): AsyncGenerator<Message, undefined> {
    if (this.#iterable) return this.#messages[Symbol.asyncIterator]();
    throw new UsageError("the messages go to a handler: there are none to read");
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

  async #attempt(end: AttemptEnd | undefined): Promise<AttemptEnd> {
    const number = this.#policy.begin();
    this.#enter({ state: "connecting", attempt: number });
    try {
      const attempt = { number, end, signal: this.#ending.signal };
      return { closed: await this.#use(...await this.#connect(attempt)) };
    } catch (error) {
      return { error };
    }
  }

  /** The open socket, and the result of its `open` handler. */
  async #connect(attempt: Attempt): Promise<readonly [Socket<Data>, prepared: Promise<unknown>]> {
    const { signal } = attempt;
    const given = typeof this.#target === "function"
      ? await unlessAborted(this.#target(attempt), signal)
      : this.#target;
    // A URL, of whatever realm, has an `href`.
    const isUrl = typeof given === "string" || (isObject(given) && "href" in given);
    if (!isUrl) requireOptions(given, "the target");
    const { url, ...own } = isUrl ? { url: given } : given;
    const options = { ...this.#options, ...own };
    const prepare = async (socket: Socket<Data>): Promise<unknown> => await options.open?.(socket);
    let prepared: Promise<unknown>;
    const open = (socket: Socket<Data>): unknown => prepared = prepare(socket);
    const socket = await this.#dependencies.connect(url, { ...options, open, signal });
    return [socket, prepared!];
  }

  // The queue is sent after what `open` sends, and after what it waits for, such as a login.
  async #use(socket: Socket<Data>, prepared: Promise<unknown>): Promise<ClosedEvent> {
    this.#policy.opened(this.#dependencies.now());
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
      return this.#policy.ended(end, this.#dependencies.now());
    } catch (error) {
      return void report(this.#handlers, error);
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
      const cancel = this.#dependencies.after(delay, done);
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

  // The error of an attempt that the caller gave up has no meaning.
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

showAs(ReconnectingSocket, ({ state, bufferedAmount, socket }) => ({
  state,
  bufferedAmount,
  socket,
}));

/** The dependencies of an application. */
export function dependencies(connect: Dependencies["connect"]): Dependencies {
  return {
    connect,
    now: () => performance.now(),
    // Its timer keeps the process alive, unlike the deadlines of sockets: between attempts nothing
    // else does.
    after,
    random: Math.random,
  };
}
