// The test's side of the program under attack: it starts it on a runtime, asks it how it is,
// measures its memory, and has a bystander in it: a well-behaved connection whose every message
// must be answered in time, whatever happens to the others.

import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Socket as NetSocket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from "vitest";
import { acceptance, rawListen, type RawPeer } from "../contract/raw.ts";
import { sleep, until } from "../contract/suite.ts";
import { COMMANDS, Program, root, type RuntimeName, RUNTIMES } from "../processes.ts";
import type { Waits } from "./bystander.ts";
import type { Errand, Outcome, Spec, State } from "./server.ts";

export const MIB: number = 2 ** 20;

/**
 * Milliseconds within which half of the bystander's messages must be answered: without an attack it
 * is a fraction of one.
 */
const USUAL = 250;
/** So many messages have a median that means something. */
const MANY = 20;
/**
 * Milliseconds within which each must be answered: very long for a server, but this may be a busy
 * machine.
 */
const PATIENCE = 4_000;

/** The program under attack, on one runtime. */
export class Target extends Program {
  readonly runtime: RuntimeName;
  #ports: Readonly<Record<string, number>> = {};

  constructor(runtime: RuntimeName, servers: Readonly<Record<string, Spec>>) {
    super([...COMMANDS[runtime], "test/security/server.ts"], { SERVERS: JSON.stringify(servers) });
    this.runtime = runtime;
  }

  /** Waits until it listens. */
  async ready(): Promise<void> {
    this.#ports = await this.takeJson();
  }

  /** What it printed after its ports, to either output: nothing, when all is well. */
  override get complaints(): string {
    return this.output.slice(this.output.indexOf("\n") + 1);
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
    return await this.#ask(`connect?${encodeURIComponent(JSON.stringify(errand))}`) as Outcome;
  }

  async #ask(path: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.port("control")}/${path}`);
    return await response.json();
  }

  /** Bytes by which the memory it has of the system grew during the work, at its height. */
  async growth(work: () => Promise<void>): Promise<number> {
    // Makes the resident size of now the highest there was.
    writeFileSync(`/proc/${this.pid}/clear_refs`, "5");
    const before = this.#memory("VmRSS");
    await work();
    return this.#memory("VmHWM") - before;
  }

  #memory(name: "VmRSS" | "VmHWM"): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) * 1024;
  }

  /** How many descriptors it has open. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Lets it have so many descriptors, beside those it needs to run. */
  limitDescriptors(count: number): void {
    execFileSync("prlimit", [`--pid=${this.pid}`, `--nofile=${count}:`]);
  }

  /** How many it may have open at most: a runtime raises its own limit as far as it is let. */
  get mostDescriptors(): number {
    const limits = readFileSync(`/proc/${this.pid}/limits`, "utf8");
    return Number(/^Max open files +\d+ +(\d+)/m.exec(limits)?.[1] ?? Infinity);
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

/**
 * A server that opens a WebSocket with whoever comes, and goes on as it is told; `fields` are added
 * to its answer.
 */
export function opening(
  then: (peer: RawPeer, head: string) => void | Promise<void>,
  fields = "",
): Promise<string> {
  return rawListen(async (peer) => {
    const head = await peer.takeHead();
    peer.write(acceptance(head).replace(/\r\n$/, `${fields}\r\n`));
    await then(peer, head);
  });
}

/**
 * Writes frames byte by byte, with a pause behind each; of a long one all of its header, and the
 * beginning of its content.
 */
export async function trickle(socket: NetSocket, frames: readonly Uint8Array[]): Promise<void> {
  for (const frame of frames) {
    for (const byte of frame.subarray(0, 40)) {
      socket.write(Uint8Array.of(byte));
      await sleep(1);
    }
    socket.write(frame.subarray(40));
  }
}

/** The bytes, so many times. */
export function repeat(bytes: Uint8Array, times: number): Uint8Array {
  const repeated = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) repeated.set(bytes, i * bytes.length);
  return repeated;
}

/** The test's side of the bystander. */
class Bystander {
  readonly #child: ChildProcess;

  constructor(port: number) {
    this.#child = fork(join(root, "test/security/bystander.ts"), [String(port)], {
      execArgv: ["--import", "tsx"],
    });
  }

  /** What it has seen since it was asked the last time. */
  async ask(): Promise<Waits> {
    const answer = once(this.#child, "message");
    this.#child.send("how are you?");
    const [waits] = await answer as [Waits];
    return waits;
  }

  end(): void {
    this.#child.kill();
  }
}

/**
 * Runs the tests against the program on each runtime. There is always a server in it with a
 * bystander; after each test the program must live, have said nothing, have heard of no error, and
 * have kept answering the bystander.
 */
export function onEachRuntime(
  servers: Readonly<Record<string, Spec>>,
  tests: (target: () => Target) => void,
): void {
  // All three take their time to start at the same time.
  const targets = RUNTIMES.map((runtime) =>
    [runtime, new Target(runtime, { bystander: { behaviour: "echo" }, ...servers })] as const
  );
  afterAll(() => Promise.all(targets.map(([, target]) => target.kill())));
  describe.each(targets)("on %s", (_, target) => {
    let bystander: Bystander | undefined;
    beforeAll(async () => {
      await target.ready();
      bystander = new Bystander(target.port("bystander"));
      await until(async () => (await bystander!.ask()).count > 0, "the bystander was answered");
    });
    beforeEach(async () => {
      await target.forget();
      await bystander!.ask();
    });
    afterEach(async () => {
      expect(target.status, target.complaints).toBeUndefined();
      const waits = await bystander!.ask();
      expect(waits.closed).toBe(false);
      if (waits.count >= MANY) expect(waits.median).toBeLessThan(USUAL);
      expect(waits.worst).toBeLessThan(PATIENCE);
      expect((await target.state()).errors).toEqual([]);
      expect(target.complaints).toBe("");
    });
    afterAll(() => bystander?.end());
    tests(() => target);
  });
}
