// Options that a runtime cannot serve are refused by name: ignoring one about certificates would be
// worse than failing.

import { UsageError } from "../../core/mod.ts";

/**
 * @throws {UsageError} naming the first of `names` that is among the options, and the runtime that
 * lacks it
 */
export function refuseOptions(
  runtime: string,
  scope: string,
  options: object,
  names: readonly string[],
  where: string = "",
): void {
  const given = options as Readonly<Record<string, unknown>>;
  const name = names.find((name) => given[name] !== undefined);
  if (name !== undefined) {
    throw new UsageError(`${runtime} has no support for ${scope}.${name}${where}`);
  }
}
