// Waiting, for tests and for the programs that they start.

const PATIENCE = 15_000;

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until the condition holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(5);
  }
}

/**
 * Waits until the value has been the same for a while: for what is known to stop, but not at which
 * number.
 */
export async function settled(value: () => number, calm = 300): Promise<number> {
  let last = NaN;
  for (let since = Date.now(); Date.now() - since < calm; await sleep(20)) {
    const now = value();
    if (now !== last) since = Date.now();
    last = now;
  }
  return last;
}
