// Requests to a server, and what each is: an upgrade, a request without one, or the rule it breaks.
// One row or more for every rule of RFC 9112 and RFC 6455 §4.2.1 that a head alone can break. Text is
// Latin-1.

import type { HandshakeFault } from "../../core/faults.ts";
import type { UpgradeRequest } from "../../core/handshake/request.ts";
import type { Limits } from "../../core/limits.ts";

export interface RequestVector {
  readonly name: string;
  readonly head: string;
  readonly limits?: Partial<Limits>;
  /** The event that reports the head; a fault's name for one that is refused. */
  readonly outcome: "upgrade" | "request" | HandshakeFault;
  /** What the request says, as far as the row is about it. */
  readonly says?: Partial<Omit<UpgradeRequest, "headers">>;
}

/** The key of RFC 6455 §1.3, and the value that answers it. */
export const SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const SAMPLE_ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const GOOD: readonly string[] = [
  "GET /chat HTTP/1.1",
  "Host: server.example.com",
  "Upgrade: websocket",
  "Connection: Upgrade",
  `Sec-WebSocket-Key: ${SAMPLE_KEY}`,
  "Sec-WebSocket-Version: 13",
];

/**
 * A good upgrade request but for the edits: a line takes the place of the ones with its name, or
 * comes last; `+` before it repeats a name, `-` removes one, and a line without a colon is the
 * first.
 */
export function request(...edits: readonly string[]): string {
  let lines = [...GOOD];
  for (const edit of edits) {
    const name = edit.replace(/^[+-]/, "").split(":", 1)[0]!.toLowerCase();
    const isNamed = (line: string, index: number): boolean =>
      index > 0 && line.toLowerCase().startsWith(`${name}:`);
    const at = lines.findIndex(isNamed);
    if (edit.startsWith("-")) lines = lines.filter((line, index) => !isNamed(line, index));
    else if (edit.startsWith("+")) lines.push(edit.slice(1));
    else if (!edit.includes(":") || edit.endsWith("HTTP/1.1")) lines[0] = edit;
    else if (at === -1) lines.push(edit);
    else lines[at] = edit;
  }
  return lines.join("\r\n") + "\r\n\r\n";
}

/** A request for a page, with more fields where given. */
export function page(line = "GET / HTTP/1.1", ...fields: readonly string[]): string {
  return [line, "Host: localhost:8080", ...fields].join("\r\n") + "\r\n\r\n";
}

const key = (text: string): string => `Sec-WebSocket-Key: ${text}`;
const protocols = (text: string): string => `Sec-WebSocket-Protocol: ${text}`;
const extensions = (text: string): string => `Sec-WebSocket-Extensions: ${text}`;
const fields = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `+X-${index}: ${index}`);

const CHROME = [
  "GET /socket?room=1 HTTP/1.1",
  "Host: localhost:8080",
  "Connection: Upgrade",
  "Pragma: no-cache",
  "Cache-Control: no-cache",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  "Upgrade: websocket",
  "Origin: http://localhost:8080",
  "Sec-WebSocket-Version: 13",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Accept-Language: en-US,en;q=0.9",
  "Cookie: session=0123456789abcdef; theme=dark",
  `Sec-WebSocket-Key: ${SAMPLE_KEY}`,
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
].join("\r\n") + "\r\n\r\n";

