// The request of the opening handshake. As a server reads it: every row of the table of requests, in
// every cut, what it is, what it says, and how a refused one is answered. As a client writes it: what
// is written for a URL and options, and what is refused.

import { describe, expect, it } from "vitest";
import { UsageError } from "../../../core/errors.ts";
import { HANDSHAKE_FAULTS, type HandshakeFault } from "../../../core/faults.ts";
import { ClientHandshake, type ClientHandshakeOptions } from "../../../core/handshake/client.ts";
import type { ClientUrl } from "../../../core/handshake/request.ts";
import { ServerHandshake } from "../../../core/handshake/server.ts";
import { HeaderFields, type HeaderInput } from "../../../core/http/fields.ts";
import { HeadReader, parseRequestHead, type RequestHead } from "../../../core/http/head.ts";
import { DEFAULT_LIMITS } from "../../../core/limits.ts";
import type { RequestVector } from "../../vectors/handshake-requests.ts";
import {
  page,
  request,
  REQUESTS,
  SAMPLE_ACCEPT,
  SAMPLE_KEY,
} from "../../vectors/handshake-requests.ts";
import { cuts, join, receiveAll } from "../support.ts";
import {
  failureOf,
  field,
  latin1,
  type Message,
  takeMessage,
  takeText,
  thrown,
  toLatin1,
  URL_PARTS,
} from "./support.ts";

const WITH_REST = "\x81\x80\0\0\0\0GET /";

// RFC 9110 §15.5.6, §15.5.22, RFC 6455 §4.4.
const NAMED_BY_STATUS: Readonly<Record<number, readonly string[]>> = {
  405: ["Allow"],
  426: ["Upgrade", "Sec-WebSocket-Version"],
};

function rowsOf(outcome: "upgrade" | "request"): readonly RequestVector[] {
  return REQUESTS.filter((row) => row.outcome === outcome);
}

function refusals(): readonly RequestVector[] {
  return REQUESTS.filter(({ outcome }) => outcome !== "upgrade" && outcome !== "request");
}

