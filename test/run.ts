// `npm test`: the suite on Node, Deno and Bun, one after the other, and one line that sums them up.
// Arguments name runtimes (`node`, `deno`, `bun`) or are handed to vitest as file filters. Does not
// decide which file runs where: that is vitest.config.ts.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const vitest: Record<string, readonly string[]> = {
  node: ["vitest", "run"],
  deno: ["deno", "run", "-A", "npm:vitest", "run"],
  bun: ["bun", "--bun", "vitest", "run"],
};

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** The part of vitest's JSON report that is summed. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { status: string; assertionResults: { status: string; }[]; }[];
}

/** Resolves with the exit code; the tools are found through the PATH that npm sets up. */
function run(command: readonly string[]): Promise<number> {
  const [tool = "", ...args] = command;
  const child = spawn(tool, args, {
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

function tally(report: Report): Tally {
  const broken = report.testResults.filter((file) =>
    file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")
  );
  return {
    passed: report.numPassedTests,
    // A file that could not be loaded has no failed test to count, and must not pass for that.
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

async function testOn(runtime: string, filters: readonly string[], folder: string): Promise<Tally> {
  console.log(`\n# ${runtime}`);
  const output = join(folder, `${runtime}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${output}`];
  // A filter may name files that only Node runs; without one, a runtime that finds no file is a
  // failure.
  const options = filters.length > 0 ? [...reporters, "--passWithNoTests", ...filters] : reporters;
  const code = await run([...vitest[runtime] ?? [], ...options]);
  const report = await readFile(output, "utf8").catch(() => undefined);
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const result = tally(JSON.parse(report) as Report);
  // Vitest fails for more than tests: an unhandled error, a worker that died, no file found.
  if (code !== 0 && result.failed === 0) result.failed = 1;
  return result;
}

async function main(args: readonly string[]): Promise<void> {
  const chosen = args.filter((arg) => arg in vitest);
  const filters = args.filter((arg) => !(arg in vitest));
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  const folder = await mkdtemp(join(tmpdir(), "sansws-test-"));
  for (const runtime of chosen.length > 0 ? chosen : Object.keys(vitest)) {
    const { passed, failed, skipped } = await testOn(runtime, filters, folder);
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  await rm(folder, { recursive: true });
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

await main(process.argv.slice(2));
