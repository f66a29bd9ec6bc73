// `npm run sim`: simulates many seeds and prints the rate; for the first seed that fails, what did not hold and a small program that
// shows it. `--seeds N` how many, `--from N` the first of them, `--seconds N` to stop by then.

import process from "node:process";
import { parseArgs } from "node:util";
import type { Report } from "./pair.ts";
import { run } from "./pair.ts";
import type { Program } from "./program.ts";
import { generate } from "./program.ts";
import { shrink } from "./shrink.ts";

const PROGRESS_EVERY = 10_000;

/** What a number of runs came to. */
class Tally {
  seeds = 0;
  messages = 0;
  bytes = 0;
  duration = 0;
  readonly outcomes = new Map<string, number>();

  add(report: Report): void {
    this.seeds++;
    this.messages += report.messages;
    this.bytes += report.bytes;
    this.duration += report.duration;
    for (const cause of report.outcomes) this.outcomes.set(cause, (this.outcomes.get(cause) ?? 0) + 1);
  }

  toString(): string {
    const causes = [...this.outcomes].toSorted(([, a], [, b]) => b - a).map(([cause, count]) => `${cause} ${count}`);
    const megabytes = (this.bytes / 1e6).toFixed(0);
    const hours = (this.duration / 3_600_000).toFixed(1);
    return `${this.messages} messages of ${megabytes} MB in ${hours} virtual hours; closed by ${causes.join(", ")}`;
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
  return [`seed ${seed}: ${error}`, "shrunk to", ...lines, ...steps, `which fails with: ${print(failureOf(smallest))}`]
    .join("\n");
}

function print(value: unknown): string {
  if (value instanceof Error) return value.stack ?? String(value);
  return JSON.stringify(value, (_, inner) => inner === Infinity ? "Infinity" : inner) ?? "none";
}

function main(): void {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "100000" },
      from: { type: "string", default: "0" },
      seconds: { type: "string", default: "Infinity" },
    },
  });
  const [from, count, seconds] = [Number(values.from), Number(values.seeds), Number(values.seconds)];
  const tally = new Tally();
  const start = performance.now();
  for (let seed = from; seed < from + count && performance.now() - start < seconds * 1000; seed++) {
    try {
      tally.add(run(generate(seed)));
    } catch {
      console.error(explain(seed));
      process.exitCode = 1;
      return;
    }
    if (tally.seeds % PROGRESS_EVERY === 0) console.log(`${tally.seeds} seeds, ${rate(tally, start)}`);
  }
  console.log(`${tally.seeds} seeds from ${from} on, none failed, ${rate(tally, start)}: ${tally}`);
}

function rate({ seeds }: Tally, start: number): string {
  return `${(seeds / (performance.now() - start) * 1000).toFixed(0)} seeds/s`;
}

main();