describe("ServerHandshake, table of requests", () => {
  it.each(rowsOf("upgrade"))(
    "reports an upgrade request once, at any cut: $name",
    ({ head, limits, says }) => {
      for (const { name, chunks } of cuts(latin1(head + WITH_REST))) {
        const handshake = new ServerHandshake({ limits }, 0);
        const events = receiveAll(handshake, chunks);
        const wanted = { type: "upgrade", request: { method: "GET", ...says } };
        expect(events, name).toMatchObject([wanted, { type: "early" }]);
        const opened = handshake.accept({}, SAMPLE_ACCEPT)!;
        expect(toLatin1(opened.rest), name).toBe(WITH_REST);
        expect(field(takeMessage(handshake), "Sec-WebSocket-Accept"), name).toBe(SAMPLE_ACCEPT);
      }
    },
  );

  it.each(rowsOf("request"))(
    "reports a request without an upgrade once, at any cut: $name",
    ({ head, limits, says }) => {
      for (const { name, chunks } of cuts(latin1(head + WITH_REST))) {
        const handshake = new ServerHandshake({ limits }, 0);
        const wanted = { type: "request", request: { target: head.split(" ")[1], ...says } };
        expect(receiveAll(handshake, chunks), name).toMatchObject([wanted]);
        expect(handshake, name).toMatchObject({ outputEnded: false, deadline: Infinity });
        expect(takeText(handshake), name).toBe("");
      }
    },
  );

  it.each(refusals())("refuses with $outcome, at any cut: $name", ({ head, limits, outcome }) => {
    const answers = new Set<string>();
    for (const { name, chunks } of cuts(latin1(head + WITH_REST))) {
      const handshake = new ServerHandshake({ limits }, 0);
      const wanted = { type: "failed", error: { fault: outcome } };
      expect(receiveAll(handshake, chunks), name).toMatchObject([wanted]);
      expect(handshake, name).toMatchObject({ outputEnded: true, expired: false });
      answers.add(takeText(handshake));
    }
    expect(answers.size).toBe(1);
  });

  it.each(refusals())(
    "answers $outcome with its status, and closes: $name",
    ({ head, limits, outcome }) => {
      const handshake = new ServerHandshake({ limits }, 0);
      const error = failureOf(handshake.receive(latin1(head), 0))!;
      const rule = HANDSHAKE_FAULTS[outcome as HandshakeFault];
      const answer = takeMessage(handshake);
      expect(answer.firstLine).toMatch(new RegExp(`^HTTP/1\\.1 ${rule.status} [A-Z]`));
      const own = ["Content-Type", "Content-Length", "Connection"];
      const named = NAMED_BY_STATUS[rule.status!] ?? [];
      expect(answer.fields.map(([name]) => name)).toEqual([...named, ...own]);
      expect(field(answer, "Connection")).toMatch(/^close(, Upgrade)?$/);
      expect(field(answer, "Content-Type")).toBe("text/plain; charset=utf-8");
      const text = `${rule.message} (${rule.section})\n`;
      // RFC 9110 §9.3.2: the answer to HEAD has the length of a body, and no body.
      expect(answer.body).toBe(head.startsWith("HEAD ") ? "" : latin1Of(text));
      expect(field(answer, "Content-Length")).toBe(String(latin1Of(text).length));
      expect(error.message).toContain(rule.section);
    },
  );

  it("names the methods in a 405, and the protocol and its version in a 426", () => {
    expect(field(answerTo(request("POST / HTTP/1.1")), "Allow")).toBe("GET");
    expect(field(answerTo(page("POST / HTTP/1.1")), "Allow")).toBe("GET, HEAD, OPTIONS");
    const heads = [
      request("Sec-WebSocket-Version: 8"),
      request("-Sec-WebSocket-Version"),
      request("-Upgrade"),
      request("GET / HTTP/1.0"),
    ];
    for (const head of heads) {
      const answer = answerTo(head);
      expect(answer.firstLine).toBe("HTTP/1.1 426 Upgrade Required");
      expect(field(answer, "Sec-WebSocket-Version")).toBe("13");
      expect(field(answer, "Upgrade")).toBe("websocket");
      // RFC 9110 §7.8: a sender of Upgrade lists it in Connection.
      expect(field(answer, "Connection")).toBe("close, Upgrade");
    }
  });

  it("repeats nothing of the request in an answer", () => {
    const { body, fields } = answerTo(request("Sec-WebSocket-Version: <script>"));
    expect(JSON.stringify([body, fields])).not.toContain("script");
  });

  it("stops at the limit of fields, however many come", () => {
    const handshake = new ServerHandshake({ limits: { maxHeadSize: Infinity } }, 0);
    const lines = latin1("X: y\r\n".repeat(1_000_000));
    const events = handshake.receive(join([latin1("GET / HTTP/1.1\r\n"), lines]), 0);
    expect(failureOf(events)?.fault).toBe("too-many-fields");
  });

  it("stops at the limit of the head, however long it goes on", () => {
    const handshake = new ServerHandshake({}, 0);
    handshake.receive(latin1("GET / HTTP/1.1\r\n"), 0);
    const line = latin1("X: " + "y".repeat(995) + "\r\n");
    const count = Math.ceil(DEFAULT_LIMITS.maxHeadSize / line.length);
    const events = receiveAll(handshake, Array.from({ length: count }, () => line));
    expect(failureOf(events)?.fault).toBe("head-too-large");
  });

  function answerTo(head: string): Message {
    const handshake = new ServerHandshake({}, 0);
    handshake.receive(latin1(head), 0);
    return takeMessage(handshake);
  }

  /** The bytes of the text in UTF-8, as Latin-1. */
  function latin1Of(text: string): string {
    return toLatin1(new TextEncoder().encode(text));
  }
});

