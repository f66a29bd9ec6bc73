// How options are checked: one table for each interface of options, which has a check for each of
// its members. The type of the table sees to that: an option without a check does not compile.
//
// What is wrong is told at the call, by the path of the option, with its value and what it takes.

import { UsageError } from "../../core/mod.ts";

/** Checks one value. @throws {UsageError} that names the path */
export type Check = (value: unknown, path: string) => void;

/** A check for each member of `T`. */
export type Checks<T> = { readonly [Name in keyof T]-?: Check; };

/**
 * Checks the members of an options object; a member that is `undefined` is not given.
 *
 * A plain object must have no other members. An instance of a class may: they are its own state.
 *
 * @param path of the object, empty for the options of an entry point
 * @throws {UsageError} for what is no object, an unknown name, or a value that is wrong
 */
export function checkOptions<T>(given: T, checks: Checks<T>, path: string = ""): void {
  const scope = path === "" ? "options" : path;
  requireOptions(given, scope);
  const names = Object.keys(checks);
  const unknown = isPlain(given) && Object.keys(given).find((name) => !names.includes(name));
  if (typeof unknown === "string") {
    throw new UsageError(`unknown option ${scope}.${unknown}; there are: ${names.join(", ")}`);
  }
  for (const name of names) {
    const value = (given as Readonly<Record<string, unknown>>)[name];
    const within = path === "" ? name : `${path}.${name}`;
    if (value !== undefined) checks[name as keyof T](value, within);
  }
}

/**
 * Requires an object of options.
 * @throws {UsageError} for anything else: an array and a function have other members
 */
export function requireOptions(given: unknown, path: string): asserts given is object {
  if (isObject(given) && typeof given !== "function" && !Array.isArray(given)) return;
  throw wrong(path, given, "an object");
}

/** The defaults, replaced by the members that are given; one that is `undefined` is not. */
export function withDefaults<T extends object>(defaults: T, given: Partial<T> = {}): T {
  const result = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof T)[]) {
    const value = given[name];
    if (value !== undefined) result[name] = value as T[keyof T];
  }
  return result;
}

/** The checks of fewer members. */
export function without<T, Name extends keyof T>(
  checks: Checks<T>,
  ...names: readonly Name[]
): Checks<Omit<T, Name>> {
  const kept = Object.entries(checks).filter(([name]) => !names.includes(name as Name));
  return Object.fromEntries(kept) as unknown as Checks<Omit<T, Name>>;
}

/** The error for a value that an option does not take. */
export function wrong(path: string, value: unknown, takes: string): UsageError {
  return new UsageError(`${path} is ${show(value)}; it takes ${takes}`);
}

// Strings may hold secrets where they are long; what is wrong with one shows at its beginning.
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
  if (Array.isArray(value)) return "an array";
  if (typeof value === "function") return "a function";
  return isObject(value) ? "an object" : String(value);
}

/** Whether the value has members: an object or a function. */
export function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** Whether the object, of any realm, is no instance: its prototype has no prototype itself. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

// --- Checks ---

/** Takes what the test says. */
export function takes(what: string, test: (value: unknown) => boolean): Check {
  return (value, path) => {
    if (!test(value)) throw wrong(path, value, what);
  };
}

/** Takes one of the strings. */
export function oneOf(...values: readonly string[]): Check {
  const what = values.map((value) => JSON.stringify(value)).join(" or ");
  return takes(what, (value) => values.includes(value as string));
}

/** Takes an integer in the range, or `Infinity` where that is the greatest. */
export function integer(least: number, most: number = Infinity): Check {
  const what = most === Infinity
    ? `an integer from ${least}, or Infinity`
    : `an integer from ${least} to ${most}`;
  const fits = (value: number): boolean => value >= least && value <= most;
  return takes(what, (value) => {
    return typeof value === "number" && fits(value) && (Number.isInteger(value) || value === most);
  });
}

/** Takes an integer above zero, or `Infinity`. */
export const positive: Check = takes("a positive integer or Infinity", (value) => {
  return typeof value === "number" && value > 0 && (value === Infinity || Number.isInteger(value));
});

/** Takes a number from `least` on, `Infinity` included. */
export function number(least: number): Check {
  return takes(`a number from ${least} on`, (value) => {
    return typeof value === "number" && value >= least;
  });
}

/** Takes an object with these members. */
export function members<T>(checks: Checks<T>): Check {
  return (value, path) => checkOptions(value as T, checks, path);
}

/** Takes true or false. */
export const boolean: Check = takes("true or false", (value) => typeof value === "boolean");
/** Takes a function. */
export const callable: Check = takes("a function", (value) => typeof value === "function");
/** Takes a string that is not empty. */
export const text: Check = takes("a string that is not empty", (value) => {
  return typeof value === "string" && value !== "";
});
/** Takes anything. */
export const anything: Check = (): void => {};
