// The constructor of WebSocket by the text of the standard (WHATWG WebSockets §3.1) and of Web
// IDL. The comments name the step of the standard, and the web-platform-test that asks for the
// same.

import { UsageError, WebSocket } from "sansws";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { nameOf, next, open, url, useServer } from "./support.ts";

useServer();

/** A way to the server that never leads anywhere. */
const nowhere = ({ signal }: { readonly signal: AbortSignal; }): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

describe("WebSocket constructor", () => {
  // Getting a URL record, steps 2-5 (Create-invalid-urls, Create-non-absolute-url,
  // Create-wrong-scheme).
  it.each([
    ["not a url", "no URL"],
    ["", "an empty one"],
    ["ws://foo bar.example/", "a space in the host"],
    ["#fragment", "a fragment alone"],
    ["?query", "a query alone"],
    ["//127.0.0.1/", "no scheme"],
    ["about:blank", "a scheme without a path"],
    ["/path", "a relative one"],
    ["ftp://127.0.0.1/", "another scheme"],
    ["mailto:a@example.com", "a scheme without a host"],
    ["ws://127.0.0.1/#fragment", "a fragment"],
    ["ws://127.0.0.1/#", "an empty fragment"],
    ["ws://127.0.0.1:99999/", "a port out of range"],
  ])("throws a SyntaxError for %j: %s", (input) => {
    expect(nameOf(() => new WebSocket(input))).toBe("SyntaxError");
  });

  // Step 4 (Create-protocol-with-space, Create-nonAscii-protocol-string,
  // Create-asciiSep-protocol-string, Create-protocols-repeated, Create-valid-url-protocol-empty).
  it.each([
    [""],
    ["a b"],
    ["a/b"],
    ["a\u007f"],
    ["\u0080"],
    ["\ud800"],
    ["a,b"],
    ["ä"],
    ["a\r\nb"],
    [["one", "one"]],
    [["one", "two", "ONE"]],
    [["one", ""]],
    [["one", "tw\u0000o"]],
  ])("throws a SyntaxError for the subprotocols %j", (protocols) => {
    expect(nameOf(() => new WebSocket(url(), protocols))).toBe("SyntaxError");
  });

  // Getting a URL record, steps 3-4 (Create-http-urls).
  it.each([["http", "ws"], ["ws", "ws"], ["HTTP", "ws"]])("takes %s: for %s:", (given, scheme) => {
    expect(open(url("/x?y=1", given)).url).toBe(url("/x?y=1", scheme));
  });

  it("takes a URL object, and normalizes", () => {
    expect(open(new URL(url("/a/../b"))).url).toBe(url("/b"));
  });

  // Create-verify-url-set-default-port, Create-url-with-space,
  // Create-url-with-windows-1252-encoding.
  it.each([
    ["ws://127.0.0.1:80/", "ws://127.0.0.1/"],
    ["wss://127.0.0.1:443/", "wss://127.0.0.1/"],
    ["http://127.0.0.1:443/", "ws://127.0.0.1:443/"],
    ["ws://127.0.0.1/a b?c d", "ws://127.0.0.1/a%20b?c%20d"],
    ["ws://127.0.0.1/?\u00e5", "ws://127.0.0.1/?%C3%A5"],
    ["  ws://127.0.0.1\t ", "ws://127.0.0.1/"],
    ["ws://127.0.0.1/\ud800", "ws://127.0.0.1/%EF%BF%BD"],
  ])("serializes %j as %s", (given, expected) => {
    expect(open(given, [], { stream: nowhere }).url).toBe(expected);
  });

  // Web IDL: the union of a DOMString and a sequence of them; what is `undefined` takes the
  // default.
  it.each<[string, unknown, string]>([
    ["undefined", undefined, ""],
    ["an empty list", [], ""],
    ["a string", "a", "a"],
    ["a list", ["a", "b"], "b"],
    ["a set", new Set(["a", "b"]), "b"],
    ["a String object, which is a sequence of characters", Object("xy"), "y"],
    ["null, which is a string", null, "null"],
    ["a number", 3, "3"],
    ["numbers in a list", [1, 2], "2"],
    ["an object that makes a string", { toString: () => "made" }, "made"],
  ])("offers the subprotocols of %s", async (_, protocols, last) => {
    const socket = open(url(), protocols as string[]);
    await next(socket, "open");
    expect(socket.protocol).toBe(last);
  });

  it.each<[unknown]>([[{}], [() => "a"], [new Date(0)]])(
    "takes other objects than sequences for the string they make: %j",
    (protocols) => {
      expect(nameOf(() => new WebSocket(url(), protocols as string))).toBe("SyntaxError");
    },
  );

  // Web IDL: a constructor needs `new`, and its arguments that are not optional.
  it("needs new and a URL", () => {
    expect(() => (WebSocket as unknown as () => void)()).toThrow(TypeError);
    expect(() => new (WebSocket as unknown as new() => WebSocket)()).toThrow(TypeError);
    expect(nameOf(() => new WebSocket(undefined as unknown as string))).toBe("SyntaxError");
  });

  // Web IDL: ToString of a symbol throws.
  it.each<[string, ...unknown[]]>([
    ["URL", Symbol("a")],
    ["subprotocol", "ws://127.0.0.1/", Symbol("a")],
    ["subprotocol in a list", "ws://127.0.0.1/", ["a", Symbol("b")]],
  ])("throws a TypeError for a symbol as %s", (_, ...args) => {
    expect(() => new WebSocket(...args as [string, string])).toThrow(TypeError);
  });

  it("begins as CONNECTING, with empty protocol and extensions, nothing buffered, and blobs", () => {
    const socket = open(url(), ["a"]);
    expect(socket).toMatchObject({
      readyState: 0,
      protocol: "",
      extensions: "",
      bufferedAmount: 0,
      binaryType: "blob",
    });
  });

  // Getting a URL record, step 1: the API base URL (Create-valid-url-relative).
  it("takes a URL that is relative to globalThis.location where there is one", async () => {
    vi.stubGlobal("location", { href: url("/folder/page?query", "http") });
    onTestFinished(() => void vi.unstubAllGlobals());
    expect(open("sub").url).toBe(url("/folder/sub"));
    expect(open("?x").url).toBe(url("/folder/page?x"));
    expect(nameOf(() => new WebSocket("#fragment"))).toBe("SyntaxError");
    await next(open("/"), "open");
  });

  // "Establish a WebSocket connection" goes through Fetch, whose main fetch refuses bad ports
  // (Create-blocked-port).
  it.each([0, 1, 22, 25, 139, 6000, 6667, 10_080])(
    "fails for port %i, which Fetch blocks",
    async (port) => {
      const socket = open(`ws://127.0.0.1:${port}/`, [], { stream: nowhere });
      const [error, close] = await Promise.all([next(socket, "error"), next(socket, "close")]);
      expect(error).toMatchObject({ message: expect.stringContaining(`port ${port} blocked`) });
      expect(close).toMatchObject({ code: 1006, wasClean: false });
    },
  );

  // constructor.any.js: Web IDL has a call with too many arguments succeed.
  it.each<[unknown]>([["a string"], [3], [null]])(
    "ignores a third argument that is no object: %j",
    async (stray) => {
      await next(open(url(), "echo", stray as object), "open");
    },
  );

  it("throws a UsageError for a wrong option", () => {
    const create = (): unknown => open(url(), [], { limits: { maxMessage: 1 } } as object);
    expect(create).toThrow(UsageError);
  });
});
