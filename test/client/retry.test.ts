// When a client tries again: decisions by themselves, with chance and time given.

import { type ClosedEvent, HandshakeError, UsageError } from "sansws";
import type { HeaderField } from "sansws/core";
import type { AttemptEnd, RetryOptions } from "sansws/reconnecting";
import { describe, expect, it } from "vitest";
import { resolveRetry, retry, RetryPolicy } from "../../adapters/host/reconnect/retry.ts";
import { refusal } from "./answers.ts";

function policy(options: Partial<RetryOptions> = {}, random: () => number = () => 1): RetryPolicy {
  return new RetryPolicy(resolveRetry(options), random);
}

function closedWith(code: number): AttemptEnd {
  const closed: ClosedEvent = {
    type: "closed",
    code,
    reason: "",
    clean: code !== 1006,
    cause: "peer",
  };
  return { closed };
}

function refusedWith(status: number, headers?: readonly HeaderField[]): AttemptEnd {
  return { error: refusal(status, headers) };
}

const LOST = closedWith(1006);
const UNREACHABLE: AttemptEnd = { error: new Error("no way") };

/** The delays after so many attempts that fail. */
function delays(retry: RetryPolicy, count: number, end = UNREACHABLE): (number | undefined)[] {
  return Array.from({ length: count }, () => {
    retry.begin();
    return retry.ended(end, 0);
  });
}

describe("RetryPolicy, delays", () => {
  it("doubles the bound up to the limit", () => {
    expect(delays(policy(), 7)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    const options = { initialDelay: 100, factor: 3, maxDelay: 1000 };
    expect(delays(policy(options), 4)).toEqual([100, 300, 900, 1000]);
  });

  it("takes any part of the bound, from nothing to all of it", () => {
    const chances = [0, 0.25, 0.5, 0.999];
    expect(delays(policy({}, () => chances.shift()!), 4)).toEqual([0, 500, 2000, 7992]);
  });

  it("is spread over the whole bound by Math.random", () => {
    const drawn = Array.from({ length: 500 }, () => delays(policy({}, Math.random), 1)[0]!);
    expect(Math.min(...drawn)).toBeLessThan(200);
    expect(Math.max(...drawn)).toBeGreaterThan(800);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(1000);
  });

  it("stays a number after very many attempts", () => {
    const retry = policy();
    for (let i = 0; i < 5000; i++) retry.begin();
    expect(retry.ended(UNREACHABLE, 0)).toBe(30_000);
  });

  it("waits besides for what Retry-After says, up to the limit", () => {
    const asked = (value: string): number | undefined =>
      delays(policy(), 1, refusedWith(503, [["Retry-After", value]]))[0];
    expect(asked("5")).toBe(6000);
    expect(asked("3600")).toBe(31_000);
    expect(asked("0")).toBe(1000);
    expect(asked("soon")).toBe(1000);
    expect(asked("-5")).toBe(1000);
  });
});

describe("RetryPolicy, counting", () => {
  it("counts attempts, and begins anew after a connection that was stable", () => {
    const retry = policy({ stableAfter: 100 });
    expect([retry.begin(), retry.begin(), retry.begin()]).toEqual([1, 2, 3]);
    retry.opened(1000);
    expect(retry.ended(LOST, 1100)).toBe(1000);
    expect(retry.begin()).toBe(1);
  });

  it("goes on counting after one that was not", () => {
    const retry = policy({ stableAfter: 100 });
    retry.begin();
    retry.begin();
    retry.opened(1000);
    expect(retry.ended(LOST, 1099)).toBe(2000);
    expect(retry.begin()).toBe(3);
  });

  it("does not take an earlier connection for this one", () => {
    const retry = policy({ stableAfter: 100 });
    retry.begin();
    retry.opened(0);
    retry.ended(LOST, 50);
    retry.begin();
    expect(retry.ended(UNREACHABLE, 500)).toBe(2000);
  });

  it("ends after so many attempts without a stable connection", () => {
    expect(delays(policy({ maxAttempts: 3 }), 3)).toEqual([1000, 2000, undefined]);
    const retry = policy({ maxAttempts: 1, stableAfter: 100 });
    retry.begin();
    retry.opened(0);
    expect(retry.ended(LOST, 100)).toBe(1000);
    retry.begin();
    retry.opened(200);
    expect(retry.ended(LOST, 299)).toBeUndefined();
  });
});

describe("RetryPolicy, ends", () => {
  const isRetried = (end: AttemptEnd, options: Partial<RetryOptions> = {}): boolean =>
    delays(policy(options), 1, end)[0] !== undefined;

  it.each([1001, 1005, 1006, 1011, 1012, 1013, 1014, 3008, 4000])(
    "tries again after a close with %i",
    (code) => {
      expect(isRetried(closedWith(code))).toBe(true);
    },
  );

  it.each([1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003])(
    "ends after a close with %i",
    (code) => {
      expect(isRetried(closedWith(code))).toBe(false);
    },
  );

  it.each([200, 302, 408, 425, 429, 500, 502, 503, 504])(
    "tries again after an answer with %i",
    (status) => {
      expect(isRetried(refusedWith(status))).toBe(true);
    },
  );

  it.each([400, 401, 403, 404, 410, 426, 499])("ends after an answer with %i", (status) => {
    expect(isRetried(refusedWith(status))).toBe(false);
  });

  it("tries again after a handshake without an answer, and whatever else goes wrong on the way", () => {
    expect(isRetried({ error: new HandshakeError("answer-overdue") })).toBe(true);
    expect(isRetried({ error: new TypeError("fetch failed") })).toBe(true);
    expect(isRetried({ error: "a string" })).toBe(true);
  });

  it("ends after a mistake of the caller's", () => {
    expect(isRetried({ error: new UsageError("no such option") })).toBe(false);
    expect(isRetried({ error: new UsageError("no such option") }, { shouldRetry: () => true }))
      .toBe(false);
  });

  it("knows no codes and statuses but those that are given", () => {
    const options = { terminalCodes: [4001], terminalStatuses: [503] };
    expect([4001, 1000, 1008].map((code) => isRetried(closedWith(code), options))).toEqual([
      false,
      true,
      true,
    ]);
    expect([503, 401].map((status) => isRetried(refusedWith(status), options))).toEqual([
      false,
      true,
    ]);
  });

  it("asks shouldRetry first, and itself when that has no opinion", () => {
    const asked: [AttemptEnd, number][] = [];
    const shouldRetry = (end: AttemptEnd, attempt: number): boolean | undefined => {
      asked.push([end, attempt]);
      return end.closed?.code === 1000 ? true : end.closed?.code === 4000 ? false : undefined;
    };
    expect([1000, 4000, 1001, 1008].map((code) => isRetried(closedWith(code), { shouldRetry })))
      .toEqual([
        true,
        false,
        true,
        false,
      ]);
    expect(asked[0]).toEqual([closedWith(1000), 1]);
  });
});

describe("retry", () => {
  it.each<object>([
    { delay: 5 },
    { initialDelay: -1 },
    { maxDelay: NaN },
    { factor: 0.5 },
    { maxAttempts: 0 },
    { stableAfter: "5" },
  ])("refuses %o", (options) => {
    expect(() => retry(options, "retry")).toThrow(UsageError);
  });
});
