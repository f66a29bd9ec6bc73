// The list of header fields, the grammars of values, and names that differ only in case.

import { describe, expect, it } from "vitest";
import type { Extension } from "../../../core/http/fields.ts";
import {
  asciiLowerCase,
  equalsIgnoringCase,
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

  // A parser that goes over its text more than once does not end within a test's time on these.
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

describe("HeaderFields.get of repeated fields", () => {
  const fields = new HeaderFields([
    ["Cookie", "a=1"],
    ["Set-Cookie", "c=3, d"],
    ["Accept", "x"],
    ["cookie", "b=2"],
    ["set-cookie", "e=5"],
    ["accept", "y"],
  ]);

  it.each([
    ["Accept", "x, y"],
    ["COOKIE", "a=1; b=2"],
    ["Set-Cookie", "c=3, d"],
  ])("gives %s as %j", (name, value) => {
    expect(fields.get(name)).toBe(value);
  });

  it("leaves every Set-Cookie to getAll", () => {
    expect(fields.getAll("set-cookie")).toEqual(["c=3, d", "e=5"]);
  });
});

describe("equalsIgnoringCase", () => {
  it("ignores the case of ASCII letters, and of nothing else", () => {
    expect(equalsIgnoringCase("Upgrade", "uPGRADE")).toBe(true);
    expect(equalsIgnoringCase("", "")).toBe(true);
    for (
      const [a, b] of [["upgrade", "upgrad"], ["keep", "\u212aeep"], ["É", "é"], ["[", "{"], [
        "@",
        "`",
      ]] as const
    ) {
      expect(equalsIgnoringCase(a, b), `${a} and ${b}`).toBe(false);
    }
  });
});

describe("asciiLowerCase", () => {
  it("maps A to Z, and nothing else", () => {
    expect(asciiLowerCase("AZ az 09 @[`{ \u212aÀÉ")).toBe("az az 09 @[`{ \u212aÀÉ");
  });
});