const UPGRADES: readonly RequestVector[] = [
  {
    name: "RFC 6455 §1.2",
    head: request("Origin: http://example.com", protocols("chat, superchat")),
    outcome: "upgrade",
    says: {
      host: "server.example.com",
      path: "/chat",
      target: "/chat",
      origin: "http://example.com",
      protocols: ["chat", "superchat"],
    },
  },
  {
    name: "a browser's",
    head: CHROME,
    outcome: "upgrade",
    says: { path: "/socket?room=1", host: "localhost:8080" },
  },
  {
    name: "nothing but what is needed",
    head: request(),
    outcome: "upgrade",
    says: { origin: undefined, protocols: [], key: SAMPLE_KEY, version: "HTTP/1.1" },
  },
  {
    name: "HTTP/1.2",
    head: request("GET /chat HTTP/1.2"),
    outcome: "upgrade",
    says: { version: "HTTP/1.2" },
  },
  {
    name: "another key",
    head: request(key("AAAAAAAAAAAAAAAAAAAAAA==")),
    outcome: "upgrade",
    says: { key: "AAAAAAAAAAAAAAAAAAAAAA==" },
  },
  {
    name: "Connection with keep-alive",
    head: request("Connection: keep-alive, Upgrade"),
    outcome: "upgrade",
  },
  {
    name: "Connection in two fields",
    head: request("Connection: keep-alive", "+Connection: upgrade"),
    outcome: "upgrade",
  },
  {
    name: "Connection with empty elements",
    head: request("Connection: ,, keep-alive ,\tUPGRADE,"),
    outcome: "upgrade",
  },
  { name: "Upgrade in other case", head: request("Upgrade: WebSocket"), outcome: "upgrade" },
  {
    name: "Upgrade among others",
    head: request("Upgrade: h2c, HTTP/3.0, websocket"),
    outcome: "upgrade",
  },
  {
    name: "names in other case",
    head: request(
      "-Host",
      "-Upgrade",
      "-Connection",
      "+hOST: a",
      "+uPGRADE: websocket",
      "+CONNECTION: upgrade",
    ),
    outcome: "upgrade",
    says: { host: "a" },
  },
  { name: "no space after the colon", head: request("Upgrade:websocket"), outcome: "upgrade" },
  {
    name: "tabs and spaces around a value",
    head: request("Upgrade: \t websocket \t "),
    outcome: "upgrade",
  },
  { name: "one empty line before it", head: `\r\n${request()}`, outcome: "upgrade" },
  { name: "Latin-1 in a value", head: request("X-Name: Zo\xeb \xa0"), outcome: "upgrade" },
  { name: "UTF-8 in a value", head: request("X-Name: \xc3\xab"), outcome: "upgrade" },
  { name: "an empty value", head: request("X-Empty:"), outcome: "upgrade" },
  { name: "Content-Length 0", head: request("Content-Length: 0"), outcome: "upgrade" },
  {
    name: "a target in absolute form",
    head: request("GET http://example.com:81/a?b HTTP/1.1"),
    outcome: "upgrade",
    says: { host: "example.com:81", path: "/a?b", target: "http://example.com:81/a?b" },
  },
  {
    name: "a path with an absolute URI in its query",
    head: request("GET /login?next=http://other.example/ HTTP/1.1"),
    outcome: "upgrade",
    says: { host: "server.example.com", path: "/login?next=http://other.example/" },
  },
  {
    name: "a target in absolute form without a path",
    head: request("GET WSS://[::1]?b HTTP/1.1"),
    outcome: "upgrade",
    says: { host: "[::1]", path: "/?b" },
  },
  {
    name: "a target with two slashes",
    head: request("GET //evil.example/ HTTP/1.1"),
    outcome: "upgrade",
    says: { path: "//evil.example/" },
  },
  {
    name: "a host that is an address",
    head: request("Host: [2001:db8::1]:8080"),
    outcome: "upgrade",
  },
  {
    name: "the names of an object's properties as fields",
    head: request("+constructor: 1", "+__proto__: 2"),
    outcome: "upgrade",
  },
  {
    name: "the names of an object's properties as subprotocols",
    head: request(protocols("constructor, __proto__, toString")),
    outcome: "upgrade",
    says: { protocols: ["constructor", "__proto__", "toString"] },
  },
  {
    name: "the name of an object's property as extension",
    head: request(extensions("constructor; __proto__=1")),
    outcome: "upgrade",
  },
  {
    name: "subprotocols in two fields",
    head: request(protocols("a, b"), `+${protocols("c")}`),
    outcome: "upgrade",
    says: { protocols: ["a", "b", "c"] },
  },
  {
    name: "extensions in two fields",
    head: request(extensions("a; b=1"), `+${extensions("c; d=\"2\"")}`),
    outcome: "upgrade",
  },
  {
    name: "a quoted parameter with escapes",
    head: request(extensions("a; b=\"\\c\\d\"")),
    outcome: "upgrade",
  },
  {
    name: "as many fields as the limit",
    head: request(...fields(3)),
    limits: { maxFields: 8 },
    outcome: "upgrade",
  },
  {
    name: "a head as long as the limit",
    head: request(),
    limits: { maxHeadSize: request().length },
    outcome: "upgrade",
  },
  {
    name: "a line as long as the limit",
    head: request(),
    limits: { maxLineLength: key(SAMPLE_KEY).length },
    outcome: "upgrade",
  },
];

