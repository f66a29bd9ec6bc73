// Programs of the tests as processes of their own, on each runtime, from the root of the
// repository: how they are started, what they print, how they end. It knows of no test: those that
// end a program with their test start it by programs.ts.

import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const root: string = fileURLToPath(new URL("..", import.meta.url));

const windows = process.platform === "win32";

export type RuntimeName = "Node" | "Deno" | "Bun";
export const RUNTIMES: readonly RuntimeName[] = ["Node", "Deno", "Bun"];

// The programs themselves and not their wrappers in node_modules/.bin, so that a signal reaches
// them.
export const COMMANDS: Readonly<Record<RuntimeName, readonly [string, ...string[]]>> = {
  Node: [process.execPath, "--import", "tsx"],
  Deno: [join(root, "node_modules", "deno", windows ? "deno.exe" : "deno"), "run", "-A"],
  Bun: [join(root, "node_modules", "bun", "bin", "bun.exe"), "run"],
};

/** Windows has no signals: whoever is sent one is ended without being asked. */
export const hasSignals: boolean = !windows;

/** An exit status, or the signal that ended a program. */
export type Status = number | NodeJS.Signals;

/** A program that runs, or has run. */
export class Program {
  readonly #child: ChildProcess;
  /** How it ended, once it has, and all it printed is here. */
  readonly exited: Promise<Status>;
  #output = "";
  #printed = "";
  #complaints = "";
  /** What it prints to its standard output; each line is given once. */
  readonly lines: AsyncGenerator<string, void> = this.#readLines();

  /** Its standard error is kept, or passed on. */
  constructor(
    [tool, ...args]: readonly string[],
    env: Readonly<Record<string, string>> = {},
    complaints: "pipe" | "inherit" = "pipe",
  ) {
    // NO_COLOR: what is printed is compared. What NODE_OPTIONS says is for the tests themselves.
    this.#child = spawn(tool!, args, {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", complaints],
    });
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      this.#printed += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      this.#complaints += text;
    });
    this.exited = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) => resolve(code ?? signal!));
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** How it ended; nothing while it runs. */
  get status(): Status | undefined {
    return this.#child.exitCode ?? this.#child.signalCode ?? undefined;
  }

  /** All it printed so far. */
  get output(): string {
    return this.#output;
  }

  /** What it printed to its standard error so far. */
  get complaints(): string {
    return this.#complaints;
  }

  /** Waits for a line; rejects when the program ends without it. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    for (let ended = false;; ended = !await this.#more()) {
      const match = pattern.exec(this.#output);
      if (match !== null) return match;
      if (ended) throw new Error(`the program ended without ${pattern}:\n${this.#output}`);
    }
  }

  /** The next of its lines, as JSON; rejects when the program ends before it. */
  async takeJson<T>(): Promise<T> {
    const line = await this.lines.next();
    if (line.done) throw new Error(`the program ended with ${await this.exited}:\n${this.#output}`);
    return JSON.parse(line.value) as T;
  }

  /** Asks it to end, and resolves with how it did. */
  stop(signal: "SIGINT" | "SIGTERM"): Promise<Status> {
    this.#child.kill(signal);
    return this.exited;
  }

  /** Ends it, if it has not ended yet. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited.catch(() => {});
  }

  async *#readLines(): AsyncGenerator<string, void> {
    for (let taken = 0;;) {
      const end = this.#printed.indexOf("\n", taken);
      if (end >= 0) {
        yield this.#printed.slice(taken, end);
        taken = end + 1;
      } else if (!await this.#more()) {
        return;
      }
    }
  }

  /** Waits until it has printed more; false when it has ended instead. */
  #more(): Promise<boolean> {
    const printed = new Promise<true>((resolve) =>
      this.#child.stdout!.once("data", () => resolve(true))
    );
    return Promise.race([printed, this.exited.then(() => false)]);
  }
}

/**
 * A free port below those that systems give to connections: no connection takes it before somebody
 * listens there.
 */
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
