// `npm run sim`: simulates many seeds and prints the rate; for the first seed that fails, what did
// not hold and a small program that shows it. `--seeds N` how many, `--from N` the first of them,
// `--seconds N` to stop by then; `--real` runs them with real sockets, some at a time.

import process from "node:process";
import { parseArgs } from "node:util";
import { type Report, run } from "./pair.ts";
import { generate, type Program } from "./program.ts";
import { runReal } from "./real.ts";
import { shrink } from "./shrink.ts";

const PROGRESS_EVERY = 10_000;

/** What a number of runs came to. */
class Tally {
  seeds = 0;
  messages = 0;
  bytes = 0;
  duration = 0;
  readonly outcomes = new Map<string, number>();
  readonly #start = performance.now();

  /** In seconds. */
  get elapsed(): number {
    return (performance.now() - this.#start) / 1000;
  }

  get rate(): string {
    return `${this.seeds} seeds, ${(this.seeds / this.elapsed).toFixed(0)}/s,`;
  }

  add(report: Omit<Report, "digest">): void {
    this.seeds++;
    this.messages += report.messages;
    this.bytes += report.bytes;
    this.duration += report.duration;
    for (const cause of report.outcomes) {
      this.outcomes.set(cause, (this.outcomes.get(cause) ?? 0) + 1);
    }
  }

  toString(): string {
    const causes = [...this.outcomes].toSorted(([, a], [, b]) => b - a).map(([cause, count]) =>
      `${cause} ${count}`
    );
    const megabytes = (this.bytes / 1e6).toFixed(0);
    const hours = (this.duration / 3_600_000).toFixed(1);
    return `${this.messages} messages of ${megabytes} MB in ${hours} virtual hours; closed by ${
      causes.join(", ")
    }`;
  }
}

function failureOf(program: Program): unknown {
  try {
    run(program);
    return undefined;
  } catch (error) {
    return error ?? "nothing was thrown";
  }
}

function explain(seed: number): string {
  const program = generate(seed);
  const error = failureOf(program);
  const smallest = shrink(program, (candidate) => failureOf(candidate) !== undefined);
  const steps = smallest.steps.map((step) => `  ${JSON.stringify(step)}`);
  const { steps: _, ...setup } = smallest;
  const lines = Object.entries(setup).map(([name, value]) => `  ${name} ${print(value)}`);
  return [
    `seed ${seed}: ${error}`,
    "shrunk to",
    ...lines,
    ...steps,
    `which fails with: ${print(failureOf(smallest))}`,
  ]
    .join("\n");
}

function print(value: unknown): string {
  if (value instanceof Error) return value.stack ?? String(value);
  return JSON.stringify(value, (_, inner) => inner === Infinity ? "Infinity" : inner) ?? "none";
}

interface Choice {
  readonly from: number;
  readonly count: number;
  readonly seconds: number;
}

function readOptions(): Choice & { real: boolean; } {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "100000" },
      from: { type: "string", default: "0" },
      seconds: { type: "string", default: "Infinity" },
      real: { type: "boolean", default: false },
    },
  });
  const { seeds, from, seconds, real } = values;
  return { from: Number(from), count: Number(seeds), seconds: Number(seconds), real };
}

function simulate({ from, count, seconds }: Choice): Tally {
  const tally = new Tally();
  for (let seed = from; seed < from + count && tally.elapsed < seconds; seed++) {
    try {
      tally.add(run(generate(seed)));
    } catch {
      throw new Error(explain(seed));
    }
    if (tally.seeds % PROGRESS_EVERY === 0) console.log(tally.rate);
  }
  return tally;
}

const REAL_AT_ONCE = 8;

async function runReally({ from, count, seconds }: Choice): Promise<Tally> {
  const tally = new Tally();
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < from + count && tally.elapsed < seconds) {
      const seed = next++;
      const report = await runReal(generate(seed)).catch((error: unknown) => {
        throw new Error(`seed ${seed}: ${JSON.stringify(generate(seed))}`, { cause: error });
      });
      tally.add({ bytes: 0, duration: 0, ...report });
    }
  };
  await Promise.all(Array.from({ length: REAL_AT_ONCE }, worker));
  return tally;
}

async function main(): Promise<void> {
  const { real, ...choice } = readOptions();
  const tally = real ? await runReally(choice) : simulate(choice);
  console.log(`${tally.rate} from ${choice.from} on, none failed: ${tally}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