const PLAIN: readonly RequestVector[] = [
  {
    name: "a page",
    head: page(),
    outcome: "request",
    says: { method: "GET", target: "/", version: "HTTP/1.1" },
  },
  { name: "HEAD", head: page("HEAD /a HTTP/1.1"), outcome: "request", says: { method: "HEAD" } },
  {
    name: "a page in HTTP/1.0",
    head: page("GET / HTTP/1.0"),
    outcome: "request",
    says: { version: "HTTP/1.0" },
  },
  {
    name: "a page in HTTP/1.0 without Host",
    head: "GET / HTTP/1.0\r\n\r\n",
    outcome: "request",
    says: { version: "HTTP/1.0" },
  },
  {
    name: "a page in HTTP/1.9",
    head: page("GET / HTTP/1.9"),
    outcome: "request",
    says: { version: "HTTP/1.9" },
  },
  {
    name: "GET with a length",
    head: page("GET / HTTP/1.1", "Content-Length: 5"),
    outcome: "request",
  },
  {
    name: "GET with chunks",
    head: page("GET / HTTP/1.1", "Transfer-Encoding: Chunked"),
    outcome: "request",
  },
  {
    name: "an upgrade to something else",
    head: page("GET / HTTP/1.1", "Upgrade: h2c", "Connection: Upgrade"),
    outcome: "request",
  },
  {
    name: "an upgrade to something else in HTTP/1.0",
    head: page("GET / HTTP/1.0", "Upgrade: h2c", "Connection: Upgrade"),
    outcome: "request",
  },
];

