// `npm run bench`: every workload on every runtime, ours beside its peer and beside plain TCP, and
// a Markdown table of what came out.
//
//   npm run bench                                     all, which takes half an hour
//   npm run bench -- pipe20 --runtime bun             one
//   npm run bench -- frames                           the core alone
//   npm run bench -- --profile echo1 handshakes       where the time of our server goes, by the runtime's profiler
//   npm run bench -- --node /path/to/another/node     with a further version of Node
//   --rounds 5 --seconds 1                            how often, and for how much CPU time of the server
//
// Rates are per second of CPU time that the server's process took, which a busy machine disturbs
// little. Servers run on one core and the generator on another, where there is `taskset`. It reads
// /proc, so it needs Linux.

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { bundle, type Runtime, runtimes, takesPart } from "./contestants.ts";
import { output, round } from "./processes.ts";
import { profiles } from "./profile.ts";
import { printReport, ratios, type Result } from "./report.ts";
import { type Workload, WORKLOADS } from "./workloads.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runtime: { type: "string", multiple: true },
    node: { type: "string", multiple: true, default: [] },
    only: { type: "string", multiple: true },
    profile: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1" },
  },
});
const seconds = Number(values.seconds);

/** All contestants in turn, round after round. */
async function compete(runtime: Runtime, workload: Workload): Promise<Result[]> {
  const contestants = runtime.contestants.filter((contestant) =>
    takesPart(contestant, workload) && (values.only?.includes(contestant.role) ?? true)
  );
  const results = contestants.map((contestant): Result => ({
    runtime,
    workload,
    contestant,
    findings: [],
  }));
  for (let i = 0; i < Number(values.rounds); i++) {
    for (const { contestant, findings } of results) {
      findings.push(await round(contestant, workload, seconds));
      await sleep(100);
    }
  }
  return results;
}

/** The table of the core alone; `ws` does without its native add-on, as among the servers. */
async function frames({ title, frames: command }: Runtime): Promise<string> {
  return `${title}\n\n${await output(command, { WS_NO_BUFFER_UTIL: "1" })}`;
}

const names = [...WORKLOADS.map(({ name }) => name), "frames"];

function isChosen(name: string): boolean {
  return positionals.length === 0 || positionals.includes(name);
}

async function main(): Promise<void> {
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(`no workload ${unknown}; there are: ${names.join(", ")}`);
  }
  await bundle();
  const chosen = runtimes(values.node).filter(({ key }) => values.runtime?.includes(key) ?? true);
  const workloads = WORKLOADS.filter(({ name }) => isChosen(name));
  if (values.profile) return console.log(await profiles(chosen, workloads, seconds));
  const results: Result[] = [];
  const tables: string[] = [];
  for (const runtime of chosen) {
    for (const workload of workloads) {
      const found = await compete(runtime, workload);
      results.push(...found);
      process.stderr.write(`${runtime.title}, ${workload.title}: ${ratios(found)}\n`);
    }
    if (isChosen("frames")) tables.push(await frames(runtime));
  }
  await printReport(chosen.map(({ title }) => title), results, tables);
}

await main();
