// What goes wrong on the way to a server, before the opening handshake has begun: one error for all
// runtimes, with what the runtime said as its cause. What a server answers is a HandshakeError, and
// what the caller got wrong a UsageError.

import { type HandshakeAnswer, UsageError } from "../../../core/mod.ts";

/**
 * Where the way ended: nothing was reached at that address; TLS failed, mostly over the
 * certificate; the proxy refused; the time was over.
 */
export type ConnectFailure = "unreachable" | "tls" | "proxy" | "timeout";

/** There is no way to the server. */
export class ConnectError extends Error {
  /** Tells the error apart where `instanceof` cannot: where the library was loaded twice. */
  override readonly name = "ConnectError";
  /** Where the way ended. */
  readonly failure: ConnectFailure;
  /** What an HTTP proxy answered, if it was that. */
  readonly answer?: Omit<HandshakeAnswer, "body">;

  /** `cause` is what the runtime said, which the message repeats. */
  constructor(
    failure: ConnectFailure,
    message: string,
    cause?: unknown,
    answer?: Omit<HandshakeAnswer, "body">,
  ) {
    super(cause === undefined ? message : `${message}: ${describe(cause)}`);
    this.failure = failure;
    if (cause !== undefined) this.cause = cause;
    if (answer !== undefined) this.answer = answer;
  }
}

// Where several addresses were tried, Node's error says nothing, but has one error for each of
// them; and the one of Bun says the reason only in its code.
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, name, code, errors } = error as Error & { code?: unknown; errors?: unknown; };
  if (message === "" && Array.isArray(errors)) return errors.map(describe).join("; ");
  return typeof code === "string" && !message.includes(code)
    ? `${message} (${code})`
    : message || name;
}

/**
 * The result of a step on the way; what a runtime throws becomes a ConnectError.
 *
 * @throws {ConnectError} as described; the signal's reason if it was aborted, and a UsageError as
 *   it is
 */
export async function step<T>(
  failure: ConnectFailure,
  message: string,
  signal: AbortSignal | undefined,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof UsageError || error instanceof ConnectError) throw error;
    throw new ConnectError(failure, message, error);
  }
}
