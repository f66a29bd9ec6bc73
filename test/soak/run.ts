// `npm run soak`: a long run of a server and its clients on each runtime, and whether they leave
// anything behind. It ends with a status that is not zero where memory grows, something stays, the
// event loop is late, a client hangs, or a process does not end by itself.
//
//   --minutes N       no connection is opened after so many minutes, for each runtime (default 20)
//   --runtime NAME    node, deno or bun; may be repeated (default all)
//   --connections N   default 200000
//   --messages N      default 2000000
//   --short           some thousand connections, for every day
//
// It reads /proc, so it needs Linux.

import process from "node:process";
import { parseArgs } from "node:util";
import { type RuntimeName, RUNTIMES } from "../processes.ts";
import { Run, type Size } from "./phases.ts";
import { killAll } from "./programs.ts";
import { complaintsOf, tableOf } from "./report.ts";

const MINUTE = 60_000;

const FULL = { connections: 200_000, messages: 2_000_000, looks: 40, kills: 10 };
const SHORT = { connections: 3000, messages: 50_000, looks: 8, kills: 1 };

/** What all but the connections and the messages may take. */
const EXTRA = 10 * MINUTE;

/** The complaints. */
async function soak(runtime: RuntimeName, size: Size): Promise<string[]> {
  let overdue = false;
  const limit = setTimeout(() => {
    overdue = true;
    void killAll();
  }, 2 * size.limit + EXTRA);
  try {
    const row = await Run.on(runtime, size);
    console.log(tableOf(row));
    return complaintsOf(row);
  } catch (error) {
    return [`${runtime}: ${overdue ? "it took too long" : error}`];
  } finally {
    clearTimeout(limit);
    await killAll();
  }
}

function runtimeOf(given: string): RuntimeName {
  const found = RUNTIMES.find((name) => name.toLowerCase() === given.toLowerCase());
  if (found === undefined) {
    throw new Error(`there is no runtime ${given}: it takes ${RUNTIMES.join(", ")}`);
  }
  return found;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "20" },
      runtime: { type: "string", multiple: true, default: [...RUNTIMES] },
      connections: { type: "string" },
      messages: { type: "string" },
      short: { type: "boolean", default: false },
    },
  });
  const usual = values.short ? SHORT : FULL;
  const size = {
    ...usual,
    connections: Number(values.connections ?? usual.connections),
    messages: Number(values.messages ?? usual.messages),
    limit: Number(values.minutes) * MINUTE,
  };
  const complaints: string[] = [];
  for (const runtime of values.runtime.map(runtimeOf)) {
    complaints.push(...await soak(runtime, size));
  }
  for (const complaint of complaints) console.error(complaint);
  process.exitCode = complaints.length === 0 ? 0 : 1;
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => void killAll().then(() => process.exit(1)));
}
await main();
