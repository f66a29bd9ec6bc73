// Sends from outside of an input, such as a timer's or a publish to many, leave together: one
// microtask for all connections.

/** Something with output that waits for the end of the tick. */
export interface Flushable {
  flush(): void;
}

let waiting: Flushable[] = [];

/** Calls `flush` before the event loop goes on. */
export function flushSoon(flushable: Flushable): void {
  if (waiting.length === 0) queueMicrotask(flushAll);
  waiting.push(flushable);
}

function flushAll(): void {
  const batch = waiting;
  waiting = [];
  for (const flushable of batch) flushable.flush();
}
