// The processes of a round: a server, and the generator that loads it, each on a core of its own where there is `taskset`.

import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { freePort } from "../examples/programs.ts";
import type { Contestant } from "./contestants.ts";
import { bundled } from "./contestants.ts";
import type { Finding, Task, Workload } from "./workloads.ts";

/** Milliseconds beyond which a run has gone wrong. */
const RUN_LIMIT = 60_000;

/** Milliseconds in which a server ends after SIGTERM: one that is profiled writes what it has seen. */
const END_LIMIT = 10_000;

const MODES: Readonly<Record<Workload["kind"], string>> = {
  echo: "echo",
  publish: "broadcast",
  handshakes: "handshake",
  idle: "handshake",
};

const pinned = spawnSync("taskset", ["-c", "1", "true"]).status === 0;

/** Starts the command on a core; what it prints can be read. */
function start(core: number, command: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const [program = "", ...args] = [...pinned ? ["taskset", "-c", `${core}`] : [], ...command];
  return spawn(program, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } });
}

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
  child.kill();
  const timer = setTimeout(() => child.kill("SIGKILL"), END_LIMIT);
  await exited;
  clearTimeout(timer);
}

/** All that the program prints until it ends. */
export async function output(command: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const child = start(0, command, env);
  const timer = setTimeout(() => child.kill("SIGKILL"), RUN_LIMIT);
  let text = "";
  for await (const chunk of child.stdout!) text += chunk;
  clearTimeout(timer);
  return text;
}

async function generate(task: Task): Promise<Finding> {
  const generator = start(1, [process.execPath, bundled("generator"), JSON.stringify(task)]);
  try {
    return JSON.parse(await firstLine(generator, "the generator")) as Finding;
  } finally {
    await stop(generator);
  }
}

/** One round of one contestant, a fresh server and a fresh generator; `seconds` are measured, `options` are the runtime's. */
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
    await firstLine(server, name);
    const warmup = workload.warmup * Math.max(1, seconds);
    return await generate({ workload: workload.name, port, pid: server.pid!, raw: role === "raw", warmup, seconds });
  } finally {
    await stop(server);
  }
}
