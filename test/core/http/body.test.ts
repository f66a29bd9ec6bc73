// Bodies: where they end, and the bytes taken out of chunks of either kind.

import { describe, expect, it } from "vitest";
import { Pieces } from "../../../core/bytes.ts";
import type { BodyLength } from "../../../core/http/body.ts";
import {
  BodyReader,
  requestBodyFault,
  requestBodyLength,
  responseBodyLength,
} from "../../../core/http/body.ts";
import { type HeaderField, HeaderFields } from "../../../core/http/fields.ts";
import { latin1, toLatin1 } from "../handshake/support.ts";
import { cuts } from "../support.ts";

const LENGTH: HeaderField = ["Content-Length", "5"];
const CHUNKED: HeaderField = ["Transfer-Encoding", "chunked"];

describe("requestBodyLength", () => {
  it.each<[string, HeaderField[], BodyLength]>([
    ["neither field", [], 0],
    ["a length", [LENGTH], 5],
    ["chunks", [CHUNKED], "chunked"],
    ["a length of 0", [["content-length", "0"]], 0],
  ])("is told by %s", (_, fields, expected) => {
    const headers = new HeaderFields(fields);
    expect(requestBodyFault(headers)).toBeUndefined();
    expect(requestBodyLength(headers)).toBe(expected);
  });
});

describe("requestBodyFault", () => {
  // What one server takes for a length and another does not is how requests are smuggled (RFC 9112
  // §11.2).
  it.each(["", "-1", "+1", "1 2", "5, 5", "0x5", "1e3", "5.0", "a5", "5a", "99999999999999999999"])(
    "refuses the length %j",
    (length) => {
      expect(requestBodyFault(new HeaderFields([["Content-Length", length]]))).toBe(
        "content-length-invalid",
      );
    },
  );

  it.each(["gzip", "gzip, chunked", "chunked, gzip", "xchunked", "chunkedx", ""])(
    "refuses the coding %j",
    (coding) => {
      const headers = new HeaderFields([["Transfer-Encoding", coding]]);
      expect(requestBodyFault(headers)).toBe("transfer-encoding-unsupported");
    },
  );

  it("refuses a length besides chunks, and a second length", () => {
    expect(requestBodyFault(new HeaderFields([LENGTH, CHUNKED]))).toBe("body-length-ambiguous");
    expect(requestBodyFault(new HeaderFields([LENGTH, LENGTH]))).toBe("content-length-invalid");
  });
});

describe("responseBodyLength", () => {
  it.each<[string, number, HeaderField[], BodyLength]>([
    ["neither field", 404, [], "until-end"],
    ["a length", 404, [LENGTH], 5],
    ["chunks", 404, [["Transfer-Encoding", "CHUNKED"]], "chunked"],
    ["chunks and a length, of which the length does not count", 404, [LENGTH, CHUNKED], "chunked"],
    ["another coding", 404, [LENGTH, ["Transfer-Encoding", "gzip"]], "until-end"],
    ["a bad length", 404, [["Content-Length", "5, 6"]], "until-end"],
    ["a length of two digits", 200, [["Content-Length", "25"]], 25],
    ["the status 204", 204, [LENGTH], 0],
    ["the status 304", 304, [LENGTH], 0],
    ["a status below 200", 103, [CHUNKED], 0],
  ])("is told by %s", (_, status, fields, expected) => {
    const headers = new HeaderFields(fields);
    expect(responseBodyLength({ version: "HTTP/1.1", status, statusText: "", headers })).toBe(
      expected,
    );
  });
});

interface Row {
  readonly name: string;
  readonly length: BodyLength;
  readonly wire: string;
  readonly body: string;
  /** What follows the body; `undefined` while it is not complete. */
  readonly rest?: string;
  readonly fault?: true;
}