describe("ServerHandshake.receiveHead, the same table", () => {
  // What a head reader refuses never comes from an HTTP server.
  const readable = REQUESTS.flatMap((vector) => {
    const parsed = parse(vector.head);
    return typeof parsed === "string" || vector.limits ? [] : [{ ...vector, parsed }];
  });

  function parse(text: string): RequestHead | string {
    const bytes = new HeadReader("request", DEFAULT_LIMITS).receive(latin1(text));
    return bytes instanceof Uint8Array ? parseRequestHead(bytes) : "";
  }

  it.each(readable)("finds $outcome: $name", ({ parsed, outcome, says }) => {
    const handshake = new ServerHandshake({}, 0);
    const events = handshake.receiveHead(parsed, 5);
    expect(events).toHaveLength(1);
    const [event] = events;
    if (outcome === "upgrade") expect(event).toMatchObject({ type: outcome, request: { ...says } });
    else if (outcome === "request") expect(event).toEqual({ type: outcome, request: parsed });
    else expect(event).toMatchObject({ type: "failed", error: { fault: outcome } });
    const refused = outcome !== "upgrade" && outcome !== "request";
    expect(handshake.outputEnded).toBe(refused);
    if (refused) expect(handshake.deadline).toBe(5 + 5000);
  });

  it("checks the target, which an HTTP server may have taken as it came", () => {
    const handshake = new ServerHandshake({}, 0);
    const headers = new HeaderFields([["Host", "a"]]);
    const head = { method: "GET", target: "a b", version: "HTTP/1.1", headers };
    expect(failureOf(handshake.receiveHead(head, 7))?.fault).toBe("target-invalid");
    expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 400 Bad Request");
    expect(handshake.deadline).toBe(7 + 5000);
  });

  it("takes one head", () => {
    const handshake = new ServerHandshake({}, 0);
    const head = parse(request()) as RequestHead;
    expect(handshake.receiveHead(head, 0)).toHaveLength(1);
    expect(handshake.receiveHead(head, 0)).toEqual([]);
  });

  it("takes what came behind the head from receive", () => {
    const handshake = new ServerHandshake({}, 0);
    handshake.receiveHead(parse(request()) as RequestHead, 0);
    expect(handshake.receive(latin1("abc"), 1)).toEqual([{ type: "early" }]);
    expect(toLatin1(handshake.accept({}, SAMPLE_ACCEPT)!.rest)).toBe("abc");
  });

  it("answers a transport that ends after the head, which has begun", () => {
    const handshake = new ServerHandshake({}, 0);
    handshake.receiveHead(parse(request()) as RequestHead, 0);
    expect(failureOf(handshake.receiveEnd(1))?.fault).toBe("request-incomplete");
    expect(takeMessage(handshake).firstLine).toBe("HTTP/1.1 400 Bad Request");
  });

  it("gives the connection its time", () => {
    const handshake = new ServerHandshake({ timeouts: { pingInterval: 100 } }, 0);
    handshake.receiveHead(parse(request()) as RequestHead, 500);
    expect(handshake.accept({}, SAMPLE_ACCEPT)!.connection.deadline).toBe(600);
  });
});

function requestFor(url: ClientUrl, options: Partial<ClientHandshakeOptions> = {}): Message {
  const given = { key: SAMPLE_KEY, accept: SAMPLE_ACCEPT, ...options };
  return takeMessage(new ClientHandshake(url, given, 0));
}

