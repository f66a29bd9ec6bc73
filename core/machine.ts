// What every protocol of this library looks like to the code that drives it. A connection, both
// opening handshakes and a proxy's negotiation are Machines, so one loop serves them all.

/**
 * A protocol without I/O: bytes and times in; events, bytes and one deadline out.
 *
 * After every input and every command: write the output, end the transport if `outputEnded`, drop
 * it if `expired`, and call `tick` when `deadline` has passed. Times are milliseconds on any clock
 * that never goes back.
 */
export interface Machine<Event> {
  /** Takes the next bytes from the transport. An empty chunk changes nothing. */
  receive(chunk: Uint8Array, now: number): readonly Event[];
  /** The transport has ended in this direction, or is gone; `error` is the reason, if it failed. */
  receiveEnd(now: number, error?: Error): readonly Event[];
  /** Does what is due by `now`; an early call changes nothing. */
  tick(now: number): readonly Event[];
  /** Takes all bytes to write now, in order. */
  takeOutput(): Uint8Array[];
  /** Bytes that `takeOutput` would return. */
  readonly pendingOutput: number;
  /** Whether nothing follows the pending output: write it, then end the transport's output. */
  readonly outputEnded: boolean;
  /** When to call `tick`; `Infinity` for never. */
  readonly deadline: number;
  /** Whether the peer has had its time to end the transport: drop it. */
  readonly expired: boolean;
}

/**
 * Milliseconds that a peer has to read a last answer and to end the transport. Closing with input
 * unread resets TCP, which can lose the answer (RFC 9112 §9.6, RFC 1122 §4.2.2.13).
 */
export const LINGER = 5_000;
