// `npm run fuzz`: fuzzes every target, first with fresh inputs and their changes, then guided by
// coverage; then shows that work and memory are linear. Prints inputs, rates and coverage, and for
// a finding the shortest input that shows it, in base64.
//
// `--seconds N` for each target and phase, `--target NAME` for one of them, `--seed N`, and
// `--write` to keep what was found to reach something new in corpus/.

import process from "node:process";
import { parseArgs } from "node:util";
import { Prng } from "../sim/prng.ts";
import { readCorpus, writeCorpus } from "./corpus.ts";
import { Corpus, fuzzGuided, Trial, tryOne } from "./guided.ts";
import { mutate } from "./inputs.ts";
import { type Instrumented, loadInstrumented } from "./instrument.ts";
import { checkLinear } from "./linear.ts";
import { type Target, TARGETS } from "./targets.ts";

interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly write: boolean;
}

function readOptions(): Options & { target: string | undefined; } {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "10" },
      seed: { type: "string", default: String(Date.now() % 1e9) },
      target: { type: "string" },
      write: { type: "boolean", default: false },
    },
  });
  return {
    seconds: Number(values.seconds),
    seed: Number(values.seed),
    write: values.write,
    target: values.target,
  };
}

function clock(seconds: number): { enough(): boolean; rate(inputs: number): string; } {
  const start = performance.now();
  return {
    enough: () => performance.now() - start > seconds * 1000,
    rate: (inputs) =>
      `${inputs} inputs, ${(inputs / (performance.now() - start) * 1000).toFixed(0)}/s`,
  };
}

/** Fresh inputs and their changes, without coverage: fast. */
function fuzzBlindly(target: Target, { seconds, seed }: Options): number {
  const prng = new Prng(seed);
  const trial = new Trial();
  const { enough, rate } = clock(seconds);
  while (!enough()) {
    const input = target.fresh(prng);
    trial.run(target, prng.chance(50) ? input : mutate(input, target.fresh(prng), prng));
  }
  console.log(`${target.name}: ${rate(trial.inputs)}, the slowest ${trial.slowest.toFixed(0)} ms`);
  return trial.inputs;
}

function fuzzWithCoverage(
  target: Target,
  { hits }: Instrumented,
  { seconds, seed, write }: Options,
): number {
  const prng = new Prng(seed);
  const trial = new Trial();
  const corpus = new Corpus(hits.length);
  for (const input of readCorpus(target.name)) tryOne(target, input, corpus, hits, trial);
  const known = [corpus.inputs.length, corpus.reached] as const;
  const { enough, rate } = clock(seconds);
  fuzzGuided(target, corpus, hits, prng, trial, enough);
  const grown = `${known[0]} inputs that reach ${
    known[1]
  } places became ${corpus.inputs.length} that reach ${corpus.reached}`;
  console.log(
    `${target.name}, guided: ${rate(trial.inputs)}, the slowest ${
      trial.slowest.toFixed(0)
    } ms; ${grown}`,
  );
  if (write) console.log(`corpus: ${writeCorpus(target, corpus.inputs, hits)} inputs`);
  return trial.inputs;
}

async function main(): Promise<void> {
  const options = readOptions();
  const chosen = ({ name }: Target): boolean =>
    options.target === undefined || name === options.target;
  console.log(`seed ${options.seed}`);
  let inputs = 0;
  for (const target of TARGETS.filter(chosen)) inputs += fuzzBlindly(target, options);
  const instrumented = await loadInstrumented();
  for (const target of instrumented.targets.filter(chosen)) {
    inputs += fuzzWithCoverage(target, instrumented, options);
  }
  await checkLinear(console.log);
  console.log(`${inputs} inputs, nothing found`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
