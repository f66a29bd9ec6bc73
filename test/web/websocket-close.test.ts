// WebSocket.close by the text of the standard (WHATWG WebSockets §3.1, "The close(code, reason)
// method steps"), and how it ends. The comments name the step of the standard, and the
// web-platform-test that asks for the same.

import { describe, expect, it } from "vitest";
import { sleep } from "../contract/waiting.ts";
import { nameOf, next, open, url, useServer } from "./support.ts";

useServer();

/**
 * The events of a socket that is closed after so many turns of the event loop, or when it is open.
 */
async function historyWhenClosedAfter(turns: number): Promise<string> {
  const socket = open(url());
  const events: string[] = [];
  for (const type of ["open", "error", "close"] as const) {
    socket.addEventListener(type, () => events.push(type));
  }
  const closed = next(socket, "close");
  if (turns === 39) await next(socket, "open");
  else {for (let turn = 0; turn < turns; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }}
  socket.close();
  await closed;
  await sleep(50);
  return events.join(" ");
}

describe("WebSocket close", () => {
  // Step 1 (Close-2999-reason, Close-1005, close-invalid); null and what is no number are 0.
  it.each([
    [0],
    [999],
    [1001],
    [1005],
    [1006],
    [1015],
    [2999],
    [5000],
    [65_536],
    [NaN],
    [-1],
    [null],
    ["x"],
    [
      Infinity,
    ],
  ])(
    "throws an InvalidAccessError for code %j",
    (code) => {
      expect(nameOf(() => open(url()).close(code as number))).toBe("InvalidAccessError");
    },
  );

  it("reads its code as a clamped unsigned short, ties to even", async () => {
    const socket = open(url());
    await next(socket, "open");
    socket.close(3000.5);
    expect((await next(socket, "close")).code).toBe(3000);
  });

  // Web IDL, before step 1, and for both arguments.
  it.each<[string, ...unknown[]]>([
    ["a symbol as code", Symbol("a")],
    ["a bigint as code", 1000n],
    ["a symbol as reason", 999, Symbol("a")],
  ])("throws a TypeError for %s", (_, ...args) => {
    expect(() => open(url()).close(...args as [number, string])).toThrow(TypeError);
  });

  // Steps 1-2 come before what the ready state decides.
  it("throws for its arguments when it is closed, too", async () => {
    const socket = open(url());
    socket.close();
    await next(socket, "close");
    expect(nameOf(() => socket.close(1001))).toBe("InvalidAccessError");
    expect(nameOf(() => socket.close(1000, "x".repeat(124)))).toBe("SyntaxError");
    expect(() => socket.close(1000)).not.toThrow();
  });

  // Step 2 (Close-Reason-124Bytes).
  it("throws a SyntaxError for a reason over 123 bytes, and takes one of 123", async () => {
    const socket = open(url());
    await next(socket, "open");
    expect(nameOf(() => socket.close(1000, "é".repeat(62)))).toBe("SyntaxError");
    expect(socket.readyState).toBe(1);
    socket.close(1000, "x".repeat(123));
    expect((await next(socket, "close")).reason).toBe("x".repeat(123));
  });

  // Close-reason-unpaired-surrogates
  it("sends U+FFFD for a lone surrogate in the reason", async () => {
    const socket = open(url());
    await next(socket, "open");
    socket.close(3000, "a\ud800");
    expect(await next(socket, "close")).toMatchObject({
      code: 3000,
      reason: "a\ufffd",
      wasClean: true,
    });
  });

  // Step 3 (Close-1000, Close-1000-reason, Close-3000-reason, Close-4999-reason, Close-undefined,
  // Close-onlyReason, Close-1005-verify-code).
  it.each(
    [
      [[], 1005, ""],
      [[undefined], 1005, ""],
      [[undefined, ""], 1005, ""],
      [[undefined, "why"], 1000, "why"],
      [[1000], 1000, ""],
      [["1000", "Clear Close"], 1000, "Clear Close"],
      [[3000, null], 3000, "null"],
      [[4999, "Héllo\ufeff"], 4999, "Héllo\ufeff"],
      [[4999, "\ufefffirst"], 4999, "\ufefffirst"],
    ] as const,
  )(
    "with %j ends with code %i",
    async (args, code, reason) => {
      const socket = open(url());
      await next(socket, "open");
      socket.close(...(args as readonly unknown[] as [number?, string?]));
      expect(socket.readyState).toBe(2);
      expect(await next(socket, "close")).toMatchObject({ code, reason, wasClean: true });
      expect(socket.readyState).toBe(3);
    },
  );

  // Step 3, "not yet established: fail the WebSocket connection" (close-connecting,
  // Close-before-open).
  it("gives up connecting with error and close, and never opens", async () => {
    const socket = open(url());
    const events: string[] = [];
    for (const type of ["open", "error", "close"] as const) {
      socket.addEventListener(type, () => events.push(type));
    }
    socket.close();
    expect(socket.readyState).toBe(2);
    const close = await next(socket, "close");
    await sleep(50);
    expect(events).toEqual(["error", "close"]);
    expect(close).toMatchObject({ code: 1006, reason: "", wasClean: false });
  });

  it("ends with one close event, whenever it is called", async () => {
    const histories = await Promise.all(
      Array.from({ length: 40 }, (_, turns) => historyWhenClosedAfter(turns)),
    );
    for (const history of histories) expect(["open close", "error close"]).toContain(history);
    expect(new Set(histories).size).toBe(2);
  });

  it("does nothing the second time", async () => {
    const socket = open(url());
    await next(socket, "open");
    socket.close(3000);
    socket.close(3001);
    expect((await next(socket, "close")).code).toBe(3000);
    socket.close(3002);
    expect(socket.readyState).toBe(3);
  });

  it.each([
    ["/close-4000", { code: 4000, reason: "because", wasClean: true }],
    ["/close-empty", { code: 1005, reason: "", wasClean: true }],
    ["/abort", { code: 1006, reason: "", wasClean: false }],
  ])("of the server on %s is reported", async (path, expected) => {
    expect(await next(open(url(path)), "close")).toMatchObject(expected);
  });

  it("fires no message afterwards", async () => {
    const socket = open(url());
    await next(socket, "open");
    let messages = 0;
    socket.onmessage = () => messages++;
    socket.send("x");
    socket.close();
    await next(socket, "close");
    expect(messages).toBe(0);
  });
});
