// README.md's table of limits is the code's: each has its row, with its default.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CONNECTIONS } from "../../adapters/host/server/admission.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../../core/limits.ts";
import { root } from "../processes.ts";

const UNITS: Readonly<Record<string, number>> = { "MiB": 2 ** 20, "KiB": 2 ** 10, "s": 1000 };

function valueOf(cell: string): number {
  const [, number, unit] = /^`?([\w.]+)`?(?: (\w+))?$/.exec(cell)!;
  return Number(number) * (unit === undefined ? 1 : UNITS[unit]!);
}

/** The defaults in the table whose rows name `scope.name` options. */
function defaultsOf(scope: string): Record<string, number> {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const rows = [...text.matchAll(/^\| `(\w+)\.(.+?)` +\| (.+?) +\|/gm)];
  const own = rows.filter(([, of]) => of === scope);
  return Object.fromEntries(own.flatMap(([, , names, value]) => {
    return names!.split("`, `.").map((name) => [name, valueOf(value!)]);
  }));
}

it("limits", () => expect(defaultsOf("limits")).toEqual(DEFAULT_LIMITS));

it("timeouts", () => expect(defaultsOf("timeouts")).toEqual(DEFAULT_TIMEOUTS));

it("connections", () => {
  const unlimited = Object.keys(CONNECTIONS).map((name) => [name, Infinity]);
  expect(defaultsOf("connections")).toEqual(Object.fromEntries(unlimited));
});
