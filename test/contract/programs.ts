// Programs of the tests as processes of their own, on each runtime: started, listened to, and gone when their test is.

import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { Mailbox } from "./suite.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export type Runtime = "node" | "deno" | "bun";

export const RUNTIMES: readonly Runtime[] = ["node", "deno", "bun"];

const COMMANDS: Readonly<Record<Runtime, readonly [tool: string, ...args: string[]]>> = {
  node: [process.execPath, "--import", "tsx"],
  deno: ["deno", "run", "-A"],
  bun: ["bun", "run"],
};

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A process, and what it prints. */
export class Program {
  readonly child: ChildProcess;
  /** Its standard output, line by line. */
  readonly lines: Mailbox<string> = new Mailbox();
  /** Its standard error: a program that does well prints nothing there. */
  stderr = "";
  readonly exited: Promise<Exit>;

  constructor(tool: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const path = `${join(root, "node_modules", ".bin")}${delimiter}${process.env["PATH"]}`;
    const child = spawn(tool, args, {
      cwd: root,
      env: { ...process.env, PATH: path, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    createInterface({ input: child.stdout }).on("line", (line) => this.lines.put(line));
    child.stderr.on("data", (chunk: Uint8Array) => this.stderr += String(chunk));
    this.exited = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
  }

  kill(signal: "SIGINT" | "SIGKILL" = "SIGKILL"): void {
    this.child.kill(signal);
  }

  /** The next line of output, as JSON; fails when the program ends before it. */
  async takeJson<T>(): Promise<T> {
    const line = await Promise.race([this.lines.take(), this.exited]);
    if (typeof line !== "string") throw new Error(`the program ended with ${JSON.stringify(line)}: ${this.stderr}`);
    return JSON.parse(line) as T;
  }
}

/** Starts a program of this folder's, or of another one, on the runtime. */
export function startProgram(runtime: Runtime, file: string, env: Readonly<Record<string, string>> = {}): Program {
  const [tool, ...args] = COMMANDS[runtime];
  return track(new Program(tool, [...args, join(root, "test", file)], env));
}

/** Starts it where only so many files, and connections, may be open. */
export function startLimited(runtime: Runtime, files: number, file: string, env: Record<string, string>): Program {
  const command = [...COMMANDS[runtime], join(root, "test", file)].map((part) => `'${part}'`).join(" ");
  return track(new Program("sh", ["-c", `ulimit -n ${files}; exec ${command}`], env));
}

/** Starts any tool. */
export function startTool(tool: string, args: readonly string[], env: Record<string, string> = {}): Program {
  return track(new Program(tool, args, env));
}

function track(program: Program): Program {
  onTestFinished(async () => {
    program.kill();
    await program.exited.catch(() => {});
  });
  return program;
}
