// Coverage for the fuzzer: the targets bundled with a counter in every function, branch, arm and
// loop of `core/` and of the codec. (The usual coverage-guided fuzzers bring native code that does
// not run on every system we test on; this takes esbuild and TypeScript.)

import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import type { Target } from "./targets.ts";

const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));
const BUNDLE = `${ROOT}.cache/fuzz/targets.mjs`;
/** What is measured; the checks around it are not. */
const MEASURED = /\/(?:core\/[^.]*|adapters\/deflate)\.ts$/;
const COUNTERS = "__hits";
/** The targets, and how often each place of theirs was reached. */
export interface Instrumented {
  readonly targets: readonly Target[];
  readonly hits: Uint32Array;
}

/** Builds and loads the targets with counters. */
export async function loadInstrumented(): Promise<Instrumented> {
  let places = 0;
  await build({
    entryPoints: [`${ROOT}test/fuzz/targets.ts`],
    outfile: BUNDLE,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    plugins: [{
      name: "count",
      setup(bundler) {
        bundler.onLoad({ filter: MEASURED }, async ({ path }) => {
          if (path.includes("/test/")) return undefined;
          const source = ts.createSourceFile(
            path,
            await readFile(path, "utf8"),
            ts.ScriptTarget.ES2023,
            true,
          );
          return { contents: withCounters(source, () => places++), loader: "ts" };
        });
      },
    }],
  });
  const hits = new Uint32Array(places);
  (globalThis as Record<string, unknown>)[COUNTERS] = hits;
  const { TARGETS } = await import(pathToFileURL(BUNDLE).href) as { TARGETS: readonly Target[]; };
  return { targets: TARGETS, hits };
}

// The text is changed, not the tree: a counter goes into every block, before every statement that
// stands where a block could, into both arms of a condition, and before what `&&`, `||` and `??`
// may leave out.
function withCounters(source: ts.SourceFile, nextPlace: () => number): string {
  const insertions: [position: number, text: string, opens: boolean][] = [];
  const hit = (): string => `${COUNTERS}[${nextPlace()}]++`;
  const wrap = (node: ts.Node, before: string, after: string, visitInner: () => void): void => {
    insertions.push([node.getStart(), before, true]);
    visitInner();
    insertions.push([node.getEnd(), after, false]);
  };
  const visit = (node: ts.Node): void => {
    const inner = (): void => ts.forEachChild(node, visit);
    const { parent } = node;
    if (ts.isBlock(node)) {
      insertions.push([node.getStart() + 1, ` ${hit()};`, true]);
      inner();
    } else if (isBareBranch(node, parent)) wrap(node, `{ ${hit()}; `, " }", inner);
    else if (isArm(node, parent)) wrap(node, `(${hit()}, (`, "))", inner);
    else if (ts.isCaseOrDefaultClause(parent) && node === parent.statements[0]) {
      wrap(node, `${hit()}; `, "", inner);
    } else inner();
  };
  ts.forEachChild(source, visit);
  // Where one thing ends and another begins, what ends comes first; what ends together ends from
  // the inside out, as it was met.
  insertions.sort(([a, , aOpens], [b, , bOpens]) => a - b || Number(aOpens) - Number(bOpens));
  let text = "";
  let from = 0;
  for (const [position, inserted] of insertions) {
    text += source.text.slice(from, position) + inserted;
    from = position;
  }
  return text + source.text.slice(from);
}

/** A statement without braces that is done or not. */
function isBareBranch(node: ts.Node, parent: ts.Node): boolean {
  if (ts.isIfStatement(parent)) {
    return node === parent.thenStatement || node === parent.elseStatement;
  }
  return ts.isIterationStatement(parent, false) && node === parent.statement;
}

const SHORT_CIRCUITS: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
]);

/** An expression that is looked at or not. */
function isArm(node: ts.Node, parent: ts.Node): boolean {
  if (ts.isConditionalExpression(parent)) {
    return node === parent.whenTrue || node === parent.whenFalse;
  }
  if (ts.isBinaryExpression(parent)) {
    return node === parent.right && SHORT_CIRCUITS.has(parent.operatorToken.kind);
  }
  return ts.isArrowFunction(parent) && node === parent.body;
}
