// Errors of an application's own code: they go to its `error` handler, and never further.

import type { Handlers } from "./handlers.ts";
import type { Socket } from "./socket.ts";

/**
 * Hands an error to the `error` handler; without one, and when that one fails too, to the console.
 */
export function report<Data>(
  handlers: Handlers<Data>,
  error: unknown,
  socket?: Socket<Data>,
): void {
  if (handlers.error === undefined) return console.error(error);
  try {
    const result: unknown = handlers.error(error, socket);
    if (result instanceof Promise) result.catch((second: unknown) => console.error(second));
  } catch (second) {
    console.error(second);
  }
}
