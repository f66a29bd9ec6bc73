// What happens in a simulated run, as data: how the two ends and the link are set up, and who does
// what when. A program comes from a seed, can be printed, and can be run again after a part of it
// was taken out; shrink.ts does that, pair.ts runs it.

import { type Content, LARGEST, randomContent } from "./content.ts";
import type { LinkSetup } from "./link.ts";
import { Prng } from "./prng.ts";

/** One of the two ends. */
export type Role = "client" | "server";

/** How one end's connection is set up. Times in milliseconds. */
export interface EndSetup {
  readonly messages: "whole" | "pieces";
  readonly text: "string" | "bytes";
  readonly chunks: "given" | "lent";
  readonly maxMessageSize: number;
  readonly maxPendingReplies: number;
  readonly pingInterval: number;
  readonly pongTimeout: number;
  readonly idle: number;
  readonly close: number;
  /** What the end's clock shows when the run begins. */
  readonly clock: number;
  /** How late its timer may be. */
  readonly lateness: number;
}

/** permessage-deflate as both ends agreed on it; the first of a pair is the client's. */
export interface DeflateSetup {
  readonly windowBits: readonly [number, number];
  readonly takeover: readonly [boolean, boolean];
  readonly threshold: number;
}

/** What an end, or the network on its way out, does at one point. */
export type Action =
  | { readonly do: "send"; readonly content: Content; readonly compress: boolean; }
  | {
    readonly do: "fragment";
    readonly content: Content;
    readonly final: boolean;
    readonly compress: boolean;
  }
  | { readonly do: "prepared"; readonly index: number; }
  | { readonly do: "ping" | "pong"; readonly size: number; }
  | { readonly do: "close"; readonly code: number; readonly reason: string; }
  | { readonly do: "pause" | "resume" | "abort"; }
  | { readonly do: "stall" | "jump"; readonly milliseconds: number; }
  | { readonly do: "cut"; readonly fault: "end" | "reset"; readonly after: number; };

/** One action, `wait` milliseconds after the one before. */
export interface Step {
  readonly wait: number;
  readonly by: Role;
  readonly action: Action;
}

/** A whole run. */
export interface Program {
  readonly client: EndSetup;
  readonly server: EndSetup;
  readonly link: LinkSetup;
  readonly deflate: DeflateSetup | undefined;
  /** The contents of messages prepared once for both ends. */
  readonly prepared: readonly Content[];
  readonly steps: readonly Step[];
}

const MOST_STEPS = 40;

/** The program of a seed. */
export function generate(seed: number): Program {
  const prng = new Prng(seed);
  const calm = prng.chance(40);
  const deflate = prng.chance(15) ? randomDeflate(prng) : undefined;
  const largest = prng.pick([200, 1000, 5000, LARGEST]);
  const count = prng.below(MOST_STEPS);
  return {
    client: randomEnd(prng, calm),
    server: randomEnd(prng, calm),
    link: randomLink(prng),
    deflate,
    prepared: [randomContent(prng, largest), randomContent(prng, largest)],
    steps: randomSteps(prng, count, largest, calm),
  };
}

function randomEnd(prng: Prng, calm: boolean): EndSetup {
  return {
    messages: prng.chance(30) ? "pieces" : "whole",
    text: prng.chance(25) ? "bytes" : "string",
    chunks: prng.chance(40) ? "lent" : "given",
    maxMessageSize: prng.chance(20) ? prng.between(1, 2000) : 1 << 24,
    maxPendingReplies: prng.chance(50) ? prng.between(1, 500) : 1 << 16,
    pingInterval: prng.chance(40) ? Infinity : prng.between(50, 60_000),
    pongTimeout: calm ? Infinity : prng.between(10, 30_000),
    idle: calm || prng.chance(60) ? Infinity : prng.between(10, 60_000),
    close: calm ? Infinity : prng.between(1, 20_000),
    clock: prng.pick([0, 0.125, 1_790_000_000_000, prng.below(1_000_000) / 8]),
    lateness: prng.chance(50) ? 0 : prng.between(1, 100),
  };
}

