// Limits and timeouts: the defaults, what overrides them, and that everything else is refused by
// its name.

import { describe, expect, it } from "vitest";
import { Connection } from "../../core/connection.ts";
import { UsageError } from "../../core/errors.ts";
import type { Limits, Timeouts } from "../../core/limits.ts";
import {
  DEFAULT_LIMITS,
  DEFAULT_TIMEOUTS,
  refuseUnknown,
  resolveLimits,
  resolveTimeouts,
} from "../../core/limits.ts";

const LIMITS = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];
const TIMEOUTS = Object.keys(DEFAULT_TIMEOUTS) as (keyof Timeouts)[];

const REFUSED: readonly unknown[] = [0, -1, NaN, -Infinity, "1000", true, 1n, {}, null];

describe("the defaults", () => {
  it("are those that the documentation states", () => {
    expect(DEFAULT_LIMITS).toEqual({
      maxMessageSize: 16_777_216,
      maxHeadSize: 16_384,
      maxLineLength: 8192,
      maxFields: 128,
      maxPendingReplies: 65_536,
    });
    expect(DEFAULT_TIMEOUTS).toEqual({
      handshake: 10_000,
      close: 10_000,
      pingInterval: 30_000,
      pongTimeout: 20_000,
      idle: Infinity,
    });
  });
});

describe("resolveLimits", () => {
  it("gives the defaults for nothing", () => {
    expect(resolveLimits(undefined)).toBe(DEFAULT_LIMITS);
    expect(resolveLimits({})).toEqual(DEFAULT_LIMITS);
  });

  it.each(LIMITS)("puts a given %s in place of the default, and leaves the others", (name) => {
    expect(resolveLimits({ [name]: 1 })).toEqual({ ...DEFAULT_LIMITS, [name]: 1 });
    expect(resolveLimits({ [name]: Infinity })).toEqual({ ...DEFAULT_LIMITS, [name]: Infinity });
    expect(resolveLimits({ [name]: undefined })).toEqual(DEFAULT_LIMITS);
  });

  it.each(LIMITS)("refuses a %s that is no positive integer", (name) => {
    for (const value of [...REFUSED, 0.5, 1.5]) {
      const message = `limits.${name} is ${value}; it takes a positive integer or Infinity`;
      expect(() => resolveLimits({ [name]: value }), String(value)).toThrow(
        new UsageError(message),
      );
    }
  });

  it("refuses an unknown name, and says which there are", () => {
    const message =
      "unknown option limits.maxMesageSize; there are: maxMessageSize, maxHeadSize, maxLineLength, maxFields, "
      + "maxPendingReplies";
    expect(() => resolveLimits({ maxMesageSize: 1 } as Partial<Limits>)).toThrow(
      new UsageError(message),
    );
    expect(() => resolveLimits({ toString: 1 } as object)).toThrow(
      "unknown option limits.toString",
    );
    expect(() => resolveLimits(JSON.parse("{\"__proto__\":1}") as object)).toThrow(
      "unknown option limits.__proto__",
    );
  });

  it("makes a copy of what is given, and does not check or copy its own result again", () => {
    const given = { maxFields: 5 };
    const limits = resolveLimits(given);
    given.maxFields = 6;
    expect(limits.maxFields).toBe(5);
    expect(resolveLimits(limits)).toBe(limits);
    expect(resolveLimits(DEFAULT_LIMITS)).toBe(DEFAULT_LIMITS);
  });
});

describe("resolveTimeouts", () => {
  it("gives the defaults for nothing", () => {
    expect(resolveTimeouts(undefined)).toBe(DEFAULT_TIMEOUTS);
  });

  it.each(TIMEOUTS)("takes any %s above zero, whole or not", (name) => {
    for (const value of [0.5, 1, 1e12, Infinity]) {
      expect(resolveTimeouts({ [name]: value })).toEqual({ ...DEFAULT_TIMEOUTS, [name]: value });
    }
  });

  it.each(TIMEOUTS)("refuses a %s that is no positive number", (name) => {
    for (const value of REFUSED) {
      const message = `timeouts.${name} is ${value}; it takes a positive number or Infinity`;
      expect(() => resolveTimeouts({ [name]: value }), String(value)).toThrow(
        new UsageError(message),
      );
    }
  });

  it("refuses an unknown name, and says which there are", () => {
    const message =
      "unknown option timeouts.ping; there are: handshake, close, pingInterval, pongTimeout, idle";
    expect(() => resolveTimeouts({ ping: 1 } as Partial<Timeouts>)).toThrow(
      new UsageError(message),
    );
  });
});

describe("refuseUnknown", () => {
  it("lets known names pass, in any number", () => {
    expect(refuseUnknown("x", {}, ["a"])).toBe(undefined);
    expect(refuseUnknown("x", { b: 1, a: 2 }, ["a", "b", "c"])).toBe(undefined);
  });

  it.each<[unknown]>([[null], [undefined], [3], ["text"], [5n]])(
    "refuses %o, which is no object",
    (given) => {
      expect(() => refuseUnknown("x", given as object, ["a"])).toThrow(
        new UsageError(`x is ${given}; it takes an object`),
      );
    },
  );
});

describe("new Connection", () => {
  it("throws UsageError for a wrong limit or timeout", () => {
    expect(() => new Connection({ role: "client", limits: { maxMessageSize: 0 } }, 0)).toThrow(
      UsageError,
    );
    expect(() => new Connection({ role: "client", timeouts: { idle: NaN } }, 0)).toThrow(
      UsageError,
    );
  });
});
