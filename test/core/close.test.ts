// Close codes and payloads, RFC 6455 §5.5.1 and §7.4: the table for each of the 65536 codes, sent
// and received, and reasons cut between characters.

import { describe, expect, it } from "vitest";
import {
  CloseCode,
  decodeClose,
  encodeClose,
  isWireCloseCode,
  MAX_REASON_BYTES,
} from "../../core/close.ts";
import { Connection } from "../../core/connection.ts";
import { UsageError } from "../../core/errors.ts";
import { CODE_RUNS, REASONS } from "../vectors/close-codes.ts";
import { frame, hex, join, line, lines, takeBytes, toHex, utf8 } from "./support.ts";

/** Every code of the run, or for long runs both ends and some between. */
function codesOf({ from, to }: { readonly from: number; readonly to: number; }): number[] {
  const codes = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return codes.filter((code) => code <= 5000 || code > 65530 || code % 997 === 0);
}

function payloadOf(code: number, reason = ""): Uint8Array {
  return join([Uint8Array.of(code >> 8, code & 0xff), utf8(reason)]);
}

describe("the close-code table", () => {
  it("covers 0 to 65535 without a gap", () => {
    expect(CODE_RUNS.map(({ from }) => from)).toEqual([
      0,
      ...CODE_RUNS.slice(0, -1).map(({ to }) => to + 1),
    ]);
    expect(CODE_RUNS.at(-1)!.to).toBe(65535);
  });
});

describe.each(CODE_RUNS)("codes $from to $to ($why)", (run) => {
  const codes = codesOf(run);

  it(`isWireCloseCode says ${run.onWire}`, () => {
    expect(codes.filter((code) => isWireCloseCode(code) !== run.onWire)).toEqual([]);
  });

  it(`decodeClose ${run.onWire ? "reads" : "refuses"} them`, () => {
    for (const code of codes) {
      const expected = run.onWire ? { code, reason: "bye" } : "close-code-illegal";
      expect(decodeClose(payloadOf(code, "bye")), `${code}`).toEqual(expected);
    }
  });

  it(`encodeClose ${run.onWire ? "writes" : "throws UsageError for"} them`, () => {
    for (const code of codes) {
      if (run.onWire) expect(encodeClose(code, "bye"), `${code}`).toEqual(payloadOf(code, "bye"));
      else expect(() => encodeClose(code, "bye"), `${code}`).toThrow(UsageError);
    }
  });

  it(`a connection ${run.onWire ? "echoes" : "fails for"} them`, () => {
    for (const code of [codes[0]!, codes.at(-1)!]) {
      const connection = new Connection({ role: "server" }, 0);
      const events = connection.receive(frame("client", 0x88, payloadOf(code)), 0);
      expect(events.map(line)).toEqual(run.onWire ? [`closing ${code} ""`] : []);
      const [close] = lines(takeBytes(connection));
      expect(close).toMatch(run.onWire ? `close ${code} ""` : /^close 1002 /);
    }
  });
});

describe("isWireCloseCode", () => {
  it("refuses what is no 16-bit integer", () => {
    for (const code of [-1, 1000.5, 1e9, NaN, Infinity, -Infinity]) {
      expect(isWireCloseCode(code), `${code}`).toBe(false);
    }
  });

  it("knows every registered code by name, and which of them stay off the wire", () => {
    const offWire = Object.entries(CloseCode).filter(([, code]) => !isWireCloseCode(code)).map((
      [name],
    ) => name);
    expect(offWire).toEqual(["noStatus", "abnormal", "tlsHandshake"]);
  });
});

describe("encodeClose", () => {
  it.each(REASONS)("sends of a reason what fits: $name", ({ reason, sent }) => {
    const payload = encodeClose(4321, reason);
    expect(toHex(payload)).toBe(toHex(payloadOf(4321, sent)));
    expect(payload.length).toBeLessThanOrEqual(2 + MAX_REASON_BYTES);
    expect(decodeClose(payload)).toEqual({ code: 4321, reason: sent });
  });

  it("writes no payload for 1005", () => {
    expect(encodeClose(1005, "")).toHaveLength(0);
  });

  it.each([
    { code: 1005, reason: "why", message: "a close reason needs a close code" },
    {
      code: 1006,
      reason: "",
      message: "close code 1006 must not be sent: use 1000-1003, 1007-1014 or 3000-4999",
    },
    {
      code: 1000.5,
      reason: "",
      message: "close code 1000.5 must not be sent: use 1000-1003, 1007-1014 or 3000-4999",
    },
    {
      code: NaN,
      reason: "",
      message: "close code NaN must not be sent: use 1000-1003, 1007-1014 or 3000-4999",
    },
  ])("throws UsageError for $code with reason \"$reason\"", ({ code, reason, message }) => {
    expect(() => encodeClose(code, reason)).toThrow(new UsageError(message));
  });

  it("throws UsageError for a reason that is no string", () => {
    expect(() => encodeClose(1000, undefined as unknown as string)).toThrow(
      new UsageError("a close reason is a string"),
    );
  });
});

describe("decodeClose", () => {
  it.each([
    { name: "nothing", payload: "", expected: { code: 1005, reason: "" } },
    { name: "one byte", payload: "03", expected: "close-payload-one-byte" },
    { name: "a code", payload: "03e8", expected: { code: 1000, reason: "" } },
    { name: "a reason in UTF-8", payload: "03e8 ceba", expected: { code: 1000, reason: "κ" } },
    {
      name: "a reason with U+FEFF",
      payload: "03e8 efbbbf78",
      expected: { code: 1000, reason: "\ufeffx" },
    },
    { name: "a reason that is not UTF-8", payload: "03e8 ff", expected: "close-reason-not-utf8" },
    {
      name: "a reason cut inside of a character",
      payload: "03e8 ce",
      expected: "close-reason-not-utf8",
    },
    {
      name: "an illegal code with a bad reason",
      payload: "03ed ff",
      expected: "close-code-illegal",
    },
  ])("reads $name", ({ payload, expected }) => {
    expect(decodeClose(hex(payload))).toEqual(expected);
  });
});