describe("ClientHandshake, the request", () => {
  it("writes the request of RFC 6455 §1.2, and nothing that was not asked for", () => {
    const message = requestFor(URL_PARTS);
    expect(message.firstLine).toBe("GET /chat HTTP/1.1");
    expect(message.fields).toEqual([
      ["Host", "server.example.com"],
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Key", SAMPLE_KEY],
      ["Sec-WebSocket-Version", "13"],
    ]);
    expect(message.body).toBe("");
  });

  it("sends the key that it is given", () => {
    const key = "AAAAAAAAAAAAAAAAAAAAAA==";
    expect(field(requestFor(URL_PARTS, { key }), "Sec-WebSocket-Key")).toBe(key);
  });

  it.each([undefined, "", "abc", `${SAMPLE_KEY}=`, "dGhlIHNhbXBsZSBub25j\r\n=="])(
    "refuses the key %j, and says what makes one",
    (key) => {
      const message = `key is ${JSON.stringify(key)}; it takes what createKey makes`;
      const call = (): Message => requestFor(URL_PARTS, { key: key as string });
      expect(thrown(call)).toEqual(new UsageError(message));
    },
  );

  it.each([
    ["ws://example.com", "/", "example.com"],
    ["ws://example.com:80/", "/", "example.com"],
    ["wss://example.com:443/a/b?c=d&e", "/a/b?c=d&e", "example.com"],
    ["wss://example.com:8443?x", "/?x", "example.com:8443"],
    ["http://[::1]:8080/%7Ea b", "/%7Ea%20b", "[::1]:8080"],
    ["https://bücher.example/ü", "/%C3%BC", "xn--bcher-kva.example"],
  ])("takes target and Host of %s from its URL", (url, target, host) => {
    const message = requestFor(new URL(url));
    expect([message.firstLine, field(message, "Host")]).toEqual([`GET ${target} HTTP/1.1`, host]);
  });

  it("writes a path for a URL without one", () => {
    expect(requestFor({ ...URL_PARTS, pathname: "" }).firstLine).toBe("GET / HTTP/1.1");
  });

  it("offers the subprotocols in order", () => {
    const message = requestFor(URL_PARTS, {
      protocols: ["chat", "constructor", "__proto__"],
    });
    expect(field(message, "Sec-WebSocket-Protocol")).toBe("chat, constructor, __proto__");
    expect(field(requestFor(URL_PARTS, { protocols: [] }), "Sec-WebSocket-Protocol"))
      .toBeUndefined();
  });

  it("sends the credentials of the URL, unless there are others", () => {
    const url = { ...URL_PARTS, username: "Aladdin", password: "open%20sesame" };
    expect(field(requestFor(url), "Authorization")).toBe(
      "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    );
    expect(field(requestFor({ ...URL_PARTS, username: "a" }), "Authorization")).toBe(
      "Basic YTo=",
    );
    expect(field(requestFor({ ...URL_PARTS, password: "b" }), "Authorization")).toBe(
      "Basic OmI=",
    );
    expect(field(requestFor({ ...URL_PARTS, username: "", password: "" }), "Authorization"))
      .toBeUndefined();
    expect(
      field(requestFor(url, { headers: { authorization: "Bearer x" } }), "authorization"),
    ).toBe("Bearer x");
    const cookie = requestFor(url, { headers: { Cookie: "a=1" } });
    expect(field(cookie, "Authorization")).toBe("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  });

  it.each<[string, HeaderInput]>([
    ["a list", [["Cookie", "a=1"], ["X-A", "\xe9"]]],
    ["an object", { "Cookie": "a=1", "X-A": "\xe9" }],
    ["HeaderFields", new HeaderFields([["Cookie", "a=1"], ["X-A", "\xe9"]])],
  ])("adds the fields of %s behind its own", (_, headers) => {
    const message = requestFor(URL_PARTS, { headers });
    expect(message.fields.slice(5)).toEqual([["Cookie", "a=1"], ["X-A", "\xe9"]]);
  });

  it.each<[string, Partial<ClientUrl>, string]>([
    [
      "another scheme",
      { protocol: "ftp:" },
      "\"ftp:\" is not the scheme of a WebSocket: use ws: or wss:",
    ],
    [
      "a fragment",
      { hash: "#a" },
      "the URL of a WebSocket has no fragment (RFC 6455 §3); write # as %23",
    ],
    ["no host", { host: "" }, "\"\" is not a host with an optional port"],
    [
      "a host with a line end",
      { host: "a\r\nX: 1" },
      "\"a\\r\\nX: 1\" is not a host with an optional port",
    ],
    ["a host with a user name", { host: "a@b" }, "\"a@b\" is not a host with an optional port"],
    [
      "a path with a space",
      { pathname: "/a b" },
      "\"/a b\" is not a request target (RFC 9112 §3.2)",
    ],
    [
      "a path with a line end",
      { pathname: "/ HTTP/1.1\r\nX: 1\r\n\r\n" },
      "\"/ HTTP/1.1\\r\\nX: 1\\r\\n\\r\\n\" is not a request target (RFC 9112 §3.2)",
    ],
    [
      "a query with a fragment in it",
      { search: "?a#b" },
      "\"/chat?a#b\" is not a request target (RFC 9112 §3.2)",
    ],
    [
      "credentials that are not percent-encoded",
      { username: "%" },
      "the user name or password in the URL is not percent-encoded UTF-8",
    ],
  ])("refuses a URL with %s, and says why", (_, parts, message) => {
    expect(thrown(() => requestFor({ ...URL_PARTS, ...parts }))).toEqual(
      new UsageError(message),
    );
  });

  it.each<[string, readonly unknown[], string]>([
    ["is no token", ["a b"], "subprotocol \"a b\" is not a token (RFC 6455 §4.1)"],
    ["is empty", [""], "subprotocol \"\" is not a token (RFC 6455 §4.1)"],
    ["has a comma in it", ["a,b"], "subprotocol \"a,b\" is not a token (RFC 6455 §4.1)"],
    ["is no string", [1], "subprotocol 1 is not a token (RFC 6455 §4.1)"],
    ["stands there twice", ["a", "b", "a"], "a subprotocol is offered twice (RFC 6455 §4.1)"],
  ])("refuses a subprotocol that %s, and says so", (_, protocols, message) => {
    const given = protocols as readonly string[];
    expect(thrown(() => requestFor(URL_PARTS, { protocols: given }))).toEqual(
      new UsageError(message),
    );
  });

  it.each<[string, Partial<ClientHandshakeOptions>]>([
    ["a line end in a value", { headers: { "X-A": "1\r\nX-B: 2" } }],
    ["a value past Latin-1", { headers: { "X-A": "\u2603" } }],
    ["a name that is no token", { headers: { "X A": "1" } }],
    ["an unknown option", { protocol: "a" } as Partial<ClientHandshakeOptions>],
    ["an unknown limit", { limits: { maxSize: 1 } as object }],
    ...[
      "Host",
      "upgrade",
      "CONNECTION",
      "Content-Length",
      "Transfer-Encoding",
      "Sec-WebSocket-Key",
      "sec-websocket-protocol",
    ]
      .map((name): [string, Partial<ClientHandshakeOptions>] => [
        `its own ${name}`,
        { headers: { [name]: "1" } },
      ]),
  ])("refuses %s", (_, options) => {
    expect(thrown(() => requestFor(URL_PARTS, options))).toBeInstanceOf(UsageError);
  });
});
