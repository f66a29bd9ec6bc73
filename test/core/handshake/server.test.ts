// ServerHandshake beyond the table of requests: what the application decides, what comes too early,
// too late or not at all.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { HandshakeError, UsageError } from "../../../core/errors.ts";
import type { HandshakeOptions } from "../../../core/handshake/opened.ts";
import type { AcceptChoice } from "../../../core/handshake/server.ts";
import { MAX_EARLY_BYTES, ServerHandshake } from "../../../core/handshake/server.ts";
import type { HeaderInput } from "../../../core/http/fields.ts";
import { page, request, SAMPLE_ACCEPT } from "../../vectors/handshake-requests.ts";
import { frame, pattern } from "../support.ts";
import { field, latin1, takeMessage, takeText, thrown } from "./support.ts";

const DEADLINE = 10_000;

function reading(options: HandshakeOptions = {}): ServerHandshake {
  return new ServerHandshake(options, 0);
}

function received(text: string = request(), options: HandshakeOptions = {}): ServerHandshake {
  const handshake = reading(options);
  handshake.receive(latin1(text), 0);
  return handshake;
}

/** A request whose head has come but for its last byte. */
function interrupted(): ServerHandshake {
  return received(request().slice(0, -1));
}

describe("ServerHandshake.accept", () => {
  it("writes the 101 of RFC 6455 §1.3", async () => {
    const handshake = received();
    const opened = await handshake.accept();
    expect(takeText(handshake)).toBe(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${SAMPLE_ACCEPT}\r\n\r\n`,
    );
    expect(opened).toMatchObject({ protocol: "", extensions: "" });
    expect(opened.connection.state).toBe("open");
    expect(handshake).toMatchObject({ outputEnded: false, deadline: Infinity, failure: undefined });
  });

  it("opens a server's connection, with the options of the handshake", async () => {
    const handshake = received(request(), { limits: { maxMessageSize: 4 }, text: "bytes" });
    const { connection } = await handshake.accept();
    const events = connection.receive(frame("client", 0x81, "four"), 0);
    expect(events).toEqual([{ type: "utf8", data: latin1("four") }]);
    connection.receive(frame("client", 0x82, pattern(5)), 0);
    expect(connection.closeSent?.code).toBe(1009);
  });

  it("chooses an offered subprotocol, and none of its own accord", async () => {
    const handshake = received(request("Sec-WebSocket-Protocol: a, constructor"));
    expect((await handshake.accept({ protocol: "constructor" })).protocol).toBe("constructor");
    expect(field(takeMessage(handshake), "Sec-WebSocket-Protocol")).toBe("constructor");
    const silent = received(request("Sec-WebSocket-Protocol: a"));
    expect((await silent.accept()).protocol).toBe("");
    expect(field(takeMessage(silent), "Sec-WebSocket-Protocol")).toBeUndefined();
  });

  it("adds the application's fields behind its own", async () => {
    const handshake = received();
    await handshake.accept({ headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]] });
    expect(takeMessage(handshake).fields.slice(3)).toEqual([["Set-Cookie", "a=1"], [
      "Set-Cookie",
      "b=2",
    ]]);
  });

  it.each<[string, AcceptChoice, string]>([
    [
      "a subprotocol that was not offered",
      { protocol: "b" },
      "subprotocol \"b\" was not offered by the client",
    ],
    [
      "a subprotocol in other case",
      { protocol: "A" },
      "subprotocol \"A\" was not offered by the client",
    ],
    [
      "the name of a property",
      { protocol: "constructor" },
      "subprotocol \"constructor\" was not offered by the client",
    ],
    ["an unknown option", { protocl: "a" } as AcceptChoice, "unknown option accept.protocl"],
    [
      "a line end in a value",
      { headers: { "X-A": "1\r\nSet-Cookie: evil=1" } },
      "the value of header X-A",
    ],
    ["a name that is no token", { headers: { "X A": "1" } }, "header name \"X A\" is not a token"],
    ...[
      "Upgrade",
      "connection",
      "Sec-WebSocket-Accept",
      "sec-websocket-protocol",
      "Sec-WebSocket-Extensions",
      "Content-Length",
      "TRANSFER-ENCODING",
    ].map((name): [string, AcceptChoice, string] => [
      `its own ${name}`,
      { headers: { [name]: "1" } },
      `header ${name} is written by the handshake itself`,
    ]),
  ])("refuses %s, and can be called again", async (_, choice, message) => {
    const handshake = received(request("Sec-WebSocket-Protocol: a"));
    const error = await thrown(() => handshake.accept(choice));
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toContain(message);
    expect(takeText(handshake)).toBe("");
    expect((await handshake.accept({ protocol: "a" })).protocol).toBe("a");
  });

  it("is refused before the request, for a plain one, and after an answer", async () => {
    const accepted = received();
    await accepted.accept();
    const rejected = received();
    rejected.reject(403);
    const accepting = received();
    const first = accepting.accept();
    for (
      const handshake of [reading(), interrupted(), received(page()), accepted, rejected, accepting]
    ) {
      const message = "accept needs an upgrade request that was neither accepted nor rejected";
      expect(await thrown(() => handshake.accept())).toEqual(new UsageError(message));
    }
    expect((await first).connection.state).toBe("open");
  });

  it("throws the failure after one, for the application could not know", async () => {
    const late = received();
    late.tick(DEADLINE);
    expect(await thrown(() => late.accept())).toBe(late.failure);
    expect(late.failure).toBeInstanceOf(HandshakeError);
    const accepting = received();
    const accept = accepting.accept();
    accepting.receiveEnd(1);
    expect(await thrown(() => accept)).toBe(accepting.failure);
    expect(takeMessage(accepting).firstLine).toContain("400");
  });

  it("has the answer at once with a synchronous digest", () => {
    const handshake = received(request(), {
      sha1: (text) => createHash("sha1").update(text).digest("base64"),
    });
    void handshake.accept();
    expect(field(takeMessage(handshake), "Sec-WebSocket-Accept")).toBe(SAMPLE_ACCEPT);
  });

  it("gives what came before it, and while it awaited, as the first bytes", async () => {
    const handshake = received(request() + "a");
    handshake.receive(latin1("b"), 1);
    const accept = handshake.accept();
    handshake.receive(latin1("c"), 2);
    expect((await accept).rest).toEqual(latin1("abc"));
    handshake.receive(latin1("d"), 3);
    expect(handshake.takeRest()).toHaveLength(0);
  });
});

describe("ServerHandshake.reject", () => {
  it("answers with status, fields and body, and ends", () => {
    const handshake = received();
    handshake.reject(401, { "WWW-Authenticate": "Basic" }, "Qui êtes-vous ?");
    const answer = takeMessage(handshake);
    expect(answer.firstLine).toBe("HTTP/1.1 401 Unauthorized");
    expect(answer.fields).toEqual([
      ["WWW-Authenticate", "Basic"],
      ["Content-Type", "text/plain; charset=utf-8"],
      ["Content-Length", "16"],
      ["Connection", "close"],
    ]);
    expect(answer.body).toBe("Qui \xc3\xaates-vous ?");
    expect(handshake).toMatchObject({ outputEnded: true, deadline: Infinity, failure: undefined });
  });

  it("leaves the type of a body to who knows it", () => {
    const typed = received();
    typed.reject(403, { "content-type": "application/json" }, "{}");
    expect(field(takeMessage(typed), "Content-Type")).toBe("application/json");
    const bytes = received();
    bytes.reject(403, [], Uint8Array.of(1, 2));
    const answer = takeMessage(bytes);
    expect([field(answer, "Content-Type"), answer.body]).toEqual([undefined, "\x01\x02"]);
  });

  it("answers a plain request too, and one that has not come", () => {
    for (const handshake of [received(page()), reading(), interrupted()]) {
      handshake.reject(426, [["Upgrade", "websocket"]]);
      const answer = takeMessage(handshake);
      expect(answer.firstLine).toBe("HTTP/1.1 426 Upgrade Required");
      expect(field(answer, "Connection")).toBe("close, Upgrade");
      expect(handshake.outputEnded).toBe(true);
    }
  });

  it("says nothing of the type of no body", () => {
    const handshake = received(page());
    handshake.reject(200);
    const answer = takeMessage(handshake);
    expect(answer.fields).toEqual([["Content-Length", "0"], ["Connection", "close"]]);
  });

  it("writes no chunk for no body", () => {
    const handshake = received();
    handshake.reject(403);
    expect(handshake.takeOutput()).toHaveLength(1);
  });

  it("writes no body for HEAD, but its length", () => {
    const handshake = received(page("HEAD / HTTP/1.1"));
    handshake.reject(404, [], "not found");
    const answer = takeMessage(handshake);
    expect([field(answer, "Content-Length"), answer.body]).toEqual(["9", ""]);
  });

  it("writes no length with 204", () => {
    const handshake = received(page());
    handshake.reject(204);
    expect(field(takeMessage(handshake), "Content-Length")).toBeUndefined();
  });

  it.each<[string, string, number, HeaderInput?, string?]>([
    ["an informational status", "status 101 does not end a handshake: use 200-599", 101],
    ["a status above 599", "status 600 is not between 100 and 599", 600],
    ["a status that is no number", "status NaN does not end a handshake: use 200-599", Number.NaN],
    ["a status that is no integer", "status 404.5 is not between 100 and 599", 404.5],
    ["its own Connection", "header connection is written by", 403, { "connection": "keep-alive" }],
    ["its own Content-Length", "header Content-length is written by", 403, {
      "Content-length": "1",
    }],
    ["its own Transfer-Encoding", "header Transfer-Encoding is written by", 403, {
      "Transfer-Encoding": "chunked",
    }],
    ["a line end in a value", "the value of header Location", 302, {
      "Location": "/\r\nSet-Cookie: a",
    }],
    ["a body with 204", "an answer with status 204 has no body", 204, [], "a"],
    ["a body with 304", "an answer with status 304 has no body", 304, [], "a"],
  ])("refuses %s, and can be called again", (_, message, status, headers, body) => {
    const handshake = received();
    expect(() => handshake.reject(status, headers, body)).toThrow(UsageError);
    expect(() => handshake.reject(status, headers, body)).toThrow(message);
    expect(takeText(handshake)).toBe("");
    expect(handshake.outputEnded).toBe(false);
    handshake.reject(403);
    expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 403 Forbidden");
  });

  it("is refused after an answer, and does nothing after a failure", async () => {
    const accepted = received();
    await accepted.accept();
    const rejected = received();
    rejected.reject(403);
    const accepting = received();
    const accept = accepting.accept();
    for (const handshake of [accepted, rejected, accepting]) {
      takeText(handshake);
      expect(() => handshake.reject(403)).toThrow(/accepted or rejected already/);
      expect(takeText(handshake)).toBe("");
    }
    await accept;
    const failed = received(request("-Host"));
    takeText(failed);
    failed.reject(403);
    expect(takeText(failed)).toBe("");
  });
});

describe("ServerHandshake, time", () => {
  it("has the deadline of the handshake, and acts on it when it has passed", () => {
    const handshake = new ServerHandshake({ timeouts: { handshake: 50 } }, 1000);
    expect(handshake.deadline).toBe(1050);
    handshake.tick(1049);
    expect(handshake.failure).toBeUndefined();
    handshake.tick(1050);
    expect(handshake.failure?.fault).toBe("request-overdue");
    expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 408 Request Timeout");
    expect(handshake).toMatchObject({ outputEnded: true, deadline: Infinity });
  });

  it("answers 503 for an application that does not decide", () => {
    const handshake = received();
    handshake.tick(DEADLINE);
    expect(handshake.failure?.fault).toBe("decision-overdue");
    expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 503 Service Unavailable");
  });

  it("has no deadline with Infinity, and none for a plain request", () => {
    expect(reading({ timeouts: { handshake: Infinity } }).deadline).toBe(Infinity);
    const plain = received(page());
    plain.tick(DEADLINE);
    expect(plain).toMatchObject({ deadline: Infinity, failure: undefined });
  });

  it("gives the connection the time of the last input", async () => {
    const handshake = received(request(), { timeouts: { pingInterval: 100 } });
    handshake.tick(500);
    expect((await handshake.accept()).connection.deadline).toBe(600);
  });
});

describe("ServerHandshake, the end of the transport", () => {
  it("answers nobody who said nothing", () => {
    const handshake = reading();
    handshake.receive(new Uint8Array(0), 0);
    handshake.receiveEnd(1);
    expect(handshake.failure?.fault).toBe("request-incomplete");
    expect(takeText(handshake)).toBe("");
    expect(handshake.outputEnded).toBe(true);
  });

  it("answers half a request, and one that was waiting", () => {
    for (const handshake of [interrupted(), received()]) {
      handshake.receiveEnd(1);
      expect(handshake.failure?.fault).toBe("request-incomplete");
      expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 400 Bad Request");
    }
  });

  it("means nothing to a plain request, whose client may wait for its answer", () => {
    const handshake = received(page());
    handshake.receiveEnd(1);
    expect(handshake).toMatchObject({ failure: undefined, outputEnded: false });
  });
});

describe("ServerHandshake, bytes before the answer", () => {
  it("keeps as many as a host can get in one chunk, and fails for more", () => {
    for (const text of [request(), page()]) {
      const handshake = received(text);
      handshake.receive(pattern(MAX_EARLY_BYTES - 1), 1);
      handshake.receive(pattern(1), 1);
      expect(handshake.failure).toBeUndefined();
      handshake.receive(pattern(1), 1);
      expect(handshake.failure?.fault).toBe("early-data-too-large");
      expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 400 Bad Request");
      expect(handshake.takeRest()).toHaveLength(0);
    }
  });

  it("fails at once where they come with the head", () => {
    const handshake = reading();
    const tooMany = "a".repeat(MAX_EARLY_BYTES + 1);
    expect(handshake.receive(latin1(request() + tooMany), 0)).toBeUndefined();
    expect(handshake.failure?.fault).toBe("early-data-too-large");
    expect(handshake.outputEnded).toBe(true);
  });

  it("fails once, and by the head, where that is at fault too", () => {
    const handshake = received(request("-Host") + "a".repeat(MAX_EARLY_BYTES + 1));
    expect(handshake.failure?.fault).toBe("host-missing");
    expect(takeText(handshake).match(/HTTP\/1\.1 400/g)).toHaveLength(1);
  });

  it("gives those of a plain request once each", () => {
    const handshake = received(page("POST / HTTP/1.1", "Content-Length: 5") + "he");
    expect(handshake.takeRest()).toEqual(latin1("he"));
    handshake.receive(latin1("llo"), 1);
    expect(handshake.takeRest()).toEqual(latin1("llo"));
    expect(handshake.takeRest()).toHaveLength(0);
  });
});

describe("ServerHandshake, after its end", () => {
  it("does nothing, whatever comes", async () => {
    const accepted = received();
    await accepted.accept();
    const rejected = received();
    rejected.reject(403);
    const failed = received(request("-Host"));
    for (const handshake of [accepted, rejected, failed]) {
      takeText(handshake);
      const { failure, outputEnded } = handshake;
      expect(handshake.receive(latin1(request()), 1)).toBeUndefined();
      handshake.receiveEnd(2);
      handshake.tick(DEADLINE * 2);
      expect(takeText(handshake)).toBe("");
      expect(handshake).toMatchObject({ failure, outputEnded, deadline: Infinity });
      expect(handshake.takeRest()).toHaveLength(0);
    }
  });
});

describe("ServerHandshake, options", () => {
  it.each<[string, object]>([
    ["handshake.limit", { limit: {} }],
    ["limits.maxHead", { limits: { maxHead: 1 } }],
    ["limits.maxFields", { limits: { maxFields: 0 } }],
    ["timeouts.handshake", { timeouts: { handshake: -1 } }],
    ["deflate.codec", { deflate: {} }],
  ])("refuse %s by name", (name, options) => {
    expect(() => new ServerHandshake(options, 0)).toThrow(UsageError);
    expect(() => new ServerHandshake(options, 0)).toThrow(name);
  });
});
