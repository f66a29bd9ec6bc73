// `npm run mutation`: changes core/ in every small way that Stryker knows, and prints the changes that
// no test notices, the score of each file and of all. Exits with 1 under 90 percent. Names of groups
// limit it to these. A mutant that was killed is tried again only when it or its tests change
// (`reports/mutation/`). The first run takes about half an hour on two idle cores.

import { Stryker } from "@stryker-mutator/core";
import process from "node:process";
import { GROUPS } from "./groups.ts";

const LEAST_SCORE = 90;

/** The mutants of a file, by their end. */
interface Tally {
  killed: number;
  /** Ran into an endless loop, or something like it. */
  timedOut: number;
  survived: number;
}

function score({ killed, timedOut, survived }: Tally): number {
  return 100 * (killed + timedOut) / (killed + timedOut + survived);
}

function row(name: string, tally: Tally): string {
  const { killed, timedOut, survived } = tally;
  const numbers = [killed, timedOut, survived].map((count) => String(count).padStart(9)).join("");
  return `${name.padEnd(32)}${numbers}${score(tally).toFixed(1).padStart(9)}`;
}

async function measure(name: string, tallies: Map<string, Tally>): Promise<void> {
  const { mutate, tests } = GROUPS[name]!;
  process.env["MUTATION_TESTS"] = tests.join(" ");
  const results = await new Stryker({
    configFile: "test/mutation/stryker.config.json",
    mutate: [...mutate],
    incrementalFile: `reports/mutation/${name}.json`,
  }).runMutationTest();
  for (const { fileName, status } of results) {
    const file = fileName.slice(fileName.indexOf("core/"));
    const tally = tallies.get(file) ?? { killed: 0, timedOut: 0, survived: 0 };
    tallies.set(file, tally);
    if (status === "Killed") tally.killed++;
    else if (status === "Timeout") tally.timedOut++;
    else if (status === "Survived" || status === "NoCoverage") tally.survived++;
  }
}

function sum(tallies: Iterable<Tally>): Tally {
  const total = { killed: 0, timedOut: 0, survived: 0 };
  for (const { killed, timedOut, survived } of tallies) {
    total.killed += killed;
    total.timedOut += timedOut;
    total.survived += survived;
  }
  return total;
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(GROUPS);
const unknown = names.find((name) => !Object.hasOwn(GROUPS, name));
if (unknown !== undefined) {
  throw new Error(`no group ${unknown}; there are: ${Object.keys(GROUPS).join(", ")}`);
}

const tallies = new Map<string, Tally>();
for (const name of names) await measure(name, tallies);
const total = sum(tallies.values());
console.log(`\n${"".padEnd(32)}   killed timed out survived  percent`);
for (const [file, tally] of [...tallies].toSorted()) console.log(row(file, tally));
console.log(row("all", total));
if (score(total) < LEAST_SCORE) process.exitCode = 1;
