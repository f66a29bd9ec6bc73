// Options: every unknown name and illegal value is refused by name, before anything is listened on or connected to.

import type { ConnectOptions, ServeOptions } from "sansws";
import { connect, serve } from "sansws";
import { describe, expect, it } from "vitest";
import { openPair, start } from "./suite.ts";

const COMMON: readonly (readonly [options: object, message: RegExp])[] = [
  [{ mesage: () => {} }, /unknown option options\.mesage; there are: .*message/],
  [{ limits: { maxMessageLength: 1 } }, /unknown option limits\.maxMessageLength; there are: maxMessageSize/],
  [{ limits: { maxMessageSize: 0 } }, /limits\.maxMessageSize is 0/],
  [{ limits: { maxMessageSize: 1.5 } }, /limits\.maxMessageSize is 1\.5/],
  [{ timeouts: { ping: 1 } }, /unknown option timeouts\.ping; there are: .*pingInterval/],
  [{ timeouts: { close: -1 } }, /timeouts\.close is -1/],
  [{ timeouts: { close: "5s" } }, /timeouts\.close is 5s/],
  [{ deflate: { windowbits: 9 } }, /unknown option deflate\.windowbits; there are: .*windowBits/],
  [{ deflate: { windowBits: 8 } }, /deflate\.windowBits is 8/],
  [{ deflate: { takeover: "no" } }, /deflate\.takeover is no/],
  [{ text: "utf8" }, /text is "utf8"; it takes "string" or "bytes"/],
  [{ backpressure: { limit: 1 } }, /unknown option backpressure\.limit; there are: maxBufferedAmount/],
  [{ backpressure: { maxBufferedAmount: 0 } }, /backpressure\.maxBufferedAmount is 0/],
  [{ backpressure: { onOverflow: "skip" } }, /backpressure\.onOverflow is "skip"; it takes "close" or "drop"/],
  [{ message: "echo" }, /message must be a function/],
];

const SERVER: typeof COMMON = [
  ...COMMON,
  [{ url: "ws://localhost" }, /unknown option options\.url/],
  [{ headers: {} }, /unknown option options\.headers/],
  [
    { connections: { maximum: 1 } },
    /unknown option connections\.maximum; there are: max, maxPerAddress, maxHandshakes/,
  ],
  [{ connections: { max: 0 } }, /connections\.max is 0/],
  [{ connections: { max: 1.5 } }, /connections\.max is 1\.5/],
];

const CLIENT: typeof COMMON = [
  ...COMMON,
  [{ port: 80 }, /unknown option options\.port/],
  [{ tls: {} }, /tls is for wss: URLs/],
];

describe("serve", () => {
  it.each(SERVER)("refuses %o", async (options, message) => {
    const serving = serve({ port: 0, hostname: "127.0.0.1", ...options } as ServeOptions);
    await expect(serving).rejects.toMatchObject({ name: "UsageError", message: expect.stringMatching(message) });
  });
});

describe("connect", () => {
  it.each(CLIENT)("refuses %o", async (options, message) => {
    const { url } = await start();
    const connecting = connect(url, options as ConnectOptions);
    await expect(connecting).rejects.toMatchObject({ name: "UsageError", message: expect.stringMatching(message) });
  });
});

describe("options that are undefined", () => {
  it("count as not given", async () => {
    const nothing = {
      limits: undefined,
      timeouts: undefined,
      deflate: undefined,
      text: undefined,
      backpressure: undefined,
    };
    const server = { ...nothing, upgrade: undefined, request: undefined, protocols: undefined, connections: undefined };
    const { near } = await openPair(
      { ...server, tls: undefined, path: undefined },
      { ...nothing, protocols: undefined, headers: undefined, signal: undefined, tls: undefined, path: undefined },
    );
    expect(near.state).toBe("open");
  });
});
