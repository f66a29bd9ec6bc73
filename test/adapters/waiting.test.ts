// Waiting for an application's signals: each has one listener of ours, while there are waiters.

import { describe, expect, it } from "vitest";
import { offAbort, onAbort } from "../../adapters/host/waiting.ts";

/** A signal that knows how many listeners it has. */
function counted(): { controller: AbortController; signal: AbortSignal; listeners: () => number; } {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const [add, remove] = [
    signal.addEventListener.bind(signal),
    signal.removeEventListener.bind(signal),
  ];
  Object.assign(signal, {
    addEventListener: (type: "abort", listener: () => void) => {
      listeners++;
      add(type, listener);
    },
    removeEventListener: (type: "abort", listener: () => void) => {
      listeners--;
      remove(type, listener);
    },
  });
  return { controller, signal, listeners: () => listeners };
}

describe("onAbort", () => {
  it("calls everybody back in order, with one listener", () => {
    const { controller, signal, listeners } = counted();
    const calls: number[] = [];
    for (let i = 0; i < 20; i++) onAbort(signal, () => calls.push(i));
    expect(listeners()).toBe(1);
    controller.abort();
    expect(calls).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it("calls a callback once that was given twice", () => {
    const { controller, signal } = counted();
    let calls = 0;
    const callback = (): void => void calls++;
    onAbort(signal, callback);
    onAbort(signal, callback);
    controller.abort();
    expect(calls).toBe(1);
  });

  it("keeps signals apart", () => {
    const [one, other] = [counted(), counted()];
    const calls: string[] = [];
    onAbort(one.signal, () => calls.push("one"));
    onAbort(other.signal, () => calls.push("other"));
    other.controller.abort();
    expect(calls).toEqual(["other"]);
  });

  it("calls nobody who leaves while others are called, or comes meanwhile", () => {
    const { controller, signal } = counted();
    const calls: string[] = [];
    const second = (): void => void calls.push("second");
    onAbort(signal, () => {
      calls.push("first");
      offAbort(signal, second);
      onAbort(signal, () => calls.push("late"));
    });
    onAbort(signal, second);
    controller.abort();
    expect(calls).toEqual(["first"]);
  });
});

describe("offAbort", () => {
  it("takes a callback back, and the listener with the last of them", () => {
    const { controller, signal, listeners } = counted();
    const calls: string[] = [];
    const [first, second] = [
      (): void => void calls.push("first"),
      (): void => void calls.push("second"),
    ];
    onAbort(signal, first);
    onAbort(signal, second);
    offAbort(signal, first);
    expect(listeners()).toBe(1);
    offAbort(signal, first);
    offAbort(signal, () => {});
    offAbort(signal, second);
    expect(listeners()).toBe(0);
    onAbort(signal, second);
    controller.abort();
    expect(calls).toEqual(["second"]);
  });
});
