// Every option of every entry point, by the tables that check them: a value of a wrong type, and an
// unknown name, is a UsageError at the call, which names the option. A new option without a row in
// `TAKES` fails here.

import { connect, pair, reconnecting, serve, WebSocket, WebSocketStream } from "sansws";
import { attach } from "sansws/node";
import { describe, expect, it } from "vitest";
import { CLIENT } from "../../adapters/host/client/connect.ts";
import { CONNECTIONS } from "../../adapters/host/server/admission.ts";
import { SERVER } from "../../adapters/host/server/server.ts";
import { WEB } from "../../adapters/websocket.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../../core/limits.ts";

/** One value of each kind. */
const VALUES: Readonly<Record<string, unknown>> = {
  null: null,
  number: 3.5,
  string: "x",
  boolean: true,
  object: {},
  array: [],
  function: () => {},
  symbol: Symbol("x"),
  bigint: 1n,
};

/** The kinds of which an option takes some values; the others are refused. */
const TAKES: Readonly<Record<string, readonly string[]>> = {
  ...of(["function"], ...["open", "message", "piece", "drain", "ping", "pong", "closing", "close"]),
  ...of(["function"], "error", "upgrade", "request", "refused", "change", "retry.shouldRetry"),
  ...of(["object"], "limits", "timeouts", "backpressure", "connections", "retry", "queue"),
  ...of(["object", "boolean"], "deflate", "redirect"),
  ...of(["boolean"], "ordered", "backpressure.readWhileBlocked"),
  ...of(["boolean"], "deflate.takeover", "deflate.peerTakeover"),
  ...of(["number"], "deflate.threshold", "deflate.level", "deflate.memLevel"),
  ...of(["number"], "deflate.windowBits", "deflate.peerWindowBits"),
  ...of(["object"], "deflate.codec", "tls"),
  ...of([], "text", "backpressure.onOverflow", "queue.onOverflow", "signal", "lifetime", "proxy"),
  ...of(["number"], ...Object.keys(DEFAULT_LIMITS).map((name) => `limits.${name}`)),
  ...of(["number"], ...Object.keys(DEFAULT_TIMEOUTS).map((name) => `timeouts.${name}`)),
  ...of(["number"], ...Object.keys(CONNECTIONS).map((name) => `connections.${name}`)),
  ...of(["number"], "backpressure.maxBufferedAmount", "queue.maxMessages", "queue.maxSize"),
  ...of(["number"], "timeout", "retry.initialDelay", "retry.maxDelay", "retry.factor"),
  ...of(["number"], "retry.maxAttempts", "retry.stableAfter", "redirect.max"),
  ...of(["array"], "retry.terminalCodes", "retry.terminalStatuses", "redirect.keepHeaders"),
  ...of(["array"], "tls.alpnProtocols"),
  ...of(["string", "array"], "protocols"),
  ...of(["string"], "path", "hostname"),
  ...of(["boolean"], "tls.rejectUnauthorized"),
  ...of([], "port", "lifetime.signal", "tls.cert", "tls.key"),
  ...of(["object", "array", "function"], "headers"),
  ...of(["object", "array", "function"], "stream"),
  ...of(Object.keys(VALUES), "data"),
};

function of(
  kinds: readonly string[],
  ...paths: readonly string[]
): Record<string, readonly string[]> {
  return Object.fromEntries(paths.map((path) => [path, kinds]));
}

/** An entry point, and the names of its options. */
interface Entry {
  readonly name: string;
  readonly names: readonly string[];
  call(options: object): unknown;
}

const URL = "wss://127.0.0.1:1/";
const ENTRIES: readonly Entry[] = [
  {
    name: "serve",
    names: [...Object.keys(SERVER), "port", "hostname", "path"],
    call: (options) => serve({ port: 0, hostname: "127.0.0.1", ...options }),
  },
  { name: "attach", names: Object.keys(SERVER), call: (options) => attach(options) },
  { name: "connect", names: Object.keys(CLIENT), call: (options) => connect(URL, options) },
  {
    name: "reconnecting",
    names: [
      ...Object.keys(CLIENT).filter((name) => name !== "lifetime"),
      "retry",
      "queue",
      "change",
    ],
    call: (options) => reconnecting(URL, options),
  },
  {
    name: "pair, server",
    names: Object.keys(SERVER),
    call: (options) => pair({ server: options }),
  },
  {
    name: "pair, client",
    names: Object.keys(CLIENT).filter((name) => {
      return !["path", "proxy", "stream", "tls", "redirect"].includes(name);
    }),
    call: (options) => pair({ client: options }),
  },
  {
    name: "WebSocket",
    names: Object.keys(WEB),
    call: (options) => new WebSocket(URL, [], options),
  },
  {
    name: "WebSocketStream",
    names: Object.keys(WEB),
    call: (options) => new WebSocketStream(URL, options),
  },
];

