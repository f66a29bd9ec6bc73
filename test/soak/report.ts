// What is made of a long run: slopes, complaints about what is beyond its bound, and a table.

import type { Look } from "./client.ts";
import { type Ends, mebibytes, type Phase, type Row, STAYING, TALKING } from "./phases.ts";

interface Bound {
  readonly what: string;
  readonly of: (look: Look) => number;
  /** Bytes for each connection. */
  readonly slope: number;
  /** Bytes in all: who has not risen by that has not grown. */
  readonly noise: number;
}

const MIB = 2 ** 20;

/**
 * A socket that is not forgotten takes kilobytes, a listener or a timer that is not taken back a
 * hundred bytes. The young generation of V8 may grow by 32 MiB at any time, and be as large from
 * then on.
 */
const BOUNDS: readonly Bound[] = [
  { what: "server heap", of: ({ server }) => server.heap, slope: 16, noise: MIB },
  { what: "client heap", of: ({ client }) => client.heap, slope: 16, noise: MIB },
  { what: "server RSS", of: ({ server }) => server.rss, slope: 256, noise: 48 * MIB },
  { what: "client RSS", of: ({ client }) => client.rss, slope: 256, noise: 48 * MIB },
];

/** Milliseconds. */
const MAX_DELAY = { usual: 100, longest: 2000 };

/**
 * The looks after the first quarter, in which caches fill, code is compiled and the heap finds its
 * size. From then on memory must not follow the number of connections.
 */
function warm(looks: readonly Look[]): readonly Look[] {
  return looks.slice(Math.ceil(looks.length / 4));
}

/** For a slope, after the warm-up. */
const MIN_LOOKS = 4;

/**
 * Bytes for each connection, or message, after the warm-up: the median of what memory grew by over
 * a quarter of the looks. Whatever leaks grows in each of them; an allocator or a heap that takes
 * some megabytes at once, and no more afterwards, does so in few.
 */
