// A short run of the fuzzer on every runtime: the committed corpus, inputs like those of peers and
// changes to them, and arbitrary bytes from fast-check, which shrinks what fails. `npm run fuzz` runs
// longer.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { thrown } from "../core/handshake/support.ts";
import { Prng } from "../sim/prng.ts";
import { readCase } from "./case.ts";
import { observe } from "./connection.ts";
import { readCorpus } from "./corpus.ts";
import { Corpus, Finding, Trial } from "./guided.ts";
import { mutate } from "./inputs.ts";
import { type Target, TARGETS } from "./targets.ts";

const FRESH = 2000;
const ARBITRARY = 500;
/** The same inputs at every run: what a test finds by chance it should find again. */
const SEED = 5;

describe.each(TARGETS)("$name", (target) => {
  it("holds for the corpus", () => {
    const inputs = readCorpus(target.name);
    for (const input of inputs) target.check(input);
    expect(inputs.length).toBeGreaterThan(20);
  });

  it(`holds for ${FRESH} inputs like those of peers, and changes to them`, () => {
    const trial = new Trial();
    for (let seed = 0; seed < FRESH; seed++) {
      const prng = new Prng(seed);
      const input = target.fresh(prng);
      trial.run(target, prng.chance(50) ? input : mutate(input, target.fresh(prng), prng));
    }
    expect(trial.inputs).toBe(FRESH);
  });

  it("holds for arbitrary bytes", () => {
    const property = fc.property(
      fc.uint8Array({ maxLength: 200 }),
      (input) => target.check(input),
    );
    expect(() => fc.assert(property, { numRuns: ARBITRARY, seed: SEED })).not.toThrow();
  });
});

// What a fuzzer finds nothing with may be the parser, or the fuzzer.
describe("the fuzzer", () => {
  it("makes streams that are read in many ways", () => {
    const kinds = new Set<string>();
    for (let seed = 0; seed < FRESH; seed++) {
      const given = readCase(TARGETS[0]!.fresh(new Prng(seed)));
      for (const line of observe(given, [given.stream.length], "given").events) {
        kinds.add(line.split(" ", 2).join(" "));
      }
    }
    const ends = [1000, 1002, 1005, 1006, 1007, 1009].map((code) => `closed ${code}`);
    expect([...kinds]).toEqual(expect.arrayContaining(ends));
    for (const type of ["text", "binary", "utf8", "ping", "pong", "closing"]) {
      expect([...kinds].some((kind) => kind.startsWith(`${type} `)), type).toBe(true);
    }
  });

  it("shrinks what it finds", () => {
    const target: Target = {
      name: "no 7 before a 9",
      fresh: () => Uint8Array.of(),
      check(input) {
        const at = input.indexOf(7);
        if (at !== -1 && input.indexOf(9, at) !== -1) throw new Error("a 7 before a 9");
      },
    };
    const input = Uint8Array.from({ length: 200 }, (_, index) => index % 11);
    const finding = thrown(() => new Trial().run(target, input));
    expect(finding).toBeInstanceOf(Finding);
    expect([...(finding as Finding).input]).toEqual([7, 9]);
  });

  it("keeps inputs that reach something new, or something more often", () => {
    const corpus = new Corpus(3);
    const offers = [[1, 0, 0], [1, 0, 0], [1, 1, 0], [4, 0, 0], [5, 1, 0]].map((hits) =>
      corpus.offer(new Uint8Array(1), Uint32Array.from(hits))
    );
    expect(offers).toEqual([true, false, true, true, false]);
    expect(corpus.reached).toBe(2);
  });
});
