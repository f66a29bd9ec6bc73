// The options that both handshakes share: their names, their check, which happens once, and the
// connection made from them.

import { describe, expect, it } from "vitest";
import { UsageError } from "../../../core/errors.ts";
import type { HandshakeOptions } from "../../../core/handshake/options.ts";
import { openConnection, resolveOptions } from "../../../core/handshake/options.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../../../core/limits.ts";
import { prepareText } from "../../../core/prepared.ts";
import { frame, hex } from "../support.ts";
import { latin1, NO_CODEC } from "./support.ts";

describe("resolveOptions", () => {
  it("completes what is given with the defaults", () => {
    expect(resolveOptions({})).toEqual({
      limits: DEFAULT_LIMITS,
      timeouts: DEFAULT_TIMEOUTS,
      deflate: undefined,
    });
    expect(resolveOptions({ deflate: { codec: NO_CODEC } }).deflate).toMatchObject({
      codec: NO_CODEC,
      threshold: expect.any(Number),
    });
  });

  it("takes every option of a handshake, and those that one side has besides", () => {
    const given: HandshakeOptions = {
      limits: { maxFields: 3 },
      timeouts: { close: 4 },
      messages: "pieces",
      text: "bytes",
      chunks: "lent",
      output: "shared",
      deflate: undefined,
      date: () => "",
    };
    expect(resolveOptions(given)).toEqual({
      ...given,
      limits: { ...DEFAULT_LIMITS, maxFields: 3 },
      timeouts: { ...DEFAULT_TIMEOUTS, close: 4 },
    });
    expect(resolveOptions({ protocols: [] } as HandshakeOptions, ["protocols"])).toMatchObject({
      protocols: [],
    });
  });

  it("refuses an unknown name, and says which there are", () => {
    const message =
      "unknown option handshake.mesages; there are: limits, timeouts, messages, text, chunks, output, deflate, date, headers";
    expect(() => resolveOptions({ mesages: "pieces" } as HandshakeOptions, ["headers"])).toThrow(
      new UsageError(message),
    );
    expect(() => resolveOptions({ headers: {} } as HandshakeOptions)).toThrow(/deflate, date$/);
  });

  it("checks the same options only once, whatever was changed in them since", () => {
    const given = { timeouts: { handshake: 50 } };
    const options = resolveOptions(given);
    given.timeouts.handshake = -1;
    expect(resolveOptions(given)).toBe(options);
    expect(options.timeouts.handshake).toBe(50);
  });
});

describe("openConnection", () => {
  it("opens a connection with the options of the handshake", () => {
    const options = resolveOptions({
      limits: { maxMessageSize: 4 },
      timeouts: { pingInterval: 100 },
      messages: "pieces",
      text: "bytes",
    });
    const connection = openConnection("server", options, undefined, 7);
    expect(connection.deadline).toBe(107);
    expect(connection.receive(frame("client", 0x01, "abc"), 7)).toEqual([
      { type: "piece", opcode: "text", data: latin1("abc"), final: false },
    ]);
    connection.receive(frame("client", 0x80, "de"), 7);
    expect(connection.closeSent?.code).toBe(1009);
  });

  it("uses permessage-deflate where it was agreed on, and only there", () => {
    const options = resolveOptions({ deflate: { codec: NO_CODEC } });
    const params = { windowBits: 15, takeover: true, peerWindowBits: 15, peerTakeover: true };
    const compressing = openConnection("client", options, params, 0);
    expect(() => compressing.sendText("a".repeat(1000))).toThrow("not used");
    const plain = openConnection("client", options, undefined, 0);
    plain.sendText("a".repeat(1000));
    plain.receive(hex("c1 00"), 0);
    expect(plain.closeSent?.code).toBe(1002);
  });

  it("refers to no lent chunk", () => {
    const connection = openConnection("client", resolveOptions({ chunks: "lent" }), undefined, 0);
    const chunk = frame("server", 0x82, "abc");
    const [event] = connection.receive(chunk, 0);
    chunk.fill(0);
    expect(event).toEqual({ type: "binary", data: latin1("abc") });
  });

  it("sends prepared messages by reference where the output is shared", () => {
    const message = prepareText("Hello");
    for (const output of ["owned", "shared"] as const) {
      const connection = openConnection("server", resolveOptions({ output }), undefined, 0);
      connection.sendPrepared(message);
      const [chunk] = connection.takeOutput();
      expect(chunk === message.plainFrame, output).toBe(output === "shared");
    }
  });
});
