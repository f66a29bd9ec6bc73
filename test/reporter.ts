// The vitest reporter of `npm test`: writes one runtime's counts and failures as JSON to the file
// that SANSWS_REPORT names. Vitest's own JSON report leaves out failed hooks and unhandled errors.

import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import type { SerializedError, TestError } from "vitest";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";

/** A test, a hook, a file that did not load, or an error outside of them. */
export interface Failure {
  /** File, suites and test: what to look for, and what to run again. */
  readonly name: string;
  /** What was thrown, and where. */
  readonly messages: readonly string[];
}

export interface Report {
  readonly passed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
}

function textOf({ name = "Error", message, diff, cause, stacks }: TestError): string {
  const text = `${message}`.startsWith(name) ? message : `${name}: ${message}`;
  const difference = diff === undefined ? "" : `\n${stripVTControlCharacters(diff)}`;
  // Whatever is thrown may name a cause: only one with a message, as an error has, is told.
  const reason = cause?.message === undefined ? "" : `\n${textOf(cause)}`;
  const place = stacks?.[0];
  const at = place === undefined ? "" : `\nat ${place.file}:${place.line}:${place.column}`;
  return text + difference + reason + at;
}

/** The test, or else the file, that ran when the error was thrown. */
function placeOf(error: SerializedError): string {
  const file = error["VITEST_TEST_PATH"];
  const test = error["VITEST_TEST_NAME"] ?? "";
  return file === undefined ? "" : ` in ${relative(process.cwd(), String(file))} ${test}`.trimEnd();
}

function failure(name: string, errors: readonly SerializedError[]): Failure[] {
  return errors.length > 0 ? [{ name, messages: errors.map(textOf) }] : [];
}

function failuresOf(module: TestModule, tests: readonly TestCase[]): Failure[] {
  const file = module.relativeModuleId;
  const named = (one: TestCase | TestSuite): string => `${file} > ${one.fullName}`;
  return [
    ...failure(file, module.errors()),
    ...module.state() === "pending" ? [{ name: file, messages: ["did not finish"] }] : [],
    ...[...module.children.allSuites()].flatMap((suite) => failure(named(suite), suite.errors())),
    ...tests.flatMap((test) => failure(named(test), test.result().errors ?? [])),
  ];
}

export default class FailureReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tests = modules.map((module) => [...module.children.allTests()]);
    const states = tests.flat().map((test) => test.result().state);
    const report: Report = {
      passed: states.filter((state) => state === "passed").length,
      skipped: states.filter((state) => state === "skipped" || state === "pending").length,
      failures: [
        ...modules.flatMap((module, index) => failuresOf(module, tests[index]!)),
        ...unhandled.flatMap((error) => failure(`unhandled error${placeOf(error)}`, [error])),
      ],
    };
    writeFileSync(process.env["SANSWS_REPORT"]!, JSON.stringify(report));
  }
}
