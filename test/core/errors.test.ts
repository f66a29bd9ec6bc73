// The errors for a broken rule: what they say, and what they carry.

import { describe, expect, it } from "vitest";
import { InflateLimitError } from "../../core/deflate/codec.ts";
import { HandshakeAnswer, HandshakeError, ProtocolError, UsageError } from "../../core/errors.ts";
import { HeaderFields } from "../../core/http/fields.ts";
import { hex } from "./support.ts";

function answerWith(body: Uint8Array): HandshakeAnswer {
  const headers = new HeaderFields([]);
  return new HandshakeAnswer({ status: 403, statusText: "", headers }, body);
}

describe("HandshakeError", () => {
  it("says the rule and its section", () => {
    const error = new HandshakeError("answer-incomplete");
    expect(error).toMatchObject({
      name: "HandshakeError",
      fault: "answer-incomplete",
      section: "RFC 6455 §4.1",
    });
    expect(error.message).toBe(
      "the transport ended before the answer was complete (RFC 6455 §4.1)",
    );
  });

  it("says a detail between them", () => {
    const error = new HandshakeError("status-not-101", "403 Forbidden");
    expect(error.message).toBe(
      "the server did not switch protocols: 403 Forbidden (RFC 6455 §4.1)",
    );
  });

  it("has an answer and a cause only where they are given", () => {
    expect(new HandshakeError("answer-incomplete").answer).toBeUndefined();
    expect("cause" in new HandshakeError("answer-incomplete")).toBe(false);
    const answer = answerWith(hex(""));
    const cause = new Error("reset");
    const error = new HandshakeError("status-not-101", undefined, answer, cause);
    expect(error.answer).toBe(answer);
    expect(error.cause).toBe(cause);
  });
});

describe("HandshakeAnswer", () => {
  it("is what the head says, with a body that may be absent", () => {
    const headers = new HeaderFields([["A", "1"]]);
    const head = { status: 403, statusText: "No", headers };
    expect({ ...new HandshakeAnswer(head) }).toEqual({
      status: 403,
      statusText: "No",
      headers,
      body: hex(""),
    });
    expect(new HandshakeAnswer(head).headers).toBe(headers);
    const body = hex("00");
    expect(new HandshakeAnswer(head, body).body).toBe(body);
  });

  it("reads its body as UTF-8, with U+FFFD for what is none", () => {
    expect(answerWith(hex("")).text()).toBe("");
    expect(answerWith(hex("efbbbf c3a9")).text()).toBe("\ufeffé");
    expect(answerWith(hex("61 ff 62")).text()).toBe("a\ufffdb");
  });
});

describe("ProtocolError", () => {
  it("says the rule and its section, and the code for it", () => {
    const error = new ProtocolError("text-not-utf8");
    expect(error).toMatchObject({ name: "ProtocolError", violation: "text-not-utf8", code: 1007 });
    expect(error.message).toBe("a text message is not valid UTF-8 (RFC 6455 §8.1)");
  });
});

describe("UsageError", () => {
  it("is an Error by its own name", () => {
    expect(new UsageError("no")).toMatchObject({ name: "UsageError", message: "no" });
    expect(new UsageError("no")).toBeInstanceOf(Error);
  });
});

describe("InflateLimitError", () => {
  it("is an Error by its own name", () => {
    expect(new InflateLimitError()).toMatchObject({ name: "InflateLimitError" });
  });
});
