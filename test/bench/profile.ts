// Where the time of a server goes: its runtime's own profiler, read for the span in which the load
// was measured.
//
// Samples are counted, not their times: JavaScriptCore takes none while it waits, and a thread
// without its core is not sampled either. A profiler sees what happens under JavaScript; the reads
// and waits of the event loop are idle time to it, and left out. So the share of a server's own
// code in all that it costs is less than what stands here. JavaScriptCore does not tell of
// collections.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Contestant, type Runtime, takesPart } from "./contestants.ts";
import { round } from "./processes.ts";
import { table } from "./report.ts";
import type { Workload } from "./workloads.ts";

/**
 * A function, as profiles name it; those of the engine have no URL, and a line if they are written
 * in JavaScript.
 */
interface Frame {
  readonly functionName: string;
  readonly url: string;
  /** From 0; less where there is none. */
  readonly lineNumber: number;
}

/** What the three runtimes write; times are in microseconds. */
interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame; }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

type Kind = "idle" | "collection" | "runtime" | "native" | "own";

/** The first that fits. */
const KINDS: readonly (readonly [Kind, (frame: Frame) => boolean])[] = [
  ["idle", ({ functionName }) => functionName === "(idle)" || functionName === "(root)"],
  ["collection", ({ functionName }) => functionName === "(garbage collector)"],
  [
    "runtime",
    ({ url, lineNumber }) =>
      /^(?:node|ext|bun|internal):/.test(url) || url === "" && lineNumber >= 0,
  ],
  ["native", ({ url }) => url === ""],
  ["own", () => true],
];

function kindOf(frame: Frame): Kind {
  return KINDS.find(([, fits]) => fits(frame))![0];
}

/** The sampled functions of the last so many seconds. */
function lastFrames({ nodes, samples, timeDeltas }: Profile, seconds: number): Frame[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const found: Frame[] = [];
  let left = seconds * 1e6;
  for (let i = samples.length - 1; i >= 0 && left > 0; i--) {
    found.push(frames.get(samples[i]!)!);
    left -= timeDeltas[i]!;
  }
  return found;
}

/** How often each of the values is there, the most frequent first. */
function counts<T>(values: readonly T[]): [value: T, count: number][] {
  const found = new Map<T, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return [...found].sort(([, a], [, b]) => b - a);
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  return functionName || `${url.slice(url.lastIndexOf("/") + 1)}:${lineNumber + 1}`;
}

/** The shares, as cells of a row. */
function cells(frames: readonly Frame[]): string[] {
  const busy = frames.filter((frame) => kindOf(frame) !== "idle");
  const percent = (count: number): string =>
    count > 0 ? `${(count / busy.length * 100).toFixed(1)} %` : "–";
  const kinds = new Map(counts(busy.map(kindOf)));
  const own = counts(busy.filter((frame) => kindOf(frame) === "own").map(nameOf));
  return [
    ...(["native", "runtime", "collection", "own"] as const).map((kind) =>
      percent(kinds.get(kind) ?? 0)
    ),
    own.slice(0, 3).map(([name, count]) => `\`${name}\` ${percent(count)}`).join(", "),
  ];
}

/** Runs the server under the runtime's profiler, which writes when the server ends. */
async function profiled(
  contestant: Contestant,
  workload: Workload,
  seconds: number,
): Promise<Frame[]> {
  const directory = mkdtempSync(join(tmpdir(), "bench-"));
  try {
    const options = ["--cpu-prof", `--cpu-prof-dir=${directory}`, "--cpu-prof-interval=200"];
    const { seconds: span } = await round(contestant, workload, seconds, options);
    const name = readdirSync(directory).find((name) => name.endsWith(".cpuprofile"));
    if (name === undefined) throw new Error(`${contestant.name} has written no profile`);
    return lastFrames(JSON.parse(readFileSync(join(directory, name), "utf8")) as Profile, span);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const HEAD: readonly string[] = [
  "work",
  "runtime",
  "server",
  "natives, system calls",
  "runtime's JavaScript",
  "garbage collection",
  "own code",
  "the heaviest of it",
];

/** The table of our server and, where it can do the same, TCP without a protocol. */
export async function profiles(
  runtimes: readonly Runtime[],
  workloads: readonly Workload[],
  seconds: number,
): Promise<string> {
  const rows: string[][] = [];
  for (const workload of workloads.filter(({ kind }) => kind !== "idle")) {
    for (const { title, contestants } of runtimes) {
      for (
        const contestant of contestants.filter(({ role }) => role === "ours" || role === "raw")
      ) {
        if (!takesPart(contestant, workload)) continue;
        const frames = await profiled(contestant, workload, seconds);
        rows.push([workload.name, title, contestant.name, ...cells(frames)]);
      }
    }
  }
  return `${
    table(HEAD, rows)
  }\n\nShares of the time under JavaScript; the event loop's own reads and waits come on top.`;
}
