// The server and the clients of a long run as processes, and what they say of themselves.

import { setTimeout as sleep } from "node:timers/promises";
import { COMMANDS, Program, type RuntimeName } from "../processes.ts";
import type { Look, Plan } from "./client.ts";
import type { Stats } from "./server.ts";
import type { Result } from "./tally.ts";

/**
 * Milliseconds after which something that should have happened soon has not, even on a machine that
 * does much else.
 */
const PATIENCE = 60_000;

const running = new Set<SoakProgram>();

/** Ends all that was started, so that whoever waits for it waits no longer. */
export async function killAll(): Promise<void> {
  await Promise.all([...running].map((program) => program.kill()));
}

class SoakProgram extends Program {
  constructor(runtime: RuntimeName, file: string, env: Readonly<Record<string, string>>) {
    super([...COMMANDS[runtime], `test/soak/${file}`], env);
    running.add(this);
    void this.exited.then(() => running.delete(this));
  }

  /** What is wrong with how it ends; it has to do so by itself, soon, and in silence. */
  async faults(): Promise<string[]> {
    const status = await Promise.race([this.exited, sleep(PATIENCE, "not at all", { ref: false })]);
    await this.kill();
    const said = this.complaints.slice(0, 500);
    return [
      ...status === 0 ? [] : [`it ended with ${status}`],
      ...said === "" ? [] : [`it printed ${said}`],
    ];
  }
}

/** The server. */
export class ServerProgram extends SoakProgram {
  readonly #port: number;

  private constructor(runtime: RuntimeName, port: number) {
    super(runtime, "server.ts", { PORT: String(port) });
    this.#port = port;
  }

  static async start(runtime: RuntimeName, port: number): Promise<ServerProgram> {
    const server = new ServerProgram(runtime, port);
    await server.line(/^listening$/m);
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/`;
  }

  async stats(): Promise<Stats> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/`, {
      signal: AbortSignal.timeout(PATIENCE),
    });
    return await response.json() as Stats;
  }

  /** How it is when it has heard from so many clients. */
  hearing(count: number): Promise<Stats> {
    return this.#statsWhen(({ talking }) => talking >= count);
  }

  /** How it is when it has no sockets. */
  calm(): Promise<Stats> {
    return this.#statsWhen(({ sockets }) => sockets === 0);
  }

  // When that does not happen, whoever asked for it sees it in what is returned.
  async #statsWhen(enough: (stats: Stats) => boolean): Promise<Stats> {
    for (const deadline = Date.now() + PATIENCE;; await sleep(50)) {
      const stats = await this.stats();
      if (enough(stats) || Date.now() > deadline) return stats;
    }
  }
}

/** Some clients. */
export class ClientProgram extends SoakProgram {
  /** What it did in the end; nothing when it did not come to that. */
  readonly result: Promise<Result | undefined>;

  constructor(runtime: RuntimeName, plan: Plan, onLook: (look: Look) => void = () => {}) {
    super(runtime, "client.ts", { PLAN: JSON.stringify(plan) });
    this.result = this.#read(onLook);
  }

  async #read(onLook: (look: Look) => void): Promise<Result | undefined> {
    for await (const line of this.lines) {
      const said = JSON.parse(line) as Look | Result;
      if ("ends" in said) return said;
      onLook(said);
    }
    return undefined;
  }
}
