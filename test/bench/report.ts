// What came out, as Markdown: a table with a row for each workload, and one of all numbers behind
// it.

import { bundleNames, bundleSize } from "../package/size.ts";
import type { Contestant, Runtime } from "./contestants.ts";
import type { Finding, Workload } from "./workloads.ts";

/** The rounds of one contestant. */
export interface Result {
  readonly runtime: Runtime;
  readonly workload: Workload;
  readonly contestant: Contestant;
  readonly findings: Finding[];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** What a round is judged by: work per CPU second, or bytes per connection. */
function score({ kind }: Workload, { count, serverCpu, memory }: Finding): number {
  return kind === "idle" ? memory / count : count / serverCpu;
}

function scores({ workload, findings }: Result): number[] {
  return findings.map((finding) => score(workload, finding));
}

/**
 * Of two contestants, round by round: they ran one after the other, while the machine changes its
 * speed in the course of minutes.
 */
function ratio(ours: Result, other: Result): number {
  const others = scores(other);
  return median(scores(ours).map((score, round) => score / others[round]!));
}

function number(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(0)}k`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)}k` : value.toFixed(0);
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|---|${"--:|".repeat(head.length - 1)}`, ...rows.map(line)].join("\n");
}

/**
 * Our score, and how many times that of each other contestant it is: medians both, of the rounds.
 */
export function ratios(results: readonly Result[]): string {
  const ours = results.find(({ contestant }) => contestant.role === "ours");
  if (ours === undefined) return "";
  const others = results.filter((result) => result !== ours);
  const parts = others.map((other) =>
    `${ratio(ours, other).toFixed(2)} × ${other.contestant.name}`
  );
  return [number(median(scores(ours))), ...parts].join("; ");
}

function summary(results: readonly Result[]): string {
  const runtimes = [...new Set(results.map(({ runtime }) => runtime))];
  const workloads = [...new Set(results.map(({ workload }) => workload))];
  const rows = workloads.map((workload) => [
    workload.title,
    ...runtimes.map((runtime) =>
      ratios(results.filter((r) => r.workload === workload && r.runtime === runtime))
    ),
  ]);
  return table(["work", ...runtimes.map(({ title }) => title)], rows);
}

function details(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const { workload, runtime, contestant, findings } = result;
    const all = scores(result);
    const of = (pick: (finding: Finding) => number): number => median(findings.map(pick));
    const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;
    return [
      workload.name,
      runtime.title,
      contestant.name,
      number(median(all)),
      `${number(Math.min(...all))}-${number(Math.max(...all))}`,
      workload.kind === "idle" ? "" : number(of(({ count, seconds }) => count / seconds)),
      workload.kind === "idle" ? "" : percent(of(({ serverCpu, seconds }) => serverCpu / seconds)),
      workload.kind === "idle"
        ? ""
        : percent(of(({ generatorCpu, seconds }) => generatorCpu / seconds)),
    ];
  });
  return table([
    "work",
    "runtime",
    "server",
    "score",
    "range",
    "per second",
    "server CPU",
    "generator CPU",
  ], rows);
}

async function sizes(): Promise<string> {
  const rows = await Promise.all(
    bundleNames.map(async (name) => [name, `${await bundleSize(name)}`]),
  );
  return table(["entry", "bytes, minified and gzipped"], rows);
}

/** Prints everything there is to say; `tables` are those of the core alone. */
export async function printReport(
  titles: readonly string[],
  results: readonly Result[],
  tables: readonly string[],
): Promise<void> {
  const parts = [`${new Date().toISOString().slice(0, 10)}; ${titles.join(", ")}`];
  if (results.length > 0) parts.push(summary(results), details(results));
  console.log([...parts, ...tables, await sizes()].join("\n\n"));
}