function randomLink(prng: Prng): LinkSetup {
  return {
    latency: prng.chance(30) ? 0 : prng.scaled(400),
    jitter: prng.chance(50) ? 0 : prng.scaled(200),
    capacity: prng.chance(60) ? Infinity : 1 + prng.scaled(100_000),
    split: prng.pick(["whole", "anywhere", "anywhere", "bytes"]),
    seed: prng.uint32(),
  };
}

function randomDeflate(prng: Prng): DeflateSetup {
  return {
    // A client may have been told to use 8 bits, a server never has.
    windowBits: [prng.pick([8, 9, 9, 10, 15]), prng.pick([9, 9, 10, 15])],
    takeover: [prng.chance(50), prng.chance(50)],
    threshold: prng.pick([0, 128, 1000]),
  };
}

function randomSteps(prng: Prng, count: number, largest: number, calm: boolean): Step[] {
  const steps: Step[] = [];
  const slow = prng.chance(30) ? 20_000 : 200;
  while (steps.length < count) {
    const by = prng.pick<Role>(["client", "server"]);
    const actions = prng.chance(15)
      ? randomMessage(prng, largest)
      : [randomAction(prng, largest, calm)];
    for (const action of actions) {
      steps.push({ wait: prng.chance(60) ? 0 : prng.scaled(slow), by, action });
    }
  }
  return steps;
}

/** A whole message in fragments, with other things between them. */
function randomMessage(prng: Prng, largest: number): Action[] {
  const compress = prng.chance(70);
  const { kind } = randomContent(prng, largest);
  const parts = prng.between(1, 6);
  return Array.from({ length: parts }, (_, index) => {
    const content = { ...randomContent(prng, largest), kind };
    return { do: "fragment", content, final: index === parts - 1, compress } as const;
  }).flatMap((part) => prng.chance(25) ? [part, { do: "ping", size: prng.below(126) }] : [part]);
}

type Maker = (prng: Prng, largest: number) => Action;

const send: Maker = (prng, largest) => ({
  do: "send",
  content: randomContent(prng, largest),
  compress: prng.chance(80),
});
const fragment: Maker = (prng, largest) => ({
  do: "fragment",
  content: randomContent(prng, largest),
  final: prng.chance(50),
  compress: prng.chance(70),
});
const close: Maker = (prng) => ({
  do: "close",
  code: prng.pick([1000, 1001, 1003, 1005, 1011, 1014, 3000, 4999]),
  reason: prng.pick(["", "bye", "é".repeat(prng.below(130)), "\u{1f44b}\ud800"]),
});

/** Weight, and what it makes; the second table are the things that can lose a connection. */
const CALM: readonly (readonly [number, Maker])[] = [
  [40, send],
  [5, fragment],
  [8, (prng) => ({ do: "prepared", index: prng.below(2) })],
  [14, (prng) => ({ do: "ping", size: prng.below(126) })],
  [4, (prng) => ({ do: "pong", size: prng.below(126) })],
  [2, close],
  [4, () => ({ do: "pause" })],
  [6, () => ({ do: "resume" })],
  [4, (prng) => ({ do: "stall", milliseconds: prng.scaled(60_000) })],
];
const ROUGH: typeof CALM = [
  ...CALM,
  [1, () => ({ do: "abort" })],
  [2, (prng) => ({ do: "jump", milliseconds: prng.scaled(1 << 26) })],
  [3, (prng) => ({ do: "cut", fault: prng.pick(["end", "reset"]), after: prng.scaled(5000) })],
];

function randomAction(prng: Prng, largest: number, calm: boolean): Action {
  const table = calm ? CALM : ROUGH;
  let ticket = prng.below(table.reduce((total, [weight]) => total + weight, 0));
  for (const [weight, make] of table) {
    if (ticket < weight) return make(prng, largest);
    ticket -= weight;
  }
  return { do: "resume" };
}

/** Whether nothing in the program can lose the connection or make an end give up on it. */
export function isCalm({ client, server, steps }: Program): boolean {
  const patient = [client, server].every((end) =>
    Math.min(end.close, end.idle, end.pongTimeout) === Infinity
  );
  return patient && !steps.some(({ action }) => ["abort", "jump", "cut"].includes(action.do));
}