/** The paths of an entry point's options, at every depth. */
function pathsOf({ names }: Entry): string[] {
  const nested = Object.keys(TAKES).filter((path) => {
    return path.includes(".") && names.includes(path.split(".", 1)[0]!);
  });
  return [...names, ...nested];
}

function optionsWith(path: string, value: unknown): object {
  const [name, member] = path.split(".") as [string, string?];
  return member === undefined ? { [name]: value } : { [name]: { [member]: value } };
}

async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return "nothing was thrown";
}

describe.each(ENTRIES)("$name", (entry) => {
  const wrong = pathsOf(entry).flatMap((path) =>
    Object.entries(VALUES)
      .filter(([kind]) => TAKES[path]?.includes(kind) !== true)
      .map(([kind, value]) => [path, kind, value] as const)
  );

  it("has a row for each option", () => {
    expect(entry.names.filter((name) => TAKES[name] === undefined)).toEqual([]);
  });

  it.each(wrong)("refuses %s: %s", async (path, _kind, value) => {
    const error = await failureOf(() => entry.call(optionsWith(path, value)));
    expect(error).toMatchObject({ name: "UsageError" });
    expect((error as Error).message).toContain(path);
  });

  it("refuses unknown names at every depth, by their path", async () => {
    const scopes = pathsOf(entry).filter((path) => path.includes("."))
      .map((path) => path.split(".", 1)[0]!);
    for (const scope of new Set(scopes)) {
      const error = await failureOf(() => entry.call({ [scope]: { nonsense: 1 } }));
      expect(error).toMatchObject({ name: "UsageError" });
      expect((error as Error).message).toContain(`${scope}.nonsense`);
    }
    const error = await failureOf(() => entry.call({ nonsense: 1 }));
    expect(error).toMatchObject({ name: "UsageError" });
    expect((error as Error).message).toContain(`nonsense`);
  });

  it("takes options of another realm, and without a prototype; undefined is not given", async () => {
    const { runInNewContext } = await import("node:vm");
    const nothing = Object.fromEntries(entry.names.map((name) => [name, undefined]));
    const given = { ...nothing, ...entry.name === "serve" && { port: 0, hostname: "127.0.0.1" } };
    for (const options of [given, runInNewContext("({ ...given })", { given })]) {
      const result = await failureOf(() => entry.call(Object.assign(Object.create(null), options)));
      if (result !== "nothing was thrown") expect(result).toMatchObject({ name: "ConnectError" });
    }
  });
});

describe("serve", () => {
  it.each<[object, RegExp]>([
    [{}, /^port is missing/],
    [{ port: "8080" }, /^port is "8080"; it takes an integer/],
    [{ port: -1 }, /^port is -1/],
    [{ port: 65_536 }, /^port is 65536/],
    [{ port: 1.5 }, /^port is 1\.5/],
    [{ port: 0, request: {} }, /^request is an object; it takes a function/],
    [{ port: 0, tls: { cert: "x", key: "y", requestCerts: true } }, /tls\.requestCerts/],
  ])("refuses %o", async (options, message) => {
    const error = await failureOf(() => serve(options));
    expect(error).toMatchObject({ name: "UsageError", message: expect.stringMatching(message) });
  });
});

describe("no message shows a password", () => {
  it.each([
    "http://user:secret@proxy:8080/path",
    "http://DOMAIN\\user:secret@proxy:8080",
    "ftp://user:secret@proxy",
    "http://user:secret@:bad:port",
    "user:secret@proxy",
    "//user:secret@proxy",
  ])("%s", async (url) => {
    for (const proxy of [url, { url }]) {
      const error = await failureOf(() => connect("ws://a.test/", { proxy }));
      expect(error).toMatchObject({ name: "UsageError" });
      expect((error as Error).message).not.toContain("secret");
    }
    if (!/^https?:/.test(url)) {
      const error = await failureOf(() => connect(url));
      expect((error as Error).message).not.toContain("secret");
    }
  });
});

describe("a member that is undefined", () => {
  it("has its default, in every nested object", async () => {
    const errors: unknown[] = [];
    const { server, client } = await pair({
      server: {
        backpressure: { maxBufferedAmount: undefined, onOverflow: undefined } as never,
        connections: { max: undefined } as never,
        timeouts: { close: 300 },
        error: (error) => errors.push(error),
      },
    });
    client.pause();
    let sent = 0;
    while (server.send(new Uint8Array(2 ** 20)) !== "dropped" && sent < 100) sent++;
    expect(sent).toBeLessThan(20);
    expect((await server.closed).code).not.toBe(1000);
    expect(errors).toEqual([]);
  });
});