const ROWS: readonly Row[] = [
  { name: "no body", length: 0, wire: "abc", body: "", rest: "abc" },
  { name: "a length", length: 5, wire: "helloabc", body: "hello", rest: "abc" },
  { name: "a length, cut short", length: 5, wire: "hell", body: "hell" },
  {
    name: "until the end",
    length: "until-end",
    wire: "hello\r\n0\r\n\r\n",
    body: "hello\r\n0\r\n\r\n",
  },
  {
    name: "one chunk",
    length: "chunked",
    wire: "5\r\nhello\r\n0\r\n\r\nabc",
    body: "hello",
    rest: "abc",
  },
  {
    name: "several chunks",
    length: "chunked",
    wire: "2\r\nhe\r\n003\r\nllo\r\n00\r\n\r\n",
    body: "hello",
    rest: "",
  },
  {
    name: "a chunk with line ends in it",
    length: "chunked",
    wire: "4\r\n\r\n\r\n\r\n0\r\n\r\n",
    body: "\r\n\r\n",
    rest: "",
  },
  { name: "no chunk but the last", length: "chunked", wire: "0\r\n\r\n", body: "", rest: "" },
  {
    name: "sizes in either case",
    length: "chunked",
    wire: "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
    body: "01234567890123456789",
    rest: "",
  },
  {
    name: "extensions",
    length: "chunked",
    wire: "5;a=\"b\";c\r\nhello\r\n0 ; d\r\n\r\n",
    body: "hello",
    rest: "",
  },
  {
    name: "a trailer",
    length: "chunked",
    wire: "1\r\na\r\n0\r\nA: 1\r\nB: 2\r\n\r\nabc",
    body: "a",
    rest: "abc",
  },
  { name: "chunks, cut short", length: "chunked", wire: "5\r\nhello\r\n", body: "hello" },
  {
    name: "a size that is no number",
    length: "chunked",
    wire: "5\r\nhello\r\nx\r\n",
    body: "hello",
    fault: true,
  },
  { name: "a size with a sign", length: "chunked", wire: "+5\r\nhello", body: "", fault: true },
  { name: "a size with 0x", length: "chunked", wire: "0x5\r\nhello", body: "", fault: true },
  { name: "an empty size", length: "chunked", wire: "\r\nhello", body: "", fault: true },
  {
    name: "a size of 13 digits",
    length: "chunked",
    wire: "0000000000005\r\nhello\r\n0\r\n\r\n",
    body: "hello",
    rest: "",
  },
  {
    name: "a size of 14 digits",
    length: "chunked",
    wire: "00000000000005\r\nhello",
    body: "",
    fault: true,
  },
  {
    name: "a size line that ends in LF",
    length: "chunked",
    wire: "5\nhello",
    body: "",
    fault: true,
  },
  {
    name: "a chunk longer than its size",
    length: "chunked",
    wire: "4\r\nhello\r\n",
    body: "hell",
    fault: true,
  },
  {
    name: "a chunk that ends in LF",
    length: "chunked",
    wire: "5\r\nhello\n0\r\n",
    body: "hello",
    fault: true,
  },
  {
    name: "an extension without end",
    length: "chunked",
    wire: "5;" + "a".repeat(5000),
    body: "",
    fault: true,
  },
  {
    name: "a trailer without end",
    length: "chunked",
    wire: "0\r\n" + "A: 1\r\n".repeat(2000),
    body: "",
    fault: true,
  },
];

describe("BodyReader", () => {
  it.each(ROWS)("takes the body out, at any cut: $name", ({ length, wire, body, rest, fault }) => {
    for (const { name, chunks } of cuts(latin1(wire))) {
      const reader = new BodyReader(length);
      const pieces = new Pieces();
      for (const chunk of chunks) reader.receive(chunk, pieces);
      expect(toLatin1(pieces.join()), name).toBe(body);
      expect(reader.done, name).toBe(rest !== undefined);
      expect(reader.malformed, name).toBe(fault === true);
    }
  });

  it("takes nothing after a fault", () => {
    const reader = new BodyReader("chunked");
    const pieces = new Pieces();
    reader.receive(latin1("x\r\n"), pieces);
    reader.receive(latin1("5\r\nhello\r\n0\r\n\r\n"), pieces);
    expect(pieces.size).toBe(0);
    expect(reader.done).toBe(false);
  });

  it("is done at once where there is no body, and only there", () => {
    expect(([0, 1, "chunked", "until-end"] as const).map((length) => new BodyReader(length).done))
      .toEqual([
        true,
        false,
        false,
        false,
      ]);
  });

  it("takes a trailer of 4096 bytes, and none that is longer", () => {
    for (const [length, done] of [[4096, true], [4097, false]] as const) {
      const reader = new BodyReader("chunked");
      const lines = ["a".repeat(2000), "b".repeat(length - 2000), ""];
      reader.receive(latin1(`0\r\n${lines.join("\r\n")}\r\n`), new Pieces());
      expect(reader.done, `${length}`).toBe(done);
    }
  });
});
