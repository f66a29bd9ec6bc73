// The request of a client: what is written for a URL and options, and what is refused.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../../core/errors.ts";
import { acceptKey, isKey } from "../../../core/handshake/accept.ts";
import { ClientHandshake, type ClientHandshakeOptions } from "../../../core/handshake/client.ts";
import type { ClientUrl } from "../../../core/handshake/offer.ts";
import { HeaderFields, type HeaderInput } from "../../../core/http/fields.ts";
import { answer } from "../../vectors/handshake-answers.ts";
import { field, latin1, type Message, takeMessage, thrown, URL_PARTS } from "./support.ts";

async function requestFor(url: ClientUrl, options: ClientHandshakeOptions = {}): Promise<Message> {
  return takeMessage(await ClientHandshake.create(url, options, 0));
}

describe("ClientHandshake.create", () => {
  it("writes the request of RFC 6455 §1.2, and nothing that was not asked for", async () => {
    const message = await requestFor(URL_PARTS);
    expect(message.firstLine).toBe("GET /chat HTTP/1.1");
    expect(message.fields).toEqual([
      ["Host", "server.example.com"],
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Key", expect.any(String)],
      ["Sec-WebSocket-Version", "13"],
    ]);
    expect(isKey(field(message, "Sec-WebSocket-Key")!)).toBe(true);
    expect(message.body).toBe("");
  });

  it("uses a fresh key every time", async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => requestFor(URL_PARTS)));
    expect(new Set(keys.map((message) => field(message, "Sec-WebSocket-Key"))).size).toBe(20);
  });

  it.each([
    ["ws://example.com", "/", "example.com"],
    ["ws://example.com:80/", "/", "example.com"],
    ["wss://example.com:443/a/b?c=d&e", "/a/b?c=d&e", "example.com"],
    ["wss://example.com:8443?x", "/?x", "example.com:8443"],
    ["http://[::1]:8080/%7Ea b", "/%7Ea%20b", "[::1]:8080"],
    ["https://bücher.example/ü", "/%C3%BC", "xn--bcher-kva.example"],
  ])("takes target and Host of %s from its URL", async (url, target, host) => {
    const message = await requestFor(new URL(url));
    expect([message.firstLine, field(message, "Host")]).toEqual([`GET ${target} HTTP/1.1`, host]);
  });

  it("writes a path for a URL without one", async () => {
    expect((await requestFor({ ...URL_PARTS, pathname: "" })).firstLine).toBe("GET / HTTP/1.1");
  });

  it("offers the subprotocols in order", async () => {
    const message = await requestFor(URL_PARTS, {
      protocols: ["chat", "constructor", "__proto__"],
    });
    expect(field(message, "Sec-WebSocket-Protocol")).toBe("chat, constructor, __proto__");
    expect(field(await requestFor(URL_PARTS, { protocols: [] }), "Sec-WebSocket-Protocol"))
      .toBeUndefined();
  });

  it("sends the credentials of the URL, unless there are others", async () => {
    const url = { ...URL_PARTS, username: "Aladdin", password: "open%20sesame" };
    expect(field(await requestFor(url), "Authorization")).toBe(
      "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    );
    expect(field(await requestFor({ ...URL_PARTS, username: "a" }), "Authorization")).toBe(
      "Basic YTo=",
    );
    expect(field(await requestFor({ ...URL_PARTS, password: "b" }), "Authorization")).toBe(
      "Basic OmI=",
    );
    expect(field(await requestFor({ ...URL_PARTS, username: "", password: "" }), "Authorization"))
      .toBeUndefined();
    expect(
      field(await requestFor(url, { headers: { authorization: "Bearer x" } }), "authorization"),
    ).toBe("Bearer x");
    const cookie = await requestFor(url, { headers: { Cookie: "a=1" } });
    expect(field(cookie, "Authorization")).toBe("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  });

  it.each<[string, HeaderInput]>([
    ["a list", [["Cookie", "a=1"], ["X-A", "\xe9"]]],
    ["an object", { "Cookie": "a=1", "X-A": "\xe9" }],
    ["HeaderFields", new HeaderFields([["Cookie", "a=1"], ["X-A", "\xe9"]])],
  ])("adds the fields of %s behind its own", async (_, headers) => {
    const message = await requestFor(URL_PARTS, { headers });
    expect(message.fields.slice(5)).toEqual([["Cookie", "a=1"], ["X-A", "\xe9"]]);
  });

  it("knows the answer to its key with a synchronous digest, and asks no other", async () => {
    const asked: string[] = [];
    const sha1 = (text: string): string => {
      asked.push(text);
      return createHash("sha1").update(text).digest("base64");
    };
    const handshake = await ClientHandshake.create(URL_PARTS, { sha1 }, 0);
    const key = field(takeMessage(handshake), "Sec-WebSocket-Key")!;
    expect(asked).toEqual([`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`]);
    const switching = latin1(answer(`Sec-WebSocket-Accept: ${await acceptKey(key)}`));
    expect(handshake.receive(switching, 0)?.connection.state).toBe("open");
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
  ])("refuses a URL with %s, and says why", async (_, parts, message) => {
    expect(await thrown(() => requestFor({ ...URL_PARTS, ...parts }))).toEqual(
      new UsageError(message),
    );
  });

  it.each<[string, readonly unknown[], string]>([
    ["is no token", ["a b"], "subprotocol \"a b\" is not a token (RFC 6455 §4.1)"],
    ["is empty", [""], "subprotocol \"\" is not a token (RFC 6455 §4.1)"],
    ["has a comma in it", ["a,b"], "subprotocol \"a,b\" is not a token (RFC 6455 §4.1)"],
    ["is no string", [1], "subprotocol 1 is not a token (RFC 6455 §4.1)"],
    ["stands there twice", ["a", "b", "a"], "a subprotocol is offered twice (RFC 6455 §4.1)"],
  ])("refuses a subprotocol that %s, and says so", async (_, protocols, message) => {
    const given = protocols as readonly string[];
    expect(await thrown(() => requestFor(URL_PARTS, { protocols: given }))).toEqual(
      new UsageError(message),
    );
  });

  it.each<[string, ClientHandshakeOptions]>([
    ["a line end in a value", { headers: { "X-A": "1\r\nX-B: 2" } }],
    ["a value past Latin-1", { headers: { "X-A": "\u2603" } }],
    ["a name that is no token", { headers: { "X A": "1" } }],
    ["an unknown option", { protocol: "a" } as ClientHandshakeOptions],
    ["an unknown limit", { limits: { maxSize: 1 } } as ClientHandshakeOptions],
    ...[
      "Host",
      "upgrade",
      "CONNECTION",
      "Content-Length",
      "Transfer-Encoding",
      "Sec-WebSocket-Key",
      "sec-websocket-protocol",
    ]
      .map((
        name,
      ): [string, ClientHandshakeOptions] => [`its own ${name}`, { headers: { [name]: "1" } }]),
  ])("refuses %s", async (_, options) => {
    expect(await thrown(() => requestFor(URL_PARTS, options))).toBeInstanceOf(UsageError);
  });
});
