// The code in README.md as programs: each block with what it leaves to its reader put before it,
// and behind it what makes it end.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../processes.ts";

/** What a block of README needs around it to run by itself. */
export interface Stage {
  /** What no other block has. */
  readonly has: string;
  /** What README leaves out, besides imports of its own. */
  readonly before?: string;
  /** What comes of it, and the end of it. */
  readonly after?: string;
  /** Addresses of the world, and what takes their place. */
  readonly replace?: Readonly<Record<string, string>>;
  /** What it prints; `undefined` for a block that cannot run here. */
  readonly prints: RegExp | undefined;
}

/** The blocks of TypeScript in README.md, in their order. */
export function readBlocks(): string[] {
  const text = readFileSync(join(root, "README.md"), "utf8");
  return [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!);
}

/** The stage that is meant for the block. */
export function stageFor(block: string, stages: readonly Stage[]): Stage {
  const fitting = stages.filter(({ has }) => block.includes(has));
  if (fitting.length === 1) return fitting[0]!;
  throw new Error(`${fitting.length} stages for this block of README, and not one:\n${block}`);
}

/**
 * Writes the blocks that can run as modules, and a program that runs them one after the other;
 * returns its path.
 */
export function writeProgram(name: string, stages: readonly Stage[]): string {
  const folder = join(root, ".cache", "readme", name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const main = readBlocks().map((block, index) => {
    const stage = stageFor(block, stages);
    if (stage.prints === undefined) return "";
    writeFileSync(join(folder, `block-${index}.ts`), onStage(block, stage));
    return `console.log(${
      JSON.stringify(`# ${stage.has}`)
    });\nawait import("./block-${index}.ts");\n`;
  });
  const path = join(folder, "main.ts");
  writeFileSync(path, `${main.join("")}export {};\n`);
  return path;
}

// Modules may import anywhere at their top level.
function onStage(block: string, { before = "", after = "", replace = {} }: Stage): string {
  let code = block;
  for (const [from, to] of Object.entries(replace)) {
    if (!code.includes(from)) {
      throw new Error(`there is no ${from} in this block of README:\n${block}`);
    }
    code = code.replaceAll(from, to);
  }
  return `${before}\n${code}\n${after}\nexport {};\n`;
}

/** What each block has printed, by what stands for it. */
export function outputs(all: string): Map<string, string> {
  return new Map(
    all.split(/^# /m).slice(1).map((part) => {
      const end = part.indexOf("\n");
      return [part.slice(0, end), part.slice(end + 1)];
    }),
  );
}
