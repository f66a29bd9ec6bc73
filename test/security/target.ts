// The test's side of the program under attack: it starts it on a runtime, asks it how it is, measures its memory, and has a bystander
// in it: a well-behaved connection whose every message must be answered in time, whatever happens to the others.

import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Socket as NetSocket } from "node:net";
import { connect } from "node:net";
import process from "node:process";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "vitest";
import type { RawPeer } from "../contract/raw.ts";
import { request } from "../contract/raw.ts";
import { sleep, until } from "../contract/suite.ts";
import { frame } from "../core/support.ts";
import type { RuntimeName } from "../examples/programs.ts";
import { COMMANDS, root, RUNTIMES } from "../examples/programs.ts";
import type { Errand, Outcome, Spec, State } from "./server.ts";

export const MIB: number = 2 ** 20;

/** Milliseconds within which the bystander must be answered: very long for a server, but this may be a busy machine. */
const PATIENCE = 4_000;

/** The program under attack, on one runtime. */
export class Target {
  readonly runtime: RuntimeName;
  readonly #child: ChildProcess;
  #ports: Readonly<Record<string, number>> = {};
  #output = "";

  constructor(runtime: RuntimeName, servers: Readonly<Record<string, Spec>>) {
    const [command, ...args] = COMMANDS[runtime];
    this.runtime = runtime;
    this.#child = spawn(command, [...args, "test/security/server.ts"], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", SERVERS: JSON.stringify(servers) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout!.on("data", (chunk) => this.#output += String(chunk));
    this.#child.stderr!.on("data", (chunk) => this.#output += String(chunk));
  }

  /** Waits until it listens. */
  async ready(): Promise<void> {
    await until(() => /^\{.*\n/.test(this.#output) || !this.alive, "the program listened");
    if (!this.alive) throw new Error(`the program ended:\n${this.#output}`);
    this.#ports = JSON.parse(this.#output.split("\n", 1)[0]!) as Record<string, number>;
  }

  /** What it printed after its ports: nothing, when all is well. */
  get complaints(): string {
    return this.#output.slice(this.#output.indexOf("\n") + 1);
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The port of one of its servers. */
  port(server: string): number {
    const port = this.#ports[server];
    if (port === undefined) throw new Error(`there is no server ${server}`);
    return port;
  }

  /** What it tells of itself. */
  async state(): Promise<State> {
    return await this.#ask("state") as State;
  }

  /** What one of its servers noted. */
  async notes(server: string): Promise<readonly string[]> {
    return (await this.state()).notes[server]!;
  }

  async forget(): Promise<void> {
    await this.#ask("forget");
  }

  /** Sends it on an errand as a client. */
  async connect(errand: Errand): Promise<Outcome> {
    return await this.#ask("connect", { method: "POST", body: JSON.stringify(errand) }) as Outcome;
  }

  async #ask(path: string, init?: RequestInit): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.port("control")}/${path}`, init);
    return await response.json();
  }

  /** Bytes by which the memory it has of the system grew during the work, at its height. */
  async growth(work: () => Promise<void>): Promise<number> {
    // Makes the resident size of now the highest there was.
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, "5");
    const before = this.#memory("VmRSS");
    await work();
    return this.#memory("VmHWM") - before;
  }

  #memory(name: "VmRSS" | "VmHWM"): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) * 1024;
  }

  /** How many descriptors it has open. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length;
  }

  /** Lets it have so many descriptors, beside those it needs to run. */
  limitDescriptors(count: number): void {
    execFileSync("prlimit", [`--pid=${this.#child.pid}`, `--nofile=${count}:`]);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

/** Whether the system tells of memory as Linux does. */
export const hasProc: boolean = process.platform === "linux";

/** Writes megabytes as fast as they are taken, until the other end is gone. */
export async function flood(peer: RawPeer, megabytes: number): Promise<void> {
  const megabyte = new Uint8Array(MIB);
  for (let i = 0; i < megabytes; i++) {
    peer.socket.write(megabyte);
    while (peer.socket.writableNeedDrain && !peer.closed) await sleep(1);
    if (peer.closed) return;
  }
}

/** The bytes, so many times. */
export function repeat(bytes: Uint8Array, times: number): Uint8Array {
  const repeated = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) repeated.set(bytes, i * bytes.length);
  return repeated;
}

/** A connection that does nothing wrong: it sends a message, waits for its echo, and sends the next. */
export class Bystander {
  readonly #socket: NetSocket;
  readonly #message = frame("client", 0x81, "hello");
  #received = -1;
  #sentAt = 0;
  #worst = 0;

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("error", () => {}).on("data", (chunk) => this.#receive(chunk));
    this.#socket.write(request());
  }

  // The 101 ends in an empty line; an echo has two bytes of header and five of content.
  #receive(chunk: Uint8Array): void {
    if (this.#received < 0) {
      if (new TextDecoder("latin1").decode(chunk).endsWith("\r\n\r\n")) this.#send();
      return;
    }
    this.#received += chunk.length;
    if (this.#received < 7) return;
    this.#worst = Math.max(this.#worst, Date.now() - this.#sentAt);
    setTimeout(() => this.#send(), 10).unref();
  }

  #send(): void {
    this.#received = 0;
    this.#sentAt = Date.now();
    this.#socket.write(this.#message);
  }

  /** Whether it is open and its messages come back. */
  get started(): boolean {
    return this.#worst > 0;
  }

  /** The longest that it waited, in milliseconds, and is waiting now. */
  get worst(): number {
    return Math.max(this.#worst, this.#received >= 0 && this.#received < 7 ? Date.now() - this.#sentAt : 0);
  }

  get closed(): boolean {
    return this.#socket.closed;
  }

  forget(): void {
    this.#worst = 0;
  }

  end(): void {
    this.#socket.destroy();
  }
}

/**
 * Runs the tests against the program on each runtime. There is always a server "echo" in it, with a bystander; after each test the
 * program must live, have said nothing, have heard of no error, and have kept answering the bystander.
 */
export function onEachRuntime(servers: Readonly<Record<string, Spec>>, tests: (target: () => Target) => void): void {
  // All three take their time to start at the same time.
  const targets = RUNTIMES.map((runtime) =>
    [runtime, new Target(runtime, { bystander: { behaviour: "echo" }, ...servers })] as const
  );
  afterAll(() => {
    for (const [, target] of targets) target.kill();
  });
  describe.each(targets)("on %s", (_, target) => {
    let bystander: Bystander | undefined;
    beforeAll(async () => {
      await target.ready();
      bystander = new Bystander(target.port("bystander"));
      await until(() => bystander!.started, "the bystander was answered");
    });
    beforeEach(async () => {
      await target.forget();
      bystander!.forget();
    });
    afterEach(async () => {
      expect(target.alive, target.complaints).toBe(true);
      expect(bystander!.closed).toBe(false);
      expect(bystander!.worst).toBeLessThan(PATIENCE);
      expect((await target.state()).errors).toEqual([]);
      expect(target.complaints).toBe("");
    });
    afterAll(() => bystander?.end());
    tests(() => target);
  });
}
