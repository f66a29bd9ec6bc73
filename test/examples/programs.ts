// The examples as their readers run them: each as a process of its own, on each runtime, from the root of the repository.

import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root: string = fileURLToPath(new URL("../..", import.meta.url));

const windows = process.platform === "win32";

// The programs themselves and not their wrappers in node_modules/.bin, so that a signal reaches them.
export const COMMANDS: Readonly<Record<RuntimeName, readonly [string, ...string[]]>> = {
  Node: [process.execPath, "--import", "tsx"],
  Deno: [join(root, "node_modules", "deno", windows ? "deno.exe" : "deno"), "run", "-A"],
  Bun: [join(root, "node_modules", "bun", "bin", "bun.exe"), "run"],
};

export type RuntimeName = "Node" | "Deno" | "Bun";
export const RUNTIMES: readonly RuntimeName[] = ["Node", "Deno", "Bun"];

/** Windows has no signals: whoever is sent one is ended without being asked. */
export const hasSignals: boolean = !windows;

/** A program that runs, or has run. */
export class Program {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | NodeJS.Signals>;
  #output = "";
  #complaints = "";

  constructor(runtime: RuntimeName, file: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const [command, ...options] = COMMANDS[runtime];
    // NO_COLOR: what is printed is compared. VITEST and the like are not for the program.
    this.#child = spawn(command, [...options, file, ...args], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout!.on("data", (chunk) => this.#output += String(chunk));
    this.#child.stderr!.on("data", (chunk) => {
      this.#output += String(chunk);
      this.#complaints += String(chunk);
    });
    this.#exited = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) => resolve(code ?? signal!));
    });
  }

  /** All it printed so far. */
  get output(): string {
    return this.#output;
  }

  /** What it printed to its standard error so far. */
  get complaints(): string {
    return this.#complaints;
  }

  /** Its exit status, or the signal that ended it. */
  get exited(): Promise<number | NodeJS.Signals> {
    return this.#exited;
  }

  /** What it prints to its standard output from now on, line by line. */
  lines(): AsyncIterable<string> {
    return createInterface({ input: this.#child.stdout! });
  }

  /** Waits for a line; rejects when the program ends without it. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    const ended = this.#exited.then(() => "ended" as const);
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match !== null) return match;
      const printed = new Promise((resolve) => this.#child.stdout!.once("data", resolve));
      if (await Promise.race([printed, ended]) === "ended" && !pattern.test(this.#output)) {
        throw new Error(`the program ended without ${pattern}:\n${this.#output}`);
      }
    }
  }

  /** Asks it to end, and resolves with how it did. */
  stop(signal: "SIGINT" | "SIGTERM"): Promise<number | NodeJS.Signals> {
    this.#child.kill(signal);
    return this.#exited;
  }

  /** Ends it, if it has not ended yet. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

/** An example that listens. */
export interface Listening {
  readonly program: Program;
  /** Host and port, as printed. */
  readonly host: string;
}

/** Starts a program that serves, by default on a port of the system's choice, and waits until it says where. */
export async function listen(runtime: RuntimeName, file: string, env: Record<string, string> = {}): Promise<Listening> {
  const program = new Program(runtime, file, [], { HOST: "127.0.0.1", PORT: "0", ...env });
  const [, host = ""] = await program.line(/^listening on \w+:\/\/([^\s/]+)\/?$/m);
  return { program, host };
}

/** A free port below those that systems give to connections: no connection takes it before somebody listens there. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
