// What the programs of a long run measure in themselves: memory after a collection, and the delay
// of the event loop.

import process from "node:process";
import { setInterval } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** In bytes. */
export interface Memory {
  /** What is reachable. */
  readonly heap: number;
  /** What the system has given. */
  readonly rss: number;
}

const { Bun } = globalThis as { Bun?: { gc(now: boolean): void; }; };

function collector(): () => void {
  if (Bun !== undefined) return () => Bun.gc(true);
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

const collect = collector();

/** The memory of this program after a collection. */
export async function measureMemory(): Promise<Memory> {
  // An array buffer is freed in a second round, and what a finished promise holds a turn later.
  for (let round = 0; round < 2; round++) {
    collect();
    await sleep(10);
  }
  const { heapUsed, arrayBuffers = 0, rss } = process.memoryUsage();
  return { heap: heapUsed + arrayBuffers, rss };
}

/** By how many milliseconds a timer was late: 99 of 100 times at most, and the longest. */
export interface Delay {
  readonly p99: number;
  readonly max: number;
}

const PERIOD = 20;

/** Milliseconds that this process has worked. */
function worked(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Looks how late a timer is, over and over. What it was late while the process did not work, other
 * processes are to blame for.
 */
export class DelayMeter {
  #delays: number[] = [];
  #last = performance.now();
  #worked = worked();

  constructor() {
    setInterval(() => this.#look(), PERIOD).unref();
  }

  /** The delays since the last call. */
  take(): Delay {
    this.#look();
    const sorted = this.#delays.sort((a, b) => a - b);
    this.#delays = [];
    return { p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0, max: sorted.at(-1) ?? 0 };
  }

  #look(): void {
    const [last, workedBefore] = [this.#last, this.#worked];
    this.#last = performance.now();
    this.#worked = worked();
    const late = Math.min(this.#last - last - PERIOD, this.#worked - workedBefore);
    this.#delays.push(Math.max(0, Math.round(late)));
  }
}