export function slopeOf(looks: readonly Look[], of: (look: Look) => number): number {
  const points = warm(looks);
  const lag = Math.floor(points.length / 4);
  const slopes = points.slice(lag).map((look, i) =>
    (of(look) - of(points[i]!)) / (look.done - points[i]!.done)
  );
  return median(slopes);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** What is wrong, in sentences; nothing when all is well. */
export function complaintsOf(row: Row): string[] {
  const { churned, talked } = row;
  return [
    ...leaks(churned, 1).map((leak) => `${leak}, by connections`),
    // A message must leave less than a connection.
    ...leaks(talked, 0.1).map((leak) => `${leak}, by messages`),
    ...remains(row),
    ...delays(row),
    ...wrongEnds(row),
    ...row.faults,
    ...[churned, talked].flatMap(({ result }) =>
      result?.failures ?? ["clients did not come to their end"]
    ),
  ].map((complaint) => `${row.runtime}: ${complaint}`);
}

function leaks({ looks }: Phase, share: number): string[] {
  const points = warm(looks);
  if (points.length < MIN_LOOKS) {
    return [`there are ${looks.length} looks at the memory: too few to tell whether it grows`];
  }
  return BOUNDS.flatMap(({ what, of, slope, noise }) => {
    const found = slopeOf(looks, of);
    const risen = of(points.at(-1)!) - of(points[0]!);
    return found <= slope * share || risen <= noise
      ? []
      : [`${what} grows by ${found.toFixed(1)} bytes each`];
  });
}

function remains({ before, after, returned }: Row): string[] {
  const kinds = Object.entries(after.handles).map(([kind, count]) =>
    [kind, count - (before.handles[kind] ?? 0)] as const
  );
  const left: readonly (readonly [what: string, count: number])[] = [
    ["sockets of clients that were killed", after.sockets],
    ["descriptors", after.descriptors - before.descriptors],
    ...kinds.map(([kind, count]) => [`handles of kind ${kind}`, count] as const),
  ];
  const complaints = left.filter(([, count]) => count > 0).map(([what, count]) =>
    `${count} ${what} are left`
  );
  if (returned !== STAYING) complaints.push(`${returned} of ${STAYING} clients came back`);
  return complaints;
}

function delays(row: Row): string[] {
  const { usual, longest } = delayOf(row);
  if (usual <= MAX_DELAY.usual && longest <= MAX_DELAY.longest) return [];
  return [`the event loop was usually late by ${usual} ms, and once by ${longest} ms`];
}

/** What 99 of 100 delays are below, half of the times that this was looked at; and the longest. */
function delayOf({ churned, talked }: Row): typeof MAX_DELAY {
  const delays = [...churned.looks, ...talked.looks].map(({ server }) => server.delay);
  return {
    usual: median(delays.map(({ p99 }) => p99)),
    longest: Math.max(...delays.map(({ max }) => max)),
  };
}

function wrongEnds({ closed, killed, stayed }: Row): string[] {
  const expected: readonly (readonly [what: string, seen: Ends, expected: Ends])[] = [
    ["a server that was closed", closed, { "1001 clean peer": TALKING }],
    ["a server that was killed", killed, { "1006 unclean lost": TALKING }],
    ["servers, of which they left the last", stayed, {
      "1001 clean peer": STAYING,
      "1006 unclean lost": STAYING,
      "1001 clean local": STAYING,
    }],
  ];
  return expected.filter(([, seen, expected]) => !sameCounts(seen, expected))
    .map(([what, seen]) =>
      `the clients of ${what} saw ${seen === undefined ? "nothing" : JSON.stringify(seen)}`
    );
}

function sameCounts(a: Ends, b: Ends): boolean {
  const sorted = (counts: Ends): string => JSON.stringify(Object.entries(counts ?? {}).sort());
  return sorted(a) === sorted(b);
}

// --- The table ---

const LINES: readonly (readonly [name: string, of: (row: Row) => unknown])[] = [
  ["connections", ({ churned }) => churned.looks.at(-1)?.done],
  ["connections a second", ({ churned }) => rate(churned)],
  [
    "messages",
    ({ churned, talked }) => (churned.result?.messages ?? 0) + (talked.result?.messages ?? 0),
  ],
  ["messages a second", ({ talked }) => rate(talked)],
  ...BOUNDS.map(({ what, of }) =>
    [
      `${what}, bytes a connection`,
      ({ churned: { looks } }: Row) => slopeOf(looks, of).toFixed(1),
    ] as const
  ),
  ["server RSS, MiB, from, to", ({ churned }) => rangeOf(churned, ({ server }) => server.rss)],
  ["client RSS, MiB, from, to", ({ churned }) => rangeOf(churned, ({ client }) => client.rss)],
  ["sockets left", ({ after }) => after.sockets],
  [
    "descriptors before, after",
    ({ before, after }) => `${before.descriptors}, ${after.descriptors}`,
  ],
  ["event loop late by, ms, usually, longest", (row) => Object.values(delayOf(row)).join(", ")],
  ["server closed", ({ closed }) => JSON.stringify(closed)],
  ["server killed", ({ killed }) => JSON.stringify(killed)],
  ["both, and back", ({ stayed }) => JSON.stringify(stayed)],
];

function rate({ looks, milliseconds }: Phase): string {
  return ((looks.at(-1)?.done ?? 0) / milliseconds * 1000).toFixed(0);
}

/** After the warm-up, and at the end. */
function rangeOf({ looks }: Phase, of: (look: Look) => number): string {
  return [warm(looks)[0], looks.at(-1)].map((look) => look && mebibytes(of(look))).join(", ");
}

/** All that is known of a row, for people. */
export function tableOf(row: Row): string {
  return [row.runtime, ...LINES.map(([name, of]) => `  ${name.padEnd(42)} ${of(row)}`)].join("\n");
}
