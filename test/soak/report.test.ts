// That a long run complains: about each thing that can be wrong with it, and about nothing when all
// is well.

import { describe, expect, it } from "vitest";
import type { Look } from "./client.ts";
import type { Row } from "./phases.ts";
import { complaintsOf, slopeOf, tableOf } from "./report.ts";
import type { Stats } from "./server.ts";

const MIB = 2 ** 20;

const STATS: Stats = {
  heap: 10 * MIB,
  rss: 100 * MIB,
  sockets: 0,
  talking: 0,
  descriptors: 20,
  handles: { TCPServerWrap: 1 },
  delay: { p99: 20, max: 90 },
};

/**
 * Looks at a server whose heap and resident size grow by so many bytes each time, with some noise.
 */
function looksAt(count: number, heap: number, rss = 0): Look[] {
  return Array.from({ length: 40 }, (_, i) => {
    const done = count * (i + 1) / 40;
    const noise = (i * 7919 % 13 - 6) * 50_000;
    const server = {
      ...STATS,
      heap: STATS.heap + noise + heap * done,
      rss: STATS.rss + noise + rss * done,
    };
    return { done, client: { heap: 8 * MIB, rss: 90 * MIB }, server };
  });
}

const RESULT = { connects: 200_000, messages: 400_000, ends: {}, failures: [] };

function phase(looks: readonly Look[]): Row["churned"] {
  return { looks, result: RESULT, milliseconds: 1000 };
}

const GOOD: Row = {
  runtime: "Node",
  before: STATS,
  churned: phase(looksAt(200_000, 0)),
  talked: phase(looksAt(2_000_000, 0)),
  after: STATS,
  closed: { "1001 clean peer": 100 },
  killed: { "1006 unclean lost": 100 },
  stayed: { "1001 clean peer": 50, "1006 unclean lost": 50, "1001 clean local": 50 },
  returned: 50,
  faults: [],
};

/** Looks of which some found the event loop late. */
function late(count: number, delay: Stats["delay"]): Row["churned"] {
  const late = { ...STATS, delay };
  return phase(GOOD.churned.looks.map((look, i) => i < count ? { ...look, server: late } : look));
}

type Flaw = readonly [what: string, flaw: Partial<Row>, complaint: RegExp];

const FLAWS: readonly Flaw[] = [
  [
    "a listener for each connection",
    { churned: phase(looksAt(200_000, 64)) },
    /^Node: server heap grows by 6\d\.\d bytes each, by connections$/,
  ],
  [
    "a socket for each connection of a short run",
    { churned: phase(looksAt(2000, 4000)) },
    /server heap grows by .*, by connections/,
  ],
  [
    "memory outside the heap",
    { churned: phase(looksAt(200_000, 0, 500)) },
    /^Node: server RSS grows by .*, by connections$/,
  ],
  [
    "something for each message",
    { talked: phase(looksAt(2_000_000, 8)) },
    /server heap grows by .*, by messages/,
  ],
  [
    "a socket",
    { after: { ...STATS, sockets: 1 } },
    /1 sockets of clients that were killed are left/,
  ],
  ["a descriptor", { after: { ...STATS, descriptors: 21 } }, /1 descriptors are left/],
  [
    "a handle",
    { after: { ...STATS, handles: { TCPServerWrap: 1, Timeout: 2 } } },
    /2 handles of kind Timeout are left/,
  ],
  [
    "a late event loop",
    { churned: late(40, { p99: 150, max: 200 }), talked: late(1, { p99: 150, max: 200 }) },
    /usually late by 150 ms/,
  ],
  [
    "an event loop that stood still",
    { talked: late(1, { p99: 10, max: 3000 }) },
    /once by 3000 ms/,
  ],
  [
    "clients that were dropped",
    { closed: { "1001 clean peer": 99, "1006 unclean lost": 1 } },
    /closed saw .*"1006 unclean lost":1/,
  ],
  [
    "clients that hung",
    { killed: undefined },
    /the clients of a server that was killed saw nothing/,
  ],
  ["clients that did not come back", { returned: 49 }, /49 of 50 clients came back/],
  [
    "clients that came back once",
    { stayed: { "1001 clean peer": 50, "1001 clean local": 50 } },
    /the clients of servers, .* saw/,
  ],
  [
    "a process that did not end",
    { faults: ["the server: it ended with not at all"] },
    /it ended with not at all/,
  ],
  [
    "a wrong end",
    { talked: { ...GOOD.talked, result: { ...RESULT, failures: ["a wrong end"] } } },
    /a wrong end/,
  ],
  [
    "a run that was too short",
    { churned: phase(looksAt(200_000, 0).slice(-4)) },
    /4 looks .* too few/,
  ],
  [
    "clients that did not end",
    { churned: { ...GOOD.churned, result: undefined } },
    /did not come to their end/,
  ],
];

describe("complaintsOf", () => {
  it("finds nothing where all is well", () => {
    expect(complaintsOf(GOOD)).toEqual([]);
  });

  it("finds nothing where the event loop was late for a while", () => {
    expect(complaintsOf({ ...GOOD, churned: late(15, { p99: 800, max: 1900 }) })).toEqual([]);
  });

  it.each(FLAWS)("finds %s, and nothing else", (_, flaw, complaint) => {
    expect(complaintsOf({ ...GOOD, ...flaw })).toEqual([expect.stringMatching(complaint)]);
  });
});

describe("slopeOf", () => {
  const heapOf = ({ server }: Look): number => server.heap;

  /** Looks at a heap that has so many bytes more from one of them on. */
  function stepAt(from: number, bytes: number, looks: readonly Look[]): Look[] {
    return looks.map((look, i) => ({
      ...look,
      server: { ...STATS, heap: heapOf(look) + (i < from ? 0 : bytes) },
    }));
  }

  it("is the growth after the warm-up, whatever was before it", () => {
    expect(slopeOf(stepAt(10, -1e9, looksAt(200_000, 100)), heapOf)).toBeCloseTo(100, -1);
  });

  it.each([12, 20, 25, 35])("is the growth beside a step at look %i", (from) => {
    expect(slopeOf(stepAt(from, 25 * MIB, looksAt(200_000, 100)), heapOf)).toBeCloseTo(100, -1);
  });

  it("is the growth by steps that come again and again", () => {
    const staircase = [12, 16, 20, 24, 28, 32, 36].reduce(
      (looks, at) => stepAt(at, 25 * MIB, looks),
      looksAt(200_000, 0),
    );
    expect(slopeOf(staircase, heapOf)).toBeGreaterThan(500);
  });
});

describe("tableOf", () => {
  it("has a line for each figure, also of a run that came to nothing", () => {
    expect(tableOf(GOOD)).toContain("server heap, bytes a connection");
    expect(tableOf({ ...GOOD, churned: { looks: [], result: undefined, milliseconds: 1 } }))
      .toContain("Node");
  });
});
