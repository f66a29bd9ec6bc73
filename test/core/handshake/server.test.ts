// ServerHandshake beyond the table of requests: what the application decides, what comes too early,
// too late or not at all, and the time that a refused peer has to leave.

import { describe, expect, it } from "vitest";
import { HandshakeError, UsageError } from "../../../core/errors.ts";
import type { HandshakeOptions } from "../../../core/handshake/options.ts";
import type { AcceptChoice } from "../../../core/handshake/server.ts";
import { MAX_EARLY_BYTES, ServerHandshake } from "../../../core/handshake/server.ts";
import type { HeaderInput } from "../../../core/http/fields.ts";
import { LINGER } from "../../../core/machine.ts";
import { page, request, SAMPLE_ACCEPT } from "../../vectors/handshake-requests.ts";
import { frame, pattern } from "../support.ts";
import { failureOf, field, latin1, takeMessage, takeText, thrown } from "./support.ts";

const DEADLINE = 10_000;

function reading(options: HandshakeOptions = {}): ServerHandshake {
  return new ServerHandshake(options, 0);
}

function received(text: string = request(), options: HandshakeOptions = {}): ServerHandshake {
  const handshake = reading(options);
  handshake.receive(latin1(text), 0);
  return handshake;
}

/** A request without the last byte of its head. */
function interrupted(): ServerHandshake {
  return received(request().slice(0, -1));
}

function accepted(): ServerHandshake {
  const handshake = received();
  handshake.accept({}, SAMPLE_ACCEPT);
  return handshake;
}

function rejected(): ServerHandshake {
  const handshake = received();
  handshake.reject(403);
  return handshake;
}

