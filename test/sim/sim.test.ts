// Some thousands of seeds of the simulation, which `npm run sim` runs by the million; and whether
// what watches it would notice.

import type { ConnectionEvent } from "sansws/core";
import { describe, expect, it } from "vitest";
import type { Content } from "./content.ts";
import { Broken, Ledger } from "./invariants.ts";
import { run } from "./pair.ts";
import { generate, type Program } from "./program.ts";
import { shrink } from "./shrink.ts";

const SEEDS = 2000;

/** Three messages, of which the last is a text in two parts. */
function ledger(): Ledger {
  const content: Content = { kind: "text", size: 5, from: 0, sort: "words" };
  const ledger = new Ledger();
  ledger.say(content, true);
  ledger.say({ ...content, kind: "binary" }, true);
  ledger.say(content, false);
  ledger.say({ ...content, from: 5 }, true);
  return ledger;
}

function eventsOf({ said }: Ledger): ConnectionEvent[] {
  return said.map(({ kind, text, bytes }) =>
    kind === "text" ? { type: "text", data: text } : { type: "binary", data: bytes.slice() }
  );
}

describe("two connections over a simulated link", () => {
  it(`keep every invariant for ${SEEDS} seeds, and end in every way there is`, () => {
    const causes = new Set<string>();
    for (let seed = 0; seed < SEEDS; seed++) {
      try {
        for (const cause of run(generate(seed)).outcomes) causes.add(cause);
      } catch (error) {
        throw new Error(
          `seed ${seed}; for a small program: npm run sim -- --seeds 1 --from ${seed}`,
          { cause: error },
        );
      }
    }
    expect([...causes].toSorted()).toEqual(["local", "lost", "peer", "timeout", "violation"]);
  }, 60_000);

  it("do the same for the same seed", () => {
    const digests = (): number[] =>
      Array.from({ length: 200 }, (_, seed) => run(generate(seed)).digest);
    const first = digests();
    expect(digests()).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(190);
  });
});

describe("Ledger", () => {
  it("takes the messages that were said, in order and once", () => {
    const said = ledger();
    for (const event of eventsOf(said)) said.hear(event);
    said.settle();
    expect(said.heard).toBe(3);
  });

  it.each<[string, (events: ConnectionEvent[]) => ConnectionEvent[]]>([
    ["a message out of order", ([one, two, three]) => [two!, one!, three!]],
    ["a message twice", ([one, two, three]) => [one!, one!, two!, three!]],
    ["a message too many", (events) => [...events, events[0]!]],
    ["a missing message", (events) => events.slice(0, 2)],
    ["another text", ([one, two]) => [one!, two!, { type: "text", data: "another" }]],
    ["another byte", ([one]) => [one!, { type: "binary", data: new Uint8Array(5) }]],
    [
      "a part as a message",
      (
        [one, two, three],
      ) => [one!, two!, { type: "text", data: String(Object(three).data).slice(0, 5) }],
    ],
    ["a pong for no ping", (events) => [...events, { type: "pong", data: new Uint8Array(1) }]],
  ])("is not content with %s", (_, change) => {
    const said = ledger();
    const events = change(eventsOf(said));
    expect(() => {
      for (const event of events) {
        event.type === "pong"
          ? said.hearPong(event.data)
          : said.hear(event);
      }
      said.settle();
    }).toThrow(Broken);
  });

  it("notices a message that changes after it was handed over", () => {
    const said = ledger();
    const [one, two] = eventsOf(said);
    said.hear(one!);
    said.hear(two!);
    said.checkKept();
    (two as { data: Uint8Array; }).data[0]! ^= 1;
    expect(() => said.checkKept()).toThrow(Broken);
  });
});

describe("shrink", () => {
  it("leaves what a failure needs, and nothing else", () => {
    const closesWith = (code: number) => ({ steps }: Program): boolean =>
      steps.some(({ action }) => action.do === "close" && action.code === code);
    const seed = Array.from({ length: 1000 }, (_, index) => index).find((index) =>
      closesWith(4999)(generate(index))
    )!;
    const { steps, deflate, link } = shrink(generate(seed), closesWith(4999));
    expect(steps.map(({ action, wait }) => [action, wait])).toEqual([[{
      do: "close",
      code: 4999,
      reason: "",
    }, 0]]);
    expect([deflate, link.latency, link.split]).toEqual([undefined, 0, "whole"]);
  });
});