const HTTP_FAULTS: readonly RequestVector[] = [
  {
    name: "a long head",
    head: request(),
    limits: { maxHeadSize: request().length - 1 },
    outcome: "head-too-large",
  },
  {
    name: "a long head in one line",
    head: request(),
    limits: { maxHeadSize: 10 },
    outcome: "head-too-large",
  },
  {
    name: "a long target",
    head: request(`GET /${"a".repeat(60)} HTTP/1.1`),
    limits: { maxLineLength: 60 },
    outcome: "request-line-too-long",
  },
  {
    name: "a long field",
    head: request(`X-Long: ${"a".repeat(60)}`),
    limits: { maxLineLength: 60 },
    outcome: "line-too-long",
  },
  {
    name: "many fields",
    head: request(...fields(4)),
    limits: { maxFields: 8 },
    outcome: "too-many-fields",
  },

  {
    name: "lines that end in LF",
    head: request().replaceAll("\r\n", "\n"),
    outcome: "line-ending-bare",
  },
  {
    name: "one line that ends in LF",
    head: request().replace("websocket\r\n", "websocket\n"),
    outcome: "line-ending-bare",
  },
  {
    name: "an empty line that is a LF",
    head: request().replace(/\r\n$/, "\n"),
    outcome: "line-ending-bare",
  },
  { name: "a first line that is a LF", head: `\n${request()}`, outcome: "request-line-malformed" },
  { name: "CR in a value", head: request("X-A: a\rX-B: b"), outcome: "line-ending-bare" },
  { name: "CR CR LF", head: request("X-A: a\r"), outcome: "line-ending-bare" },
  {
    name: "CR in the request line",
    head: request("GET /\r HTTP/1.1"),
    outcome: "line-ending-bare",
  },
  {
    name: "a field folded with a space",
    head: request("X-A: a\r\n b: c"),
    outcome: "field-folded",
  },
  { name: "a field folded with a tab", head: request("X-A: a\r\n\tb"), outcome: "field-folded" },
  {
    name: "a space before the first field",
    head: request().replace("\r\nHost", "\r\n Host"),
    outcome: "field-folded",
  },
  {
    name: "a field without a colon",
    head: request().replace("Host: ", "Host "),
    outcome: "field-colon-missing",
  },
  {
    name: "a space before a colon",
    head: request().replace("Host:", "Host :"),
    outcome: "field-name-space",
  },
  {
    name: "a tab before a colon",
    head: request().replace("Host:", "Host\t:"),
    outcome: "field-name-space",
  },
  {
    name: "a field without a name",
    head: request().replace("Host:", ":"),
    outcome: "field-name-invalid",
  },
  {
    name: "a space in a name",
    head: request().replace("Host:", "Ho st:"),
    outcome: "field-name-invalid",
  },
  {
    name: "a name in Latin-1",
    head: request().replace("Host:", "H\xf6st:"),
    outcome: "field-name-invalid",
  },
  { name: "NUL in a value", head: request("X-A: a\0b"), outcome: "field-value-invalid" },
  {
    name: "NUL in a name",
    head: request().replace("Host:", "Ho\0st:"),
    outcome: "field-value-invalid",
  },
  { name: "DEL in a value", head: request("X-A: \x7f"), outcome: "field-value-invalid" },
  {
    name: "a terminal's escape in a value",
    head: request("X-A: \x1b[31m"),
    outcome: "field-value-invalid",
  },

  {
    name: "a TLS hello",
    head: "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    outcome: "request-line-malformed",
  },
  {
    name: "two empty lines before it",
    head: `\r\n\r\n${request()}`,
    outcome: "request-line-malformed",
  },
  { name: "no target", head: request("GET HTTP/1.1"), outcome: "request-line-malformed" },
  {
    name: "two spaces before the target",
    head: request("GET  / HTTP/1.1"),
    outcome: "request-line-malformed",
  },
  {
    name: "two spaces after the target",
    head: request("GET /  HTTP/1.1"),
    outcome: "request-line-malformed",
  },
  {
    name: "a space in the target",
    head: request("GET /a b HTTP/1.1"),
    outcome: "request-line-malformed",
  },
  {
    name: "a space after the version",
    head: request("GET / HTTP/1.1 "),
    outcome: "request-line-malformed",
  },
  {
    name: "a tab for a space",
    head: request("GET\t/\tHTTP/1.1"),
    outcome: "request-line-malformed",
  },
  {
    name: "a method that is no token",
    head: request("G(T / HTTP/1.1"),
    outcome: "request-line-malformed",
  },
  { name: "a line of HTTP/0.9", head: "GET /\r\n\r\n", outcome: "request-line-malformed" },
  {
    name: "a version without a minor one",
    head: request("GET / HTTP/1"),
    outcome: "request-line-malformed",
  },
  {
    name: "a version of letters",
    head: request("GET / HTTP/1.x"),
    outcome: "request-line-malformed",
  },
  {
    name: "a major version of two digits",
    head: request("GET / HTTP/11.1"),
    outcome: "request-line-malformed",
  },
  {
    name: "something before the version",
    head: request("GET / XHTTP/1.1"),
    outcome: "request-line-malformed",
  },
  {
    name: "something behind the version",
    head: request("GET / HTTP/1.10"),
    outcome: "request-line-malformed",
  },
  {
    name: "a version in other case",
    head: request("GET / http/1.1"),
    outcome: "request-line-malformed",
  },
  {
    name: "NUL in the target",
    head: request("GET /\0 HTTP/1.1"),
    outcome: "request-line-malformed",
  },
  { name: "a fragment", head: request("GET /#a HTTP/1.1"), outcome: "target-invalid" },
  { name: "Latin-1 in the target", head: request("GET /\xe9 HTTP/1.1"), outcome: "target-invalid" },
  { name: "a relative target", head: request("GET chat HTTP/1.1"), outcome: "target-invalid" },
  {
    name: "a target of another scheme",
    head: request("GET ftp://example.com/ HTTP/1.1"),
    outcome: "target-invalid",
  },
  {
    name: "a target with a user name",
    head: request("GET http://a@example.com/ HTTP/1.1"),
    outcome: "target-invalid",
  },
  { name: "GET *", head: request("GET * HTTP/1.1"), outcome: "target-invalid" },
  { name: "HTTP/0.9", head: request("GET / HTTP/0.9"), outcome: "http-version-unsupported" },
  { name: "HTTP/2.0", head: request("GET / HTTP/2.0"), outcome: "http-version-unsupported" },
  { name: "HTTP/3.1", head: page("GET / HTTP/3.1"), outcome: "http-version-unsupported" },
  {
    name: "the preface of HTTP/2",
    head: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    outcome: "http-version-unsupported",
  },

  { name: "no Host", head: request("-Host"), outcome: "host-missing" },
  { name: "no Host for a page", head: "GET / HTTP/1.1\r\n\r\n", outcome: "host-missing" },
  {
    name: "no Host for a page in HTTP/1.2",
    head: "GET / HTTP/1.2\r\n\r\n",
    outcome: "host-missing",
  },
  { name: "two Hosts", head: request("+Host: server.example.com"), outcome: "host-repeated" },
  {
    name: "two Hosts in HTTP/1.0",
    head: page("GET / HTTP/1.0", "Host: a"),
    outcome: "host-repeated",
  },
  {
    name: "a bad Host in HTTP/1.0",
    head: "GET / HTTP/1.0\r\nHost: a/b\r\n\r\n",
    outcome: "host-invalid",
  },
  { name: "an empty Host", head: request("Host:"), outcome: "host-invalid" },
  { name: "a Host with a path", head: request("Host: example.com/a"), outcome: "host-invalid" },
  {
    name: "a Host with a user name",
    head: request("Host: a@example.com"),
    outcome: "host-invalid",
  },
  {
    name: "two hosts in one Host",
    head: request("Host: a.example, b.example"),
    outcome: "host-invalid",
  },
  { name: "a Host with a bad port", head: request("Host: a.example:8o"), outcome: "host-invalid" },

  {
    name: "a length with a sign",
    head: page("POST / HTTP/1.1", "Content-Length: +5"),
    outcome: "content-length-invalid",
  },
  {
    name: "a length in hex",
    head: page("POST / HTTP/1.1", "Content-Length: 0x5"),
    outcome: "content-length-invalid",
  },
  {
    name: "a length beyond 2^53",
    head: page("POST / HTTP/1.1", "Content-Length: 9007199254740993"),
    outcome: "content-length-invalid",
  },
  {
    name: "two lengths",
    head: page("POST / HTTP/1.1", "Content-Length: 5", "Content-Length: 6"),
    outcome: "content-length-invalid",
  },
  {
    name: "a length twice",
    head: page("POST / HTTP/1.1", "Content-Length: 5", "Content-Length: 5"),
    outcome: "content-length-invalid",
  },
  {
    name: "a length and chunks",
    head: page("POST / HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked"),
    outcome: "body-length-ambiguous",
  },
  {
    name: "gzip and chunks",
    head: page("POST / HTTP/1.1", "Transfer-Encoding: gzip, chunked"),
    outcome: "transfer-encoding-unsupported",
  },
  {
    name: "chunks twice",
    head: page("POST / HTTP/1.1", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    outcome: "transfer-encoding-unsupported",
  },
  {
    name: "identity",
    head: page("POST / HTTP/1.1", "Transfer-Encoding: identity"),
    outcome: "transfer-encoding-unsupported",
  },
];

const METHOD_FAULTS: readonly RequestVector[] = [
  ...["POST", "PUT", "DELETE", "PATCH", "TRACE", "get", "Head", "BREW"].map((method) => ({
    name: `${method} for a page`,
    head: page(`${method} / HTTP/1.1`),
    outcome: "method-not-allowed" as const,
  })),
  {
    name: "POST with a length",
    head: page("POST / HTTP/1.1", "Content-Length: 5"),
    outcome: "method-not-allowed",
  },
  {
    name: "POST with chunks",
    head: page("POST / HTTP/1.1", "Transfer-Encoding: chunked"),
    outcome: "method-not-allowed",
  },
  { name: "POST in HTTP/1.0", head: page("POST / HTTP/1.0"), outcome: "method-not-allowed" },
  { name: "CONNECT", head: page("CONNECT a.example:443 HTTP/1.1"), outcome: "method-not-allowed" },
];

const UPGRADE_FAULTS: readonly RequestVector[] = [
  { name: "POST", head: request("POST /chat HTTP/1.1"), outcome: "method-not-get" },
  {
    name: "a method in other case",
    head: request("get /chat HTTP/1.1"),
    outcome: "method-not-get",
  },
  { name: "HEAD", head: request("HEAD /chat HTTP/1.1"), outcome: "method-not-get" },
  { name: "HTTP/1.0", head: request("GET / HTTP/1.0"), outcome: "upgrade-http-version" },
  {
    name: "HTTP/1.0 without Host",
    head: request("GET / HTTP/1.0", "-Host"),
    outcome: "upgrade-http-version",
  },
  {
    name: "a key in HTTP/1.0",
    head: page("GET / HTTP/1.0", key(SAMPLE_KEY)),
    outcome: "upgrade-http-version",
  },
  { name: "POST in HTTP/1.0", head: request("POST / HTTP/1.0"), outcome: "method-not-get" },
  { name: "a body with a length", head: request("Content-Length: 5"), outcome: "body-unexpected" },
  {
    name: "a body in chunks",
    head: request("Transfer-Encoding: chunked"),
    outcome: "body-unexpected",
  },
  { name: "a key without Upgrade", head: request("-Upgrade"), outcome: "upgrade-missing" },
  {
    name: "nothing but a key",
    head: page("GET / HTTP/1.1", key(SAMPLE_KEY)),
    outcome: "upgrade-missing",
  },
  {
    name: "a version without Upgrade",
    head: request("-Upgrade", "-Sec-WebSocket-Key"),
    outcome: "upgrade-missing",
  },
  {
    name: "a key with another Upgrade",
    head: request("Upgrade: websockets"),
    outcome: "upgrade-missing",
  },
  {
    name: "a no-break space in Upgrade",
    head: request("Upgrade: web\xa0socket"),
    outcome: "upgrade-missing",
  },
  { name: "no Connection", head: request("-Connection"), outcome: "connection-missing" },
  {
    name: "another Connection",
    head: request("Connection: keep-alive"),
    outcome: "connection-missing",
  },
  {
    name: "Connection with a longer token",
    head: request("Connection: Upgraded"),
    outcome: "connection-missing",
  },
  {
    name: "Connection that is no list of tokens",
    head: request("Connection: \"a\", Upgrade"),
    outcome: "connection-missing",
  },
  { name: "no version", head: request("-Sec-WebSocket-Version"), outcome: "version-missing" },
  {
    name: "two versions",
    head: request("+Sec-WebSocket-Version: 13"),
    outcome: "version-repeated",
  },
  {
    name: "an old version",
    head: request("Sec-WebSocket-Version: 8"),
    outcome: "version-unsupported",
  },
  {
    name: "a list of versions",
    head: request("Sec-WebSocket-Version: 13, 8"),
    outcome: "version-unsupported",
  },
  {
    name: "a version with a zero before it",
    head: request("Sec-WebSocket-Version: 013"),
    outcome: "version-unsupported",
  },
  { name: "no key", head: request("-Sec-WebSocket-Key"), outcome: "key-missing" },
  { name: "two keys", head: request(`+${key(SAMPLE_KEY)}`), outcome: "key-repeated" },
  { name: "a key of 15 bytes", head: request(key("dGhlIHNhbXBsZSBub25j")), outcome: "key-invalid" },
  {
    name: "a key of 17 bytes",
    head: request(key("dGhlIHNhbXBsZSBub25jZQ0=")),
    outcome: "key-invalid",
  },
  {
    name: "a key without padding",
    head: request(key("dGhlIHNhbXBsZSBub25jZQ")),
    outcome: "key-invalid",
  },
  {
    name: "a key with other characters",
    head: request(key("dGhlIHNhbXBsZSBub25-ZQ==")),
    outcome: "key-invalid",
  },
  { name: "an empty key", head: request(key("")), outcome: "key-invalid" },
  {
    name: "two origins",
    head: request("Origin: http://a.example", "+Origin: http://b.example"),
    outcome: "origin-repeated",
  },
  {
    name: "no subprotocol in the field",
    head: request(protocols("")),
    outcome: "protocols-malformed",
  },
  {
    name: "a subprotocol that is no token",
    head: request(protocols("a, b c")),
    outcome: "protocols-malformed",
  },
  {
    name: "a subprotocol twice",
    head: request(protocols("a, b, a")),
    outcome: "protocols-not-unique",
  },
  {
    name: "a subprotocol twice in two fields",
    head: request(protocols("a"), `+${protocols("a")}`),
    outcome: "protocols-not-unique",
  },
  {
    name: "no extension in the field",
    head: request(extensions("")),
    outcome: "extensions-malformed",
  },
  {
    name: "an extension that is no token",
    head: request(extensions("a b")),
    outcome: "extensions-malformed",
  },
  {
    name: "a quote that is not closed",
    head: request(extensions("a; b=\"c")),
    outcome: "extensions-malformed",
  },
];

export const REQUESTS: readonly RequestVector[] = [
  ...UPGRADES,
  ...PLAIN,
  ...HTTP_FAULTS,
  ...METHOD_FAULTS,
  ...UPGRADE_FAULTS,
];