describe("ServerHandshake.accept", () => {
  it("writes the 101 of RFC 6455 §1.3", () => {
    const handshake = received();
    const opened = handshake.accept({}, SAMPLE_ACCEPT)!;
    const { pendingOutput } = handshake;
    const text = takeText(handshake);
    expect(text).toBe(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${SAMPLE_ACCEPT}\r\n\r\n`,
    );
    expect(pendingOutput).toBe(text.length);
    expect(opened).toMatchObject({ protocol: "", extensions: "" });
    expect(opened.connection.state).toBe("open");
    const after = { outputEnded: false, expired: false, deadline: Infinity, pendingOutput: 0 };
    expect(handshake).toMatchObject(after);
  });

  it("answers with the accept value that it is given", () => {
    const handshake = received();
    handshake.accept({}, "another=");
    expect(field(takeMessage(handshake), "Sec-WebSocket-Accept")).toBe("another=");
  });

  it("opens a server's connection, with the options of the handshake", () => {
    const handshake = received(request(), { limits: { maxMessageSize: 4 }, text: "bytes" });
    const { connection } = handshake.accept({}, SAMPLE_ACCEPT)!;
    const events = connection.receive(frame("client", 0x81, "four"), 0);
    expect(events).toEqual([{ type: "utf8", data: latin1("four") }]);
    connection.receive(frame("client", 0x82, pattern(5)), 0);
    expect(connection.closeSent?.code).toBe(1009);
  });

  it("chooses an offered subprotocol, and none of its own accord", () => {
    const handshake = received(request("Sec-WebSocket-Protocol: a, constructor"));
    const opened = handshake.accept({ protocol: "constructor" }, SAMPLE_ACCEPT);
    expect(opened?.protocol).toBe("constructor");
    expect(field(takeMessage(handshake), "Sec-WebSocket-Protocol")).toBe("constructor");
    const silent = received(request("Sec-WebSocket-Protocol: a"));
    expect(silent.accept({}, SAMPLE_ACCEPT)?.protocol).toBe("");
    expect(field(takeMessage(silent), "Sec-WebSocket-Protocol")).toBeUndefined();
  });

  it("adds the application's fields behind its own", () => {
    const handshake = received();
    handshake.accept(
      { headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]] },
      SAMPLE_ACCEPT,
    );
    expect(takeMessage(handshake).fields.slice(3)).toEqual([
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ]);
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
  ])("refuses %s, and can be called again", (_, choice, message) => {
    const handshake = received(request("Sec-WebSocket-Protocol: a"));
    const error = thrown(() => handshake.accept(choice, SAMPLE_ACCEPT));
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toContain(message);
    expect(takeText(handshake)).toBe("");
    expect(handshake.accept({ protocol: "a" }, SAMPLE_ACCEPT)?.protocol).toBe("a");
  });

  it("is refused before the request, without an upgrade, and after an answer", () => {
    for (
      const handshake of [reading(), interrupted(), received(page()), accepted(), rejected()]
    ) {
      takeText(handshake);
      const message = "accept needs an upgrade request that was not answered yet";
      const call = (): unknown => handshake.accept({}, SAMPLE_ACCEPT);
      expect(thrown(call)).toEqual(new UsageError(message));
      expect(takeText(handshake)).toBe("");
    }
  });

  it("returns undefined after a failure, which the application could not know of", () => {
    const late = received();
    expect(late.tick(DEADLINE)).toHaveLength(1);
    const left = received();
    expect(left.receiveEnd(1)).toHaveLength(1);
    const refused = received(request("-Host"));
    for (const handshake of [late, left, refused]) {
      takeText(handshake);
      expect(handshake.accept({}, SAMPLE_ACCEPT)).toBeUndefined();
      expect(handshake.accept({ protocol: "not offered" }, SAMPLE_ACCEPT)).toBeUndefined();
      expect(takeText(handshake)).toBe("");
    }
  });

  it("gives what came before it as the first bytes, and takes no more", () => {
    const handshake = received(request() + "a");
    handshake.receive(latin1("b"), 1);
    expect(handshake.accept({}, SAMPLE_ACCEPT)?.rest).toEqual(latin1("ab"));
    expect(handshake.receive(pattern(MAX_EARLY_BYTES + 1), 3)).toEqual([]);
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
    expect(handshake).toMatchObject({ outputEnded: true, expired: false, deadline: LINGER });
  });

  it("writes no type where the caller gives one, nor for bytes", () => {
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

  it("writes no type without a body", () => {
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
    expect(handshake.outputEnded).toBe(true);
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

  it("is refused after an answer, and does nothing after a failure", () => {
    for (const handshake of [accepted(), rejected()]) {
      takeText(handshake);
      expect(() => handshake.reject(403)).toThrow(
        new UsageError("the request was accepted or rejected already"),
      );
      expect(takeText(handshake)).toBe("");
    }
    const failed = received(request("-Host"));
    takeText(failed);
    failed.reject(403);
    failed.reject(99);
    expect(takeText(failed)).toBe("");
  });
});

describe("ServerHandshake, Date", () => {
  const date = (): string => "Sun, 06 Nov 1994 08:49:37 GMT";

  it("is the first of the added fields, in every answer", () => {
    const switched = received(request(), { date });
    switched.accept({ headers: { "X-A": "1" } }, SAMPLE_ACCEPT);
    expect(takeMessage(switched).fields.slice(3)).toEqual([["Date", date()], ["X-A", "1"]]);
    const answered = received(page(), { date });
    answered.reject(404, { "X-A": "1" });
    expect(takeMessage(answered).fields.slice(0, 2)).toEqual([["Date", date()], ["X-A", "1"]]);
    const refused = received(request("-Host"), { date });
    expect(takeMessage(refused).fields[0]).toEqual(["Date", date()]);
    const late = reading({ date });
    late.receive(latin1("GET"), 0);
    late.tick(DEADLINE);
    expect(field(takeMessage(late), "Date")).toBe(date());
  });

  it("is asked for at the answer, once for each", () => {
    let calls = 0;
    const options = { date: () => `${++calls}` };
    const first = received(page(), options);
    const second = received(page(), options);
    expect(calls).toBe(0);
    second.reject(404);
    first.reject(404);
    expect([second, first].map((one) => field(takeMessage(one), "Date"))).toEqual(["1", "2"]);
  });

  it("gives way to a Date of the application's own", () => {
    const unused = (): never => expect.unreachable();
    const switched = received(request(), { date: unused });
    switched.accept({ headers: { "date": "mine" } }, SAMPLE_ACCEPT);
    const answered = received(page(), { date: unused });
    answered.reject(404, [["DATE", "mine"]]);
    for (const handshake of [switched, answered]) {
      expect(field(takeMessage(handshake), "Date")).toBe("mine");
    }
  });

  it("is checked like every field", () => {
    const handshake = received(page(), { date: () => "a\r\nX: 1" });
    expect(() => handshake.reject(404)).toThrow(UsageError);
    expect(takeText(handshake)).toBe("");
  });

  it("is absent without the option (RFC 9110 §6.6.1)", () => {
    for (const handshake of [accepted(), rejected(), received(request("-Host"))]) {
      expect(field(takeMessage(handshake), "Date")).toBeUndefined();
    }
  });
});

describe("ServerHandshake, time", () => {
  it("has the deadline of the handshake, and acts on it when it has passed", () => {
    const handshake = new ServerHandshake({ timeouts: { handshake: 50 } }, 1000);
    handshake.receive(latin1("GET"), 1000);
    expect(handshake.deadline).toBe(1050);
    expect(handshake.tick(1049)).toEqual([]);
    expect(handshake).toMatchObject({ outputEnded: false, deadline: 1050, pendingOutput: 0 });
    const error = failureOf(handshake.tick(1050));
    expect(error).toBeInstanceOf(HandshakeError);
    expect(error?.fault).toBe("request-overdue");
    expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 408 Request Timeout");
    expect(handshake).toMatchObject({ outputEnded: true, deadline: 1050 + LINGER });
  });

  it("gives no answer to silence: a load balancer connects in advance", () => {
    const handshake = new ServerHandshake({ timeouts: { handshake: 50 } }, 1000);
    expect(failureOf(handshake.tick(1050))?.fault).toBe("request-overdue");
    expect(handshake).toMatchObject({ outputEnded: true, pendingOutput: 0 });
  });

  it.each(["OPTIONS / HTTP/1.0", "OPTIONS * HTTP/1.1"])(
    "answers %s by itself with 204, as health checks want it",
    (line) => {
      const handshake = new ServerHandshake({}, 0);
      expect(handshake.receive(latin1(`${line}\r\nHost: a\r\n\r\n`), 0)).toEqual([]);
      const answer = takeMessage(handshake);
      expect(answer.firstLine).toBe("HTTP/1.1 204 No Content");
      expect(field(answer, "Allow")).toBe("GET, HEAD, OPTIONS");
      expect(handshake.outputEnded).toBe(true);
    },
  );

  it("answers 503 for an application that does not decide", () => {
    const handshake = received();
    expect(handshake.deadline).toBe(DEADLINE);
    expect(failureOf(handshake.tick(DEADLINE))?.fault).toBe("decision-overdue");
    expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 503 Service Unavailable");
  });

  it("has no deadline with Infinity, and none for a request without an upgrade", () => {
    expect(reading({ timeouts: { handshake: Infinity } }).deadline).toBe(Infinity);
    const plain = received(page());
    expect(plain.tick(DEADLINE)).toEqual([]);
    expect(plain).toMatchObject({ deadline: Infinity, outputEnded: false, expired: false });
  });

  it("gives the connection the time of the last input, or another one", () => {
    const options = { timeouts: { pingInterval: 100 } };
    const handshake = received(request(), options);
    handshake.tick(500);
    expect(handshake.accept({}, SAMPLE_ACCEPT)?.connection.deadline).toBe(600);
    const later = received(request(), options);
    expect(later.accept({}, SAMPLE_ACCEPT, 700)?.connection.deadline).toBe(800);
    const early = received(request(), options);
    early.receive(latin1("a"), 300);
    expect(early.accept({}, SAMPLE_ACCEPT)?.connection.deadline).toBe(400);
  });
});

// RFC 9112 §9.6: a transport that is dropped at once can take the answer with it.
describe("ServerHandshake, after its last answer", () => {
  it("gives the peer 5 seconds to end the transport", () => {
    expect(LINGER).toBe(5000);
    const bad = reading();
    bad.receive(latin1("\0"), 100);
    const silent = reading();
    silent.receiveEnd(100);
    const half = interrupted();
    half.receiveEnd(100);
    const refused = received();
    refused.tick(100);
    refused.reject(403);
    const plain = received(page());
    plain.receive(latin1("more"), 100);
    plain.reject(404);
    for (const handshake of [bad, silent, half, refused, plain]) {
      takeText(handshake);
      expect(handshake).toMatchObject({ outputEnded: true, expired: false, deadline: 5100 });
      expect(handshake.tick(5099)).toEqual([]);
      expect(handshake.expired).toBe(false);
      expect(handshake.tick(5100)).toEqual([]);
      expect(handshake).toMatchObject({ outputEnded: true, expired: true, deadline: Infinity });
      expect(handshake.pendingOutput).toBe(0);
    }
  });

  it("does nothing, whatever comes", () => {
    for (const handshake of [accepted(), rejected(), received(request("-Host"))]) {
      takeText(handshake);
      const { outputEnded, deadline } = handshake;
      expect(handshake.receive(latin1(request()), 1)).toEqual([]);
      expect(handshake.receiveEnd(2)).toEqual([]);
      expect(handshake).toMatchObject({ outputEnded, deadline, expired: false });
      expect(handshake.tick(DEADLINE * 2)).toEqual([]);
      expect(takeText(handshake)).toBe("");
      expect(handshake).toMatchObject({ outputEnded, deadline: Infinity, expired: outputEnded });
    }
  });
});

describe("ServerHandshake, the end of the transport", () => {
  it("writes no answer where no byte had come", () => {
    const handshake = reading();
    handshake.receive(new Uint8Array(0), 0);
    expect(failureOf(handshake.receiveEnd(1))?.fault).toBe("request-incomplete");
    expect(takeText(handshake)).toBe("");
    expect(handshake.outputEnded).toBe(true);
  });

  it("answers half a request, and one that was waiting", () => {
    for (const handshake of [interrupted(), received()]) {
      expect(failureOf(handshake.receiveEnd(1))?.fault).toBe("request-incomplete");
      expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 400 Bad Request");
    }
  });

  it("means nothing to a request without an upgrade: its client may wait for the answer", () => {
    const handshake = received(page());
    expect(handshake.receiveEnd(1)).toEqual([]);
    expect(handshake).toMatchObject({ outputEnded: false, deadline: Infinity });
    handshake.reject(404);
    expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 404 Not Found");
  });
});

describe("ServerHandshake, bytes before the answer", () => {
  it("keeps as many as a host can get in one chunk, and fails for more", () => {
    const handshake = received();
    expect(handshake.receive(pattern(MAX_EARLY_BYTES - 1), 1)).toEqual([{ type: "early" }]);
    expect(handshake.receive(pattern(1), 1)).toEqual([]);
    expect(failureOf(handshake.receive(pattern(1), 1))?.fault).toBe("early-data-too-large");
    expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 400 Bad Request");
  });

  it("are told of once, so that a host can stop reading", () => {
    const handshake = received();
    expect(handshake.receive(new Uint8Array(0), 1)).toEqual([]);
    expect(handshake.receive(pattern(1), 1)).toEqual([{ type: "early" }]);
    expect(handshake.receive(pattern(1), 1)).toEqual([]);
  });

  it("fails at once, and only, where they come with the head", () => {
    const handshake = reading();
    const events = handshake.receive(latin1(request() + "a".repeat(MAX_EARLY_BYTES + 1)), 0);
    expect(events).toMatchObject([{ type: "failed", error: { fault: "early-data-too-large" } }]);
    expect(handshake.outputEnded).toBe(true);
  });

  it("fails once, and by the head, where that is at fault too", () => {
    const handshake = reading();
    const text = request("-Host") + "a".repeat(MAX_EARLY_BYTES + 1);
    const events = handshake.receive(latin1(text), 0);
    expect(events).toMatchObject([{ type: "failed", error: { fault: "host-missing" } }]);
    expect(takeText(handshake).match(/HTTP\/1\.1 400/g)).toHaveLength(1);
  });

  it("drops those behind a request without an upgrade, however many: no body is read", () => {
    const handshake = received(page("GET / HTTP/1.1", "Content-Length: 5") + "hello");
    for (let i = 0; i < 3; i++) expect(handshake.receive(pattern(MAX_EARLY_BYTES), 1)).toEqual([]);
    handshake.reject(404);
    expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 404 Not Found");
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
