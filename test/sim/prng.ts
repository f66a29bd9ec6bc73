// A seeded source of choices: everything random in the simulation and in the fuzzing comes from
// here, so that a seed names a run.
//
// The generator is mulberry32 (32 bits of state). It decides tests and is good for nothing else.

/** A deterministic sequence of choices. */
export class Prng {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds must not give neighbouring sequences.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.floor(seed / 0x1_0000_0000);
    this.uint32();
  }

  /** 0 to 2^32 - 1. */
  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** An integer from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.uint32() / 0x1_0000_0000 * below);
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** One of the items, all equally likely. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /**
   * An integer from 0 to `most`, below 2^30; one with half as many bits is as likely as one with
   * all of them.
   */
  scaled(most: number): number {
    return Math.min(most, this.below(1 << this.between(0, 32 - Math.clz32(most))));
  }
}
