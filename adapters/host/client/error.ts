// ConnectError: what goes wrong on the way to a server, before the opening handshake. It is one
// error for all runtimes, with the runtime's own error as its cause. A server that refuses the
// handshake is a HandshakeError, a caller's mistake a UsageError.

import { type HandshakeAnswer, UsageError } from "../../../core/mod.ts";

/** What failed: reaching the address, TLS (mostly its certificate), the proxy, or the timeout. */
export type ConnectFailure = "unreachable" | "tls" | "proxy" | "timeout";

/** There is no way to the server. */
export class ConnectError extends Error {
  /** Identifies the error where `instanceof` cannot: when the library was loaded twice. */
  override readonly name = "ConnectError";
  /** What failed. */
  readonly failure: ConnectFailure;
  /** The answer of an HTTP proxy, if that was the failure. */
  readonly answer?: HandshakeAnswer;

  /** `cause` is the runtime's error, which the message repeats. */
  constructor(failure: ConnectFailure, message: string, cause?: unknown, answer?: HandshakeAnswer) {
    super(cause === undefined ? message : `${message}: ${describe(cause)}`);
    this.failure = failure;
    if (cause !== undefined) this.cause = cause;
    if (answer !== undefined) this.answer = answer;
  }
}

// After several addresses Node's error is empty and lists one error for each. Bun has the reason in
// `code` only.
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, name, code, errors } = error as Error & { code?: unknown; errors?: unknown; };
  if (message === "" && Array.isArray(errors)) return errors.map(describe).join("; ");
  const hasCode = typeof code === "string" && !message.includes(code);
  return hasCode ? `${message} (${code})` : message || name;
}

/**
 * The result of one step of connecting; an error of the runtime becomes a ConnectError.
 *
 * @throws {ConnectError} also the signal's reason if it was aborted, and a UsageError as it is
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
