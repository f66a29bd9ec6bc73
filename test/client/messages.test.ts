// Messages that wait for a connection.

import { prepareText, type Sendable, UsageError } from "sansws";
import type { QueueOptions } from "sansws/reconnecting";
import { describe, expect, it } from "vitest";
import { queue as checkQueue, SendingQueue } from "../../adapters/host/reconnect/messages.ts";

function queue(options: Partial<QueueOptions>, ...messages: Sendable[]): SendingQueue {
  const queue = new SendingQueue(options);
  for (const message of messages) queue.push(message, undefined);
  return queue;
}

function takeAll(queue: SendingQueue): unknown[] {
  return Array.from({ length: queue.length }, () => queue.shift()?.data);
}

describe("SendingQueue", () => {
  it("gives messages back in order, with their options, and counts their sizes", () => {
    const waiting = new SendingQueue();
    const prepared = prepareText("four");
    expect(waiting.push("abc", { compress: false })).toBe(true);
    expect(waiting.push(Uint8Array.of(1, 2), undefined)).toBe(true);
    expect(waiting.push(prepared, undefined)).toBe(true);
    expect([waiting.length, waiting.size]).toEqual([3, 9]);
    expect(waiting.shift()).toEqual({ data: "abc", options: { compress: false } });
    expect([waiting.length, waiting.size]).toEqual([2, 6]);
    expect(takeAll(waiting)).toEqual([Uint8Array.of(1, 2), prepared]);
    expect(waiting.shift()).toBeUndefined();
    expect([waiting.length, waiting.size]).toEqual([0, 0]);
  });

  it("takes views and buffers for their bytes", () => {
    const floats = Float32Array.of(1, 2);
    expect(takeAll(queue({}, floats, floats.buffer))).toEqual([
      new Uint8Array(floats.buffer),
      new Uint8Array(floats.buffer),
    ]);
  });

  it.each([{ maxMessages: 2 }, { maxSize: 2 }])("refuses the newest by default: %o", (options) => {
    const waiting = queue(options, "a", "b");
    expect(waiting.push("c", undefined)).toBe(false);
    expect(takeAll(waiting)).toEqual(["a", "b"]);
  });

  it.each([{ maxMessages: 2 }, { maxSize: 2 }])(
    "drops the oldest where that is wanted: %o",
    (options) => {
      const waiting = queue({ ...options, onOverflow: "drop-oldest" }, "a", "b");
      expect(waiting.push("c", undefined)).toBe(true);
      expect(takeAll(waiting)).toEqual(["b", "c"]);
    },
  );

  it("drops as many as the newest needs, and none for one that would never fit", () => {
    const waiting = queue({ maxSize: 4, onOverflow: "drop-oldest" }, "a", "b", "c");
    expect(waiting.push("12345", undefined)).toBe(false);
    expect(waiting.length).toBe(3);
    expect(waiting.push("123", undefined)).toBe(true);
    expect(takeAll(waiting)).toEqual(["c", "123"]);
  });

  it("takes nothing when nothing is allowed", () => {
    expect(queue({ maxMessages: 0, onOverflow: "drop-oldest" }, "a").length).toBe(0);
    expect(queue({ maxSize: 0 }, "a").length).toBe(0);
  });

  it("can be emptied", () => {
    const waiting = queue({}, "a", "b");
    waiting.clear();
    expect([waiting.length, waiting.size]).toEqual([0, 0]);
  });

  it("refuses what cannot be sent, as a socket would", () => {
    expect(() => queue({}, 5 as unknown as string)).toThrow(UsageError);
  });

  it.each<object>([{ limit: 5 }, { maxMessages: -1 }, { maxSize: NaN }, { onOverflow: "drop" }])(
    "refuses %o",
    (options) => {
      expect(() => checkQueue(options, "queue")).toThrow(UsageError);
    },
  );
});
