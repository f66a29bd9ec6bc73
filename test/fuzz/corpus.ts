// The committed inputs: for each target a few that between them reach every place the fuzzer has
// ever reached, in base64.

import { Buffer } from "node:buffer";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Corpus, Trial, tryOne } from "./guided.ts";
import type { Target } from "./targets.ts";

const FOLDER = fileURLToPath(new URL("corpus/", import.meta.url));

/** The corpus of a target; empty when there is none. */
export function readCorpus(name: string): Uint8Array[] {
  let text: string;
  try {
    text = readFileSync(`${FOLDER}${name}.json`, "utf8");
  } catch {
    return [];
  }
  return (JSON.parse(text) as string[]).map((line) => Uint8Array.from(Buffer.from(line, "base64")));
}

/**
 * Keeps of the inputs what is needed to reach all they reach, the shortest first; returns how many
 * those are.
 */
export function writeCorpus(
  target: Target,
  inputs: readonly Uint8Array[],
  hits: Uint32Array,
): number {
  const corpus = new Corpus(hits.length, 1);
  for (const input of inputs.toSorted((a, b) => a.length - b.length)) {
    tryOne(target, input, corpus, hits, new Trial());
  }
  const lines = corpus.inputs.map((input) => Buffer.from(input).toString("base64"));
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}${target.name}.json`, JSON.stringify(lines, undefined, 2) + "\n");
  return lines.length;
}
