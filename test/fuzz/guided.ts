// Coverage-guided fuzzing: an input that reaches a place, or reaches one more often than any
// before, is kept and changed further.

import { Buffer } from "node:buffer";
import type { Prng } from "../sim/prng.ts";
import { mutate } from "./inputs.ts";
import type { Target } from "./targets.ts";

/** Inputs that reach different things. */
export class Corpus {
  readonly inputs: Uint8Array[] = [];
  /** For each place, a bit for each order of magnitude in which it was hit by one input. */
  readonly #seen: Uint16Array;
  readonly #orders: number;

  /** `orders` of magnitude are told apart, 15 at most. */
  constructor(places: number, orders = 15) {
    this.#seen = new Uint16Array(places);
    this.#orders = orders;
  }

  /** Places that were reached at all. */
  get reached(): number {
    return this.#seen.reduce((count, magnitudes) => magnitudes === 0 ? count : count + 1, 0);
  }

  /** Keeps the input when `hits`, what it reached, holds something new. */
  offer(input: Uint8Array, hits: Uint32Array): boolean {
    let isNew = false;
    for (let place = 0; place < hits.length; place++) {
      if (hits[place] === 0) continue;
      const magnitude = 1 << Math.min(this.#orders, 32 - Math.clz32(hits[place]!));
      if ((this.#seen[place]! & magnitude) !== 0) continue;
      this.#seen[place]! |= magnitude;
      isNew = true;
    }
    if (isNew) this.inputs.push(input);
    return isNew;
  }
}

/** An input for which something did not hold. */
export class Finding extends Error {
  readonly input: Uint8Array;

  constructor(target: Target, input: Uint8Array, cause: unknown) {
    super(`${target.name} fails for ${Buffer.from(input).toString("base64")}: ${cause}`, { cause });
    this.input = input;
  }
}

/** How an input is tried, and how long it took. */
export class Trial {
  inputs = 0;
  /** The slowest input, in milliseconds. */
  slowest = 0;

  /** @throws {Finding} when something does not hold for the input */
  run(target: Target, input: Uint8Array): void {
    const start = performance.now();
    try {
      target.check(input);
    } catch (error) {
      throw new Finding(target, smallest(target, input), error);
    }
    this.inputs++;
    this.slowest = Math.max(this.slowest, performance.now() - start);
  }
}

/** Leaves out of a failing input what it does not need. */
function smallest(target: Target, input: Uint8Array): Uint8Array {
  let shortest = input;
  for (let size = input.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at + size <= shortest.length;) {
      const shorter = Uint8Array.from([
        ...shortest.subarray(0, at),
        ...shortest.subarray(at + size),
      ]);
      if (fails(target, shorter)) shortest = shorter;
      else at += size;
    }
  }
  return shortest;
}

function fails(target: Target, input: Uint8Array): boolean {
  try {
    target.check(input);
    return false;
  } catch {
    return true;
  }
}

/**
 * Tries changes of the corpus' own inputs, and sometimes of a fresh one, until `enough`; keeps what
 * reaches something new.
 */
export function fuzzGuided(
  target: Target,
  corpus: Corpus,
  hits: Uint32Array,
  prng: Prng,
  trial: Trial,
  enough: () => boolean,
): void {
  while (!enough()) {
    const parent = prng.chance(5) || corpus.inputs.length === 0
      ? target.fresh(prng)
      : prng.pick(corpus.inputs);
    const other = corpus.inputs.length === 0 ? parent : prng.pick(corpus.inputs);
    tryOne(target, mutate(parent, other, prng), corpus, hits, trial);
  }
}

/** Tries one input and offers it to the corpus. */
export function tryOne(
  target: Target,
  input: Uint8Array,
  corpus: Corpus,
  hits: Uint32Array,
  trial: Trial,
): void {
  hits.fill(0);
  trial.run(target, input);
  corpus.offer(input, hits);
}
