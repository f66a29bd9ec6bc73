// `npm test`: the suite on Node, Deno and Bun in turn, then every failure, and last one line with
// the counts. Arguments name runtimes (`node`, `deno`, `bun`) or are handed to vitest as file
// filters. vitest.config.ts decides which file runs where.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Failure, Report } from "./reporter.ts";

const vitest: Record<string, readonly string[]> = {
  node: ["vitest", "run"],
  deno: ["deno", "run", "-A", "npm:vitest", "run"],
  bun: ["bun", "--bun", "vitest", "run"],
};

/** As many lines of a message are repeated at the end; the rest stands in the output above. */
const MESSAGE_LINES = 12;

/** Resolves with the exit code; the tools are found through the PATH that npm sets up. */
function run(command: readonly string[], report: string): Promise<number> {
  const [tool = "", ...args] = command;
  const child = spawn(tool, args, {
    env: { ...process.env, SANSWS_REPORT: report },
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

/** Vitest fails for more than tests: a crash before its report, no file found. */
function withReason(report: Report | undefined, code: number): Report {
  if (report !== undefined && (code === 0 || report.failures.length > 0)) return report;
  const reason = `exit code ${code}, ${report === undefined ? "no report" : "no failed test"}`;
  const failures = [{ name: "vitest itself", messages: [reason] }];
  return { passed: 0, skipped: 0, ...report, failures };
}

async function testOn(runtime: string, filters: readonly string[]): Promise<Report> {
  console.log(`\n# ${runtime}`);
  const folder = await mkdtemp(join(tmpdir(), "sansws-test-"));
  const file = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=./test/reporter.ts"];
  // A filter may name files that only Node runs; without one, a runtime that finds no file is a
  // failure.
  const options = filters.length > 0 ? [...reporters, "--passWithNoTests", ...filters] : reporters;
  const code = await run([...vitest[runtime]!, ...options], file);
  const written = await readFile(file, "utf8").catch(() => undefined);
  await rm(folder, { recursive: true });
  return withReason(written === undefined ? undefined : JSON.parse(written) as Report, code);
}

function show(runtime: string, { name, messages }: Failure): void {
  console.log(`\nFAILED on ${runtime}: ${name}`);
  for (const message of messages) {
    const lines = message.split("\n").filter((line) => line.trim() !== "");
    const more = lines.length > MESSAGE_LINES ? ["…", lines.at(-1)!] : [];
    console.log(
      [...lines.slice(0, MESSAGE_LINES), ...more].map((line) => `    ${line}`).join("\n"),
    );
  }
}

/** The sum of what the reports have of it. */
function total(reports: Iterable<Report>, count: (report: Report) => number): number {
  return [...reports].reduce((sum, report) => sum + count(report), 0);
}

async function main(args: readonly string[]): Promise<void> {
  const chosen = args.filter((arg) => arg in vitest);
  const filters = args.filter((arg) => !(arg in vitest));
  const reports = new Map<string, Report>();
  for (const runtime of chosen.length > 0 ? chosen : Object.keys(vitest)) {
    reports.set(runtime, await testOn(runtime, filters));
  }
  for (const [runtime, { failures }] of reports) {
    for (const failure of failures) show(runtime, failure);
  }
  const passed = total(reports.values(), (report) => report.passed);
  const failed = total(reports.values(), (report) => report.failures.length);
  const skipped = total(reports.values(), (report) => report.skipped);
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

await main(process.argv.slice(2));
