// The list of header fields, the grammars of values, and what is refused for writing.

import { describe, expect, it } from "vitest";
import { UsageError } from "../../../core/errors.ts";
import type { Extension, HeaderInput } from "../../../core/http/fields.ts";
import {
  checkFields,
  HeaderFields,
  isToken,
  parseExtensions,
  parseTokenList,
  splitList,
  trimSpace,
} from "../../../core/http/fields.ts";

describe("HeaderFields", () => {
  const fields = new HeaderFields([["Host", "a"], ["X-List", "1, 2"], ["x-list", "3"], [
    "__proto__",
    "p",
  ]]);

  it("finds a name in any case", () => {
    expect(fields.get("hOST")).toBe("a");
    expect(fields.has("HOST")).toBe(true);
    expect(fields.has("hos")).toBe(false);
  });

  it("joins repeated fields in order, and gives each of them", () => {
    expect(fields.get("X-List")).toBe("1, 2, 3");
    expect(fields.getAll("X-LIST")).toEqual(["1, 2", "3"]);
    expect(fields.repeats("x-list")).toBe(true);
    expect(fields.repeats("host")).toBe(false);
    expect(fields.repeats("other")).toBe(false);
  });

  it("keeps the fields in order, with their names as sent", () => {
    expect([...fields].map(([name]) => name)).toEqual(["Host", "X-List", "x-list", "__proto__"]);
    expect(fields.size).toBe(4);
  });

  it("knows no field by the name of an object's property unless it was sent", () => {
    for (const name of ["constructor", "toString", "hasOwnProperty", "length", "0"]) {
      expect(fields.get(name), name).toBeUndefined();
      expect(fields.has(name), name).toBe(false);
      expect(fields.getAll(name), name).toEqual([]);
    }
    expect(fields.get("__proto__")).toBe("p");
  });
});

describe("isToken", () => {
  it("takes what RFC 9110 §5.6.2 lists, and nothing else", () => {
    const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter(isToken)
      .join("");
    expect(all).toBe(
      "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~",
    );
    expect(isToken("")).toBe(false);
    expect(isToken("a\n")).toBe(false);
    expect(isToken("\u212a")).toBe(false);
  });
});

describe("trimSpace", () => {
  it("takes spaces and tabs off both ends, and no other white space", () => {
    expect(trimSpace(" \t a b\t ")).toBe("a b");
    expect(trimSpace(" \t ")).toBe("");
    expect(trimSpace("\xa0a\v")).toBe("\xa0a\v");
  });
});

describe("splitList and parseTokenList", () => {
  it.each([
    ["a", ["a"]],
    ["a,b", ["a", "b"]],
    [" a\t,\tb ", ["a", "b"]],
    [",, a,,b ,", ["a", "b"]],
    ["keep-alive, Upgrade", ["keep-alive", "Upgrade"]],
    ["__proto__,constructor", ["__proto__", "constructor"]],
  ])("reads %j", (value, expected) => {
    expect(splitList(value)).toEqual(expected);
    expect(parseTokenList(value)).toEqual(expected);
  });

  it.each(["", " ", ",", "a b", "a;b", "\"a\"", "a, b/1", "\xe9"])(
    "finds no list of tokens in %j",
    (value) => {
      expect(parseTokenList(value)).toBeUndefined();
    },
  );

  it("keeps an element that is no token in splitList, as Upgrade may have one", () => {
    expect(splitList("h2c, HTTP/2.0")).toEqual(["h2c", "HTTP/2.0"]);
  });
});

describe("parseExtensions", () => {
  const one = (name: string, ...params: Extension["params"]): Extension => ({ name, params });

  it.each<[string, Extension[]]>([
    ["a", [one("a")]],
    ["a, b", [one("a"), one("b")]],
    ["a;b", [one("a", ["b", undefined])]],
    ["a; b=1; c", [one("a", ["b", "1"], ["c", undefined])]],
    ["a ; b = 1 ,\tc", [one("a", ["b", "1"]), one("c")]],
    ["a; b=\"1\"", [one("a", ["b", "1", true])]],
    ["a; b=\"\\1\\2\"", [one("a", ["b", "12", true])]],
    ["a; b=\"1\";c=2", [one("a", ["b", "1", true], ["c", "2"])]],
    ["a; b=1; b=2, a", [one("a", ["b", "1"], ["b", "2"]), one("a")]],
    [", a,, b ,", [one("a"), one("b")]],
    ["constructor; __proto__=1", [one("constructor", ["__proto__", "1"])]],
    ["permessage-deflate; client_max_window_bits", [
      one("permessage-deflate", ["client_max_window_bits", undefined]),
    ]],
  ])("reads %j", (value, expected) => {
    expect(parseExtensions(value)).toEqual(expected);
  });

  // The last ones: §9.1 wants a token in the quotes.
  it.each([
    ...[
      "",
      " ",
      ",",
      ",,",
      ";",
      ";a",
      "=",
      "a b",
      "a;",
      "a; ",
      "a;;b",
      "a; =1",
      "a; b=",
      "a; b=,c",
      "a; b=1 2",
      "a; b==1",
      "\"a\"",
    ],
    ...[
      "a; \"b\"",
      "a; b=\"1",
      "a; b=\"1\\",
      "a; b=\"1\\\"",
      "a; b=1\"2\"",
      "a; b=\"1\"2",
      "a/b",
      "\xe9",
      "a; b=\xe9",
    ],
    ...["a; b=\"\"", "a; b=\"1 2\"", "a; b=\"1,2\"", "a; b=\"\\\"\"", "a; b=\"\xe9\""],
  ])("finds no extensions in %j", (value) => {
    expect(parseExtensions(value)).toBeUndefined();
  });

  // Whatever goes over its text more than once does not end within the time of a test on these.
  it.each([
    ["an open quote full of backslashes", "a; b=\"" + "\\".repeat(1_000_000)],
    ["an open quote full of escapes", "a; b=\"" + "\\a".repeat(500_000)],
    ["spaces", "a" + " ".repeat(1_000_000) + "b"],
    ["commas", ",".repeat(1_000_000)],
    ["parameters, and none at the end", "a" + "; b=1".repeat(200_000) + ";"],
  ])("is linear for %s", (_, value) => {
    expect(parseExtensions(value)).toBeUndefined();
  });
});

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
