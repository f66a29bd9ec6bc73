// The clients of a long run, many in one process; PLAN in the environment says what they do. It
// prints a line of JSON for each look at its memory and the server's, and one for the result; then
// it has to end by itself.

import { setMaxListeners } from "node:events";
import process from "node:process";
import { connect, type Message, reconnecting, type Socket } from "sansws";
import { measureMemory, type Memory } from "./meters.ts";
import type { Stats } from "./server.ts";
import { Tally } from "./tally.ts";
import { MAX_LISTENERS, visit } from "./visit.ts";

/** What the clients do. */
export type Plan = RoundsPlan | {
  /**
   * They talk without end: until they are closed, or, beyond that, again and again until SIGTERM.
   */
  readonly mode: "endless" | "stay";
  readonly url: string;
  readonly parallel: number;
};

/** What is done in rounds, with a look after each. */
export interface RoundsPlan {
  /** Connections come and go; or messages go to and fro. */
  readonly mode: "churn" | "talk";
  readonly url: string;
  /** How many, in all. */
  readonly count: number;
  readonly rounds: number;
  /** Connections at a time. */
  readonly parallel: number;
  /** Milliseconds after which no round, and no visit, is begun. */
  readonly limit: number;
}

/** One look at both sides, while there are no connections. */
export interface Look {
  /** Connections, or messages, so far. */
  readonly done: number;
  readonly client: Memory;
  readonly server: Stats;
}

const tally = new Tally();

function inParallel(count: number, work: () => Promise<void>): Promise<unknown> {
  return Promise.all(
    Array.from(
      { length: count },
      () => work().catch((error: unknown) => tally.fail(String(error))),
    ),
  );
}

// --- Rounds ---

/** Whether to go on. */
type Going = () => boolean;

const ROUNDS: Readonly<
  Record<RoundsPlan["mode"], (plan: RoundsPlan, round: number, going: Going) => Promise<void>>
> = {
  async churn({ url, count, rounds, parallel }, round, going) {
    const last = Math.round(count * (round + 1) / rounds);
    let next = Math.round(count * round / rounds);
    await inParallel(parallel, async () => {
      while (next < last && going()) await visit(url, next++, tally);
    });
  },
  async talk({ url, count, rounds, parallel }) {
    await inParallel(parallel, () => talk(url, Math.round(count / rounds / parallel)));
  },
};

async function goRounds(plan: RoundsPlan): Promise<void> {
  const going = (): boolean => performance.now() < plan.limit && !tally.failed;
  for (let round = 0; round < plan.rounds && going(); round++) {
    await ROUNDS[plan.mode](plan, round, going);
    print(await look(plan));
  }
}

async function look({ mode, url }: RoundsPlan): Promise<Look> {
  const response = await fetch(url.replace("ws:", "http:"));
  const server = await response.json() as Stats;
  return {
    done: mode === "churn" ? tally.connects : tally.messages,
    client: await measureMemory(),
    server,
  };
}

const WINDOW = 100;

/** Keeps some messages on their way, until so many have come back. */
async function talk(url: string, count: number): Promise<void> {
  let left = count;
  const message = (socket: Socket, data: Message): void => {
    tally.messages++;
    if (--left >= WINDOW) socket.send(data);
    else if (left === 0) socket.close();
  };
  const socket = await connect(url, { message });
  tally.connects++;
  for (let i = 0; i < WINDOW; i++) {
    socket.send(i % 2 === 0 ? "a message of some length" : new Uint8Array(100));
  }
  tally.ended(await socket.closed, "1000 clean local");
}

// --- Without end ---

const HANDLERS = {
  open(socket: Socket): void {
    tally.connects++;
    for (const size of [10, 1000, 10_000]) socket.send(new Uint8Array(size));
  },
  message(socket: Socket, data: Message): void {
    tally.messages++;
    socket.send(data);
  },
  close(_socket: Socket, closed: Parameters<Tally["ended"]>[0]): void {
    tally.ended(closed);
  },
};

async function talkEndlessly(url: string): Promise<void> {
  const socket = await connect(url, HANDLERS);
  await socket.closed;
}

async function stay(url: string, signal: AbortSignal): Promise<void> {
  await reconnecting(url, { ...HANDLERS, signal, retry: { initialDelay: 50, maxDelay: 500 } })
    .closed;
}

function untilTold(): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(MAX_LISTENERS, controller.signal);
  process.once("SIGTERM", () => controller.abort());
  return controller.signal;
}

// --- The program ---

function print(line: Look | Tally): void {
  console.log(JSON.stringify(line));
}

async function run(plan: Plan): Promise<void> {
  if (plan.mode === "churn" || plan.mode === "talk") return goRounds(plan);
  if (plan.mode === "endless") await inParallel(plan.parallel, () => talkEndlessly(plan.url));
  else {
    const signal = untilTold();
    await inParallel(plan.parallel, () => stay(plan.url, signal));
  }
}

await run(JSON.parse(process.env["PLAN"]!) as Plan);
print(tally);
