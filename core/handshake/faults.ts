// The one table of what can go wrong before a connection is open: the status that a server answers with, where the rule stands, and a
// sentence. Both handshakes and the HTTP head parser name their faults here; tests walk the table.
//
// A row without a status is a fault that only a client can meet: it has nobody to answer.

/** One rule of the opening handshake: the status a server answers it with, the section that states it, a sentence for people. */
export interface HandshakeRule {
  readonly status?: number;
  readonly section: string;
  readonly message: string;
}

function refused(status: number, section: string, message: string): HandshakeRule {
  return { status, section, message };
}

function failed(section: string, message: string): HandshakeRule {
  return { section, message };
}

const table = {
  // Any HTTP head
  "head-too-large": refused(431, "RFC 6585 §5", "the head is larger than the limit"),
  "request-line-too-long": refused(414, "RFC 9112 §3", "the request line is longer than the limit"),
  "line-too-long": refused(431, "RFC 6585 §5", "a line of the head is longer than the limit"),
  "too-many-fields": refused(431, "RFC 6585 §5", "the head has more fields than the limit"),
  "line-ending-bare": refused(400, "RFC 9112 §2.2", "a line of the head does not end in CRLF"),
  "field-folded": refused(400, "RFC 9112 §5.2", "a header field is folded over several lines"),
  "field-colon-missing": refused(400, "RFC 9112 §5", "a line of the head has no colon"),
  "field-name-space": refused(400, "RFC 9112 §5.1", "there is whitespace before the colon of a header field"),
  "field-name-invalid": refused(400, "RFC 9110 §5.1", "the name of a header field is not a token"),
  "field-value-invalid": refused(400, "RFC 9110 §5.5", "the value of a header field has a control character in it"),

  // Any HTTP request
  "request-line-malformed": refused(400, "RFC 9112 §3", "the request line is malformed"),
  "target-invalid": refused(400, "RFC 9112 §3.2", "the request target is neither a path nor an absolute URI"),
  "http-version-unsupported": refused(505, "RFC 9110 §15.6.6", "the request is not in HTTP/1.1"),
  "host-missing": refused(400, "RFC 9112 §3.2", "there is no Host"),
  "host-repeated": refused(400, "RFC 9112 §3.2", "there is more than one Host"),
  "host-invalid": refused(400, "RFC 9112 §3.2", "Host is not a host with an optional port"),
  "content-length-invalid": refused(400, "RFC 9112 §6.3", "Content-Length is not a single decimal number"),
  "body-length-ambiguous": refused(400, "RFC 9112 §6.3", "there are both Transfer-Encoding and Content-Length"),
  "transfer-encoding-unsupported": refused(501, "RFC 9112 §6.1", "Transfer-Encoding is not just chunked"),
  "chunk-malformed": refused(400, "RFC 9112 §7.1", "the chunked body is malformed"),

  // A request for a WebSocket
  "method-not-get": refused(405, "RFC 6455 §4.2.1", "the method of an upgrade to WebSocket is not GET"),
  "body-unexpected": refused(400, "RFC 6455 §4.2.1", "an upgrade to WebSocket has a body"),
  "upgrade-missing": refused(426, "RFC 6455 §4.2.1", "Upgrade does not list websocket; a proxy may have removed it"),
  "connection-missing": refused(
    400,
    "RFC 6455 §4.2.1",
    "Connection does not list Upgrade; a proxy may have removed it",
  ),
  "version-missing": refused(426, "RFC 6455 §4.2.1", "there is no Sec-WebSocket-Version"),
  "version-repeated": refused(400, "RFC 6455 §11.3.5", "there is more than one Sec-WebSocket-Version"),
  "version-unsupported": refused(426, "RFC 6455 §4.4", "Sec-WebSocket-Version is not 13"),
  "key-missing": refused(400, "RFC 6455 §4.2.1", "there is no Sec-WebSocket-Key"),
  "key-repeated": refused(400, "RFC 6455 §11.3.1", "there is more than one Sec-WebSocket-Key"),
  "key-invalid": refused(400, "RFC 6455 §4.2.1", "Sec-WebSocket-Key is not 16 bytes in base64"),
  "origin-repeated": refused(400, "RFC 6454 §7.3", "there is more than one Origin"),
  "protocols-malformed": refused(400, "RFC 6455 §11.3.4", "Sec-WebSocket-Protocol is not a list of tokens"),
  "protocols-not-unique": refused(400, "RFC 6455 §4.1", "Sec-WebSocket-Protocol names a subprotocol twice"),
  "extensions-malformed": refused(400, "RFC 6455 §9.1", "Sec-WebSocket-Extensions does not follow its grammar"),
  "early-data-too-large": refused(400, "RFC 6455 §4.1", "too many bytes came before the handshake was answered"),

  // Time and the end of the transport, for a server
  "request-overdue": refused(408, "RFC 9110 §15.5.9", "the request was not complete in time"),
  "request-incomplete": refused(400, "RFC 9112 §8", "the transport ended before the handshake was answered"),
  "decision-overdue": refused(503, "RFC 9110 §15.6.4", "the request was neither accepted nor rejected in time"),

  // An answer to a client
  "status-line-malformed": failed("RFC 9112 §4", "the status line is malformed"),
  "status-not-101": failed("RFC 6455 §4.1", "the server did not switch protocols"),
  "interim-too-many": failed("RFC 9110 §15.2", "too many informational answers came before the final one"),
  "answer-http-version": failed("RFC 9110 §15.2.2", "the server switched protocols in a version other than HTTP/1.1"),
  "answer-upgrade-missing": failed("RFC 6455 §4.1", "the answer has no Upgrade"),
  "answer-upgrade-wrong": failed("RFC 6455 §4.1", "Upgrade in the answer is not websocket"),
  "answer-connection-missing": failed("RFC 6455 §4.1", "Connection in the answer does not list Upgrade"),
  "accept-missing": failed("RFC 6455 §4.1", "the answer has no Sec-WebSocket-Accept"),
  "accept-repeated": failed("RFC 6455 §11.3.3", "there is more than one Sec-WebSocket-Accept"),
  "accept-wrong": failed("RFC 6455 §4.1", "Sec-WebSocket-Accept does not answer the key that was sent"),
  "protocol-repeated": failed("RFC 6455 §11.3.4", "the answer has more than one subprotocol"),
  "protocol-unasked": failed("RFC 6455 §4.1", "the server chose a subprotocol, but none was offered"),
  "protocol-not-offered": failed("RFC 6455 §4.1", "the server chose a subprotocol that was not offered"),
  "answer-extensions-repeated": failed(
    "RFC 6455 §11.3.2",
    "there is more than one Sec-WebSocket-Extensions in the answer",
  ),
  "answer-extensions-malformed": failed("RFC 6455 §9.1", "Sec-WebSocket-Extensions does not follow its grammar"),
  "extension-not-offered": failed("RFC 6455 §4.1", "the server uses an extension that was not offered"),
  "extension-repeated": failed("RFC 7692 §5", "the server accepts an extension twice"),
  "extension-param-unknown": failed("RFC 7692 §7.1", "the answer has an extension parameter that is not defined"),
  "extension-param-repeated": failed("RFC 7692 §7.1", "the answer has an extension parameter twice"),
  "extension-param-value": failed("RFC 7692 §7.1", "the answer has an extension parameter with an illegal value"),

  // Time and the end of the transport, for a client
  "answer-overdue": failed("RFC 6455 §4.1", "the answer was not complete in time"),
  "answer-incomplete": failed("RFC 6455 §4.1", "the transport ended before the answer was complete"),
} as const satisfies Record<string, HandshakeRule>;

/** The name of a rule in {@linkcode HANDSHAKE_FAULTS}. */
export type HandshakeFault = keyof typeof table;

/** Every rule of the opening handshake that can be broken, by name. */
export const HANDSHAKE_FAULTS: Readonly<Record<HandshakeFault, HandshakeRule>> = table;
