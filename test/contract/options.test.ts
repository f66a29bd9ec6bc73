// Options: every unknown name and illegal value is refused by name, before anything is listened on
// or connected to.

import type { ConnectOptions, ReconnectOptions, ServeOptions } from "sansws";
import { connect, reconnecting, serve, UsageError } from "sansws";
import { describe, expect, it } from "vitest";
import { openPair, start } from "./suite.ts";

const COMMON: readonly (readonly [options: object, message: RegExp])[] = [
  [{ mesage: () => {} }, /unknown option options\.mesage; there are: .*message/],
  [
    { limits: { maxMessageLength: 1 } },
    /unknown option limits\.maxMessageLength; there are: maxMessageSize/,
  ],
  [{ limits: { maxMessageSize: 0 } }, /limits\.maxMessageSize is 0/],
  [{ limits: { maxMessageSize: 1.5 } }, /limits\.maxMessageSize is 1\.5/],
  [{ timeouts: { ping: 1 } }, /unknown option timeouts\.ping; there are: .*pingInterval/],
  [{ timeouts: { close: -1 } }, /timeouts\.close is -1/],
  [{ timeouts: { close: "5s" } }, /timeouts\.close is 5s/],
  [{ deflate: { windowbits: 9 } }, /unknown option deflate\.windowbits; there are: .*windowBits/],
  [{ deflate: { windowBits: 8 } }, /deflate\.windowBits is 8/],
  [{ deflate: { takeover: "no" } }, /deflate\.takeover is no/],
  [{ text: "utf8" }, /text is "utf8"; it takes "string" or "bytes"/],
  [
    { backpressure: { limit: 1 } },
    /unknown option backpressure\.limit; there are: maxBufferedAmount/,
  ],
  [{ backpressure: { maxBufferedAmount: 0 } }, /backpressure\.maxBufferedAmount is 0/],
  [
    { backpressure: { onOverflow: "skip" } },
    /backpressure\.onOverflow is "skip"; it takes "close" or "drop"/,
  ],
  [{ message: "echo" }, /message is "echo"; it takes a function/],
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
  [{ tls: { caa: "" } }, /unknown option tls\.caa; there are: .*ca/],
  [{ tls: { ca: "nonsense" } }, /tls\.ca is not text in PEM/],
  [{ tls: { ca: [new Uint8Array(3)] } }, /tls\.ca is not text in PEM/],
  [{ tls: { cert: "-----BEGIN CERTIFICATE-----" } }, /tls\.cert and tls\.key go together/],
  [{ protocols: 3 }, /protocols is 3; it takes a string or an array of strings/],
  [{ protocols: [3] }, /subprotocol 3 is not a token/],
  [{ headers: 3 }, /headers is 3; it takes an object/],
  [{ headers: null }, /headers is null; it takes an object/],
  [{ signal: {} }, /signal is not an AbortSignal/],
  [{ signal: null }, /signal is not an AbortSignal/],
  [{ lifetime: 3 }, /lifetime is 3; it takes an object/],
  [{ lifetime: null }, /lifetime is null; it takes an object/],
  [{ lifetime: {} }, /lifetime\.signal is not an AbortSignal/],
  [
    { lifetime: { signal: new AbortController().signal, reasons: "" } },
    /unknown option lifetime\.reasons/,
  ],
  [{ timeout: "5" }, /timeout is "5"; it takes milliseconds above 0/],
  [{ timeout: 0 }, /timeout is 0; it takes milliseconds above 0/],
  [{ path: "" }, /path is ""; it takes the path of a socket/],
  [{ proxy: true }, /proxy is true; it takes an object/],
  [{ proxy: { url: "https://proxy.test", tls: { caa: "" } } }, /unknown option proxy\.tls\.caa/],
  [{ redirect: 5 }, /redirect is 5; it takes an object/],
  [{ stream: {} }, /a stream has the two properties/],
];

describe("serve", () => {
  it.each(SERVER)("refuses %o", async (options, message) => {
    const serving = serve({ port: 0, hostname: "127.0.0.1", ...options } as ServeOptions);
    await expect(serving).rejects.toMatchObject({
      name: "UsageError",
      message: expect.stringMatching(message),
    });
  });
});

describe("connect", () => {
  it.each(CLIENT)("refuses %o", async (options, message) => {
    const { url } = await start();
    const connecting = connect(url, options as ConnectOptions);
    await expect(connecting).rejects.toMatchObject({
      name: "UsageError",
      message: expect.stringMatching(message),
    });
  });
});

describe("options that are no object", () => {
  it.each<[unknown]>([[null], ["chat"], [3]])("are refused: %o", async (options) => {
    await expect(connect("ws://127.0.0.1/", options as ConnectOptions)).rejects.toMatchObject({
      name: "UsageError",
    });
    await expect(serve(options as ServeOptions)).rejects.toMatchObject({ name: "UsageError" });
    expect(() => reconnecting("ws://127.0.0.1/", options as ReconnectOptions)).toThrow(UsageError);
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
    const server = {
      ...nothing,
      upgrade: undefined,
      request: undefined,
      protocols: undefined,
      connections: undefined,
    };
    const { near } = await openPair(
      { ...server, tls: undefined, path: undefined },
      {
        ...nothing,
        protocols: undefined,
        headers: undefined,
        signal: undefined,
        tls: undefined,
        path: undefined,
      },
    );
    expect(near.state).toBe("open");
  });
});
