// The processes of a round: a server, and the generator that loads it, each on a core of its own
// where there is `taskset`.

import { spawnSync } from "node:child_process";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, Program } from "../processes.ts";
import { bundled, type Contestant } from "./contestants.ts";
import type { Finding, Task, Workload } from "./workloads.ts";

/** Milliseconds beyond which a run has gone wrong. */
const RUN_LIMIT = 60_000;

/**
 * Milliseconds in which a server ends after SIGTERM: one that is profiled writes what it has seen.
 */
const END_LIMIT = 10_000;

const MODES: Readonly<Record<Workload["kind"], string>> = {
  echo: "echo",
  publish: "broadcast",
  handshakes: "handshake",
  idle: "handshake",
};

const pinned = spawnSync("taskset", ["-c", "1", "true"]).status === 0;

/** Starts the command on a core. */
function start(
  core: number,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Program {
  return new Program([...pinned ? ["taskset", "-c", `${core}`] : [], ...command], env, "inherit");
}

/** Rejects when what is awaited takes too long. */
function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = sleep(RUN_LIMIT, undefined, { ref: false }).then(() => {
    throw new Error(`${what} took too long`);
  });
  return Promise.race([promise, late]);
}

async function stop(program: Program): Promise<void> {
  await Promise.race([program.stop("SIGTERM"), sleep(END_LIMIT, undefined, { ref: false })]);
  await program.kill();
}

/** All that the program prints until it ends. */
export async function output(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const program = start(0, command, env);
  try {
    await inTime(program.exited, command.join(" "));
    return program.output;
  } finally {
    await program.kill();
  }
}

async function generate(task: Task): Promise<Finding> {
  const generator = start(1, [process.execPath, bundled("generator"), JSON.stringify(task)]);
  try {
    return await inTime(generator.takeJson<Finding>(), "the generator");
  } finally {
    await stop(generator);
  }
}

/**
 * One round of one contestant, a fresh server and a fresh generator; `seconds` are measured,
 * `options` are the runtime's.
 */
export async function round(
  { name, role, command, env }: Contestant,
  workload: Workload,
  seconds: number,
  options: readonly string[] = [],
): Promise<Finding> {
  const port = await freePort();
  const server = start(0, [...command.slice(0, -1), ...options, ...command.slice(-1)], {
    ...env,
    PORT: String(port),
    MODE: MODES[workload.kind],
    DEFLATE: workload.deflate ? "1" : "0",
  });
  try {
    await inTime(server.line(/\n/), name);
    const warmup = workload.warmup * Math.max(1, seconds);
    return await generate({
      workload: workload.name,
      port,
      pid: server.pid,
      raw: role === "raw",
      warmup,
      seconds,
    });
  } finally {
    await stop(server);
  }
}
