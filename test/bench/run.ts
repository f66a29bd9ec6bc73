// `npm run bench`: every workload on every runtime, ours beside its peer and beside plain TCP, and a Markdown table of what came out.
//
//   npm run bench                                     all, which takes half an hour
//   npm run bench -- pipe20 --runtime bun             one
//   npm run bench -- frames                           the core alone
//   npm run bench -- --node /path/to/another/node     with a further version of Node
//   --rounds 5 --seconds 1                            how often, and for how much CPU time of the server
//
// Rates are per second of CPU time that the server's process took, which a busy machine disturbs little. Servers run on one core and
// the generator on another, where there is `taskset`. It reads /proc, so it needs Linux.

import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { freePort } from "../examples/programs.ts";
import type { Contestant, Runtime } from "./contestants.ts";
import { bundle, bundled, runtimes, takesPart } from "./contestants.ts";
import { printReport, ratios } from "./report.ts";
import type { Result } from "./report.ts";
import type { Finding, Task, Workload } from "./workloads.ts";
import { WORKLOADS } from "./workloads.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runtime: { type: "string", multiple: true },
    node: { type: "string", multiple: true, default: [] },
    only: { type: "string", multiple: true },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1" },
  },
});

const pinned = spawnSync("taskset", ["-c", "1", "true"]).status === 0;
const core = (number: number): string[] => pinned ? ["taskset", "-c", String(number)] : [];

/** Beyond this a run has gone wrong. */
const RUN_LIMIT = 60_000;

/** Resolves with the first line that the process prints. */
function firstLine(child: ChildProcess, what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => reject(new Error(`${what} took too long`)), RUN_LIMIT);
    child.stdout!.on("data", (chunk) => {
      text += chunk;
      if (!text.includes("\n")) return;
      clearTimeout(timer);
      resolve(text);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`${what} ended with ${code}`));
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exited;
}

/** One round of one contestant: a fresh server, and a fresh generator. */
async function round({ name, role, command, env }: Contestant, workload: Workload): Promise<Finding> {
  const port = await freePort();
  const [program = "", ...args] = [...core(0), ...command];
  const server = spawn(program, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      ...env,
      PORT: String(port),
      MODE: workload.kind === "publish" ? "broadcast" : "echo",
      DEFLATE: workload.deflate ? "1" : "0",
    },
  });
  try {
    await firstLine(server, name);
    return await generate({
      workload: workload.name,
      port,
      pid: server.pid!,
      raw: role === "raw",
      warmup: Number(values.seconds) / 2,
      seconds: Number(values.seconds),
    });
  } finally {
    await stop(server);
  }
}

async function generate(task: Task): Promise<Finding> {
  const [program = "", ...args] = [...core(1), process.execPath, bundled("generator"), JSON.stringify(task)];
  const generator = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    return JSON.parse(await firstLine(generator, "the generator")) as Finding;
  } finally {
    await stop(generator);
  }
}

/** All contestants in turn, round after round. */
async function compete(runtime: Runtime, workload: Workload): Promise<Result[]> {
  const contestants = runtime.contestants.filter((contestant) =>
    takesPart(contestant, workload) && (values.only?.includes(contestant.role) ?? true)
  );
  const results = contestants.map((contestant): Result => ({ runtime, workload, contestant, findings: [] }));
  for (let i = 0; i < Number(values.rounds); i++) {
    for (const { contestant, findings } of results) {
      findings.push(await round(contestant, workload));
      await sleep(100);
    }
  }
  return results;
}

/** The table of the core alone; `ws` does without its native add-on, as among the servers. */
async function frames({ title, frames: [program = "", ...args] }: Runtime): Promise<string> {
  const [pin, ...pinArgs] = [...core(0), program, ...args];
  const child = spawn(pin!, pinArgs, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, WS_NO_BUFFER_UTIL: "1" },
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), RUN_LIMIT);
  let table = "";
  for await (const chunk of child.stdout) table += chunk;
  clearTimeout(timer);
  return `${title}\n\n${table}`;
}

const names = [...WORKLOADS.map(({ name }) => name), "frames"];

function isChosen(name: string): boolean {
  return positionals.length === 0 || positionals.includes(name);
}

async function main(): Promise<void> {
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`no workload ${unknown}; there are: ${names.join(", ")}`);
  await bundle();
  const chosen = runtimes(values.node).filter(({ key }) => values.runtime?.includes(key) ?? true);
  const results: Result[] = [];
  const tables: string[] = [];
  for (const runtime of chosen) {
    for (const workload of WORKLOADS.filter(({ name }) => isChosen(name))) {
      const found = await compete(runtime, workload);
      results.push(...found);
      process.stderr.write(`${runtime.title}, ${workload.title}: ${ratios(found)}\n`);
    }
    if (isChosen("frames")) tables.push(await frames(runtime));
  }
  await printReport(chosen.map(({ title }) => title), results, tables);
}

await main();
