// Heads and header fields on their way out: what is written, and what is refused.

import { describe, expect, it } from "vitest";
import { UsageError } from "../../../core/errors.ts";
import { type HeaderField, HeaderFields, type HeaderInput } from "../../../core/http/fields.ts";
import { checkFields, formatRequestHead, formatResponseHead } from "../../../core/http/format.ts";
import { parseRequestHead, parseResponseHead } from "../../../core/http/head.ts";
import { toLatin1 } from "../handshake/support.ts";

describe("checkFields", () => {
  const none = (): boolean => false;

  it.each<[string, HeaderInput | undefined, [string, string][]]>([
    ["nothing", undefined, []],
    ["a list", [["A", "1"], ["a", "2"]], [["A", "1"], ["a", "2"]]],
    ["an object", { A: "1", b: "2" }, [["A", "1"], ["b", "2"]]],
    ["a Map", new Map([["A", "1"]]), [["A", "1"]]],
    ["a Headers", new Headers({ A: "1" }), [["a", "1"]]],
    ["HeaderFields", new HeaderFields([["A", "1"]]), [["A", "1"]]],
    ["space around a value", [["A", " 1\t"]], [["A", "1"]]],
    ["Latin-1", [["A", "\xe9\x80"]], [["A", "\xe9\x80"]]],
    ["the names of an object's properties", [["constructor", "1"], ["__proto__", "2"]], [
      ["constructor", "1"],
      ["__proto__", "2"],
    ]],
  ])("takes %s", (_, input, expected) => {
    expect(checkFields(input, none)).toEqual(expected);
  });

  it.each(["a\r\nX-Injected: 1", "a\r", "a\n", "a\0", "\x1b", "\x7f", "\u0100", "\u{1f600}"])(
    "refuses the value %j by name",
    (value) => {
      expect(() => checkFields([["X-Name", value]], none)).toThrow(UsageError);
      expect(() => checkFields({ "X-Name": value }, none)).toThrow("X-Name");
    },
  );

  it.each(["", "a b", "a:", "a\r\n", "\xe9", "\u212a"])("refuses the name %j", (name) => {
    expect(() => checkFields([[name, "1"]], none)).toThrow(UsageError);
    expect(() => checkFields([[name, "1"]], none)).toThrow(JSON.stringify(name));
  });

  it("refuses what is no string", () => {
    expect(() => checkFields({ "X-Name": 1 as unknown as string }, none)).toThrow(UsageError);
    expect(() => checkFields([["X-Name"] as unknown as [string, string]], none)).toThrow("X-Name");
    expect(() => checkFields([[undefined, "1"] as unknown as [string, string]], none)).toThrow(
      "header name undefined",
    );
  });

  it.each([null, "X-Name: 1", 1, true])("refuses %j in place of fields, and says so", (input) => {
    const message = `headers is ${input}; it takes an object, or a list of names with values`;
    expect(() => checkFields(input as unknown as HeaderInput, none)).toThrow(
      new UsageError(message),
    );
  });

  it("refuses an owned name in any case", () => {
    expect(() => checkFields({ "UPgrade": "1" }, (name) => name === "upgrade")).toThrow(
      /UPgrade is written by the handshake/,
    );
  });
});

// RFC 9110 §15, RFC 6585.
const REASON_PHRASES: readonly string[] = [
  ...[
    "101 Switching Protocols",
    "200 OK",
    "204 No Content",
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
  ],
  ...[
    "304 Not Modified",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
    "400 Bad Request",
    "401 Unauthorized",
  ],
  ...[
    "403 Forbidden",
    "404 Not Found",
    "405 Method Not Allowed",
    "406 Not Acceptable",
    "408 Request Timeout",
  ],
  ...[
    "409 Conflict",
    "410 Gone",
    "413 Content Too Large",
    "414 URI Too Long",
    "415 Unsupported Media Type",
  ],
  ...[
    "421 Misdirected Request",
    "422 Unprocessable Content",
    "426 Upgrade Required",
    "428 Precondition Required",
  ],
  ...["429 Too Many Requests", "431 Request Header Fields Too Large", "500 Internal Server Error"],
  ...["501 Not Implemented", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"],
  ...["505 HTTP Version Not Supported"],
];

describe("formatRequestHead and formatResponseHead", () => {
  const fields: HeaderField[] = [["Host", "a"], ["X", "\xe9"], ["Empty", ""]];

  it("write what the parsers read", () => {
    const request = formatRequestHead("GET", "/a?b", fields);
    expect(toLatin1(request)).toBe("GET /a?b HTTP/1.1\r\nHost: a\r\nX: \xe9\r\nEmpty: \r\n\r\n");
    const parsed = parseRequestHead(request);
    expect([...(parsed as Exclude<typeof parsed, string>).headers]).toEqual(fields);
    const response = formatResponseHead(426, fields);
    expect(parseResponseHead(response)).toMatchObject({
      status: 426,
      statusText: "Upgrade Required",
    });
  });

  it("take the registered reason phrase, another one, or none", () => {
    expect(toLatin1(formatResponseHead(101, []))).toBe("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    expect(toLatin1(formatResponseHead(100, []))).toBe("HTTP/1.1 100 \r\n\r\n");
    expect(toLatin1(formatResponseHead(599, []))).toBe("HTTP/1.1 599 \r\n\r\n");
    expect(toLatin1(formatResponseHead(418, []))).toBe("HTTP/1.1 418 \r\n\r\n");
    expect(toLatin1(formatResponseHead(200, [], "Fine"))).toBe("HTTP/1.1 200 Fine\r\n\r\n");
  });

  it.each(REASON_PHRASES)("say %s", (line) => {
    expect(toLatin1(formatResponseHead(Number(line.slice(0, 3)), []))).toBe(
      `HTTP/1.1 ${line}\r\n\r\n`,
    );
  });

  it.each<[string, () => unknown, string]>([
    ["a method", () => formatRequestHead("GE T", "/", []), "method \"GE T\" is not a token"],
    [
      "a target with a space",
      () => formatRequestHead("GET", "/ a", []),
      "\"/ a\" is not a request target",
    ],
    [
      "a target with a line end",
      () => formatRequestHead("GET", "/\r\nX: 1", []),
      "is not a request target",
    ],
    ["an empty target", () => formatRequestHead("GET", "", []), "\"\" is not a request target"],
    [
      "a name",
      () => formatRequestHead("GET", "/", [["A B", "1"]]),
      "header name \"A B\" is not a token",
    ],
    [
      "a value",
      () => formatResponseHead(200, [["A", "1\r\nB: 2"]]),
      "the value of header A is not",
    ],
    [
      "a value past Latin-1",
      () => formatResponseHead(200, [["A", "\u2603"]]),
      "the value of header A is not",
    ],
    [
      "a reason phrase",
      () => formatResponseHead(200, [], "OK\r\nA: 1"),
      "the reason phrase has a character",
    ],
    ["a status below", () => formatResponseHead(99, []), "status 99 is not between 100 and 599"],
    ["a status above", () => formatResponseHead(600, []), "status 600 is not between 100 and 599"],
    [
      "a status without a number",
      () => formatResponseHead(NaN, []),
      "status NaN is not between 100 and 599",
    ],
    [
      "a status between",
      () => formatResponseHead(200.5, []),
      "status 200.5 is not between 100 and 599",
    ],
  ])("refuse %s that must not be sent", (_, call, message) => {
    expect(call).toThrow(UsageError);
    expect(call).toThrow(message);
  });
});
