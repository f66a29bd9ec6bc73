// Drives one negotiation of a client over an existing transport: with a proxy, or the opening
// handshake. The transport belongs to the caller of `negotiate` again once it has succeeded; on
// failure it is dropped.

import type { Machine } from "../../../core/mod.ts";
import type { Clock } from "../clock.ts";
import { Pump, type Sink } from "../pump.ts";
import type { Transport } from "../transport.ts";
import { offAbort, onAbort } from "../waiting.ts";

/**
 * Drives the machine until it reports an event, and returns what `take` makes of it. `take` runs
 * within that report, so no byte comes in between.
 *
 * @throws what `take` throws; the signal's reason when it is aborted before the event
 */
export function negotiate<Event, T>(
  transport: Transport,
  clock: Clock,
  machine: Machine<Event>,
  signal: AbortSignal,
  take: (event: Event, pump: Pump) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    // Drop the transport: a server that goes on sending would keep the process alive. Reject first,
    // because a runtime may report the end of the transport within `abort`.
    const fail = (error: unknown): void => {
      offAbort(signal, abort);
      reject(error);
      pump.abort();
    };
    const abort = (): void => fail(signal.reason);
    const sink: Sink<Event> = {
      event(event) {
        // First, because a handler that `take` calls may abort the signal of the open socket.
        offAbort(signal, abort);
        try {
          resolve(take(event, pump));
        } catch (error) {
          fail(error);
        }
      },
      drained() {},
      failed: fail,
      gone() {},
    };
    const pump = new Pump(transport, clock, machine, sink);
    if (signal.aborted) return abort();
    onAbort(signal, abort);
    pump.start();
    transport.resume();
  });
}
