// The clock of all connections: who is woken when, whatever the others do.

import { describe, expect, it } from "vitest";
import { Clock, type Sleeper } from "../../adapters/host/clock.ts";
import { until } from "../contract/suite.ts";

const HOUR = 3_600_000;

/** Counts how often it is woken. */
class Counter implements Sleeper {
  count = 0;
  readonly #then: () => void;

  constructor(then: () => void = () => {}) {
    this.#then = then;
  }

  wake(): void {
    this.count++;
    this.#then();
  }
}

describe("Clock", () => {
  it("wakes a sleeper once its deadline has passed, and not before", async () => {
    const clock = new Clock();
    const deadline = clock.now() + 300;
    let woken = 0;
    clock.schedule({ wake: () => woken = clock.now() }, deadline);
    await until(() => woken > 0, "it was woken");
    expect(woken).toBeGreaterThanOrEqual(deadline);
  });

  it("wakes those of the next bucket although whoever is woken before goes to sleep again for longer", async () => {
    const clock = new Clock();
    const again = new Counter(() => clock.schedule(again, clock.now() + HOUR));
    const next = new Counter();
    clock.schedule(again, clock.now() + 1);
    clock.schedule(next, clock.now() + 600);
    await until(() => next.count > 0, "the next was woken");
    expect(again.count).toBe(1);
  });

  it("wakes a sleeper that another puts to sleep for a moment", async () => {
    const clock = new Clock();
    const next = new Counter();
    clock.schedule(new Counter(() => clock.schedule(next, clock.now() + 200)), clock.now() + 1);
    await until(() => next.count > 0, "it was woken");
  });

  it("does not wake whom it was told not to, and wakes the others", async () => {
    const clock = new Clock();
    const cancelled = new Counter();
    const other = new Counter();
    const deadline = clock.now() + 1;
    clock.cancel(cancelled, clock.schedule(cancelled, deadline));
    clock.schedule(other, deadline);
    await until(() => other.count > 0, "the other was woken");
    expect(cancelled.count).toBe(0);
  });

  it("wakes whoever comes with an earlier deadline than all", async () => {
    const clock = new Clock();
    const early = new Counter();
    const late = new Counter();
    clock.schedule(late, clock.now() + HOUR);
    clock.schedule(new Counter(), Infinity);
    clock.schedule(early, clock.now() + 1);
    await until(() => early.count > 0, "the early one was woken");
    expect(late.count).toBe(0);
  });
});
