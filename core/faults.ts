// Every rule that can be broken before a connection is open: the status that a server answers with,
// the section and a sentence. Both handshakes and the HTTP parsers name their faults here. Every
// row needs a test vector. A good request that the application refuses is no fault.

/** One rule of the opening handshake. */
export interface HandshakeRule {
  /** The status that a server answers with; `undefined` for a fault that only a client meets. */
  readonly status: number | undefined;
  /** The section that states the rule. */
  readonly section: string;
  /** A sentence for people. */
  readonly message: string;
}

/** The rules that a request or any HTTP head can break; exported for the type of their names. */
export const REFUSED_ROWS = {
  // Any HTTP head, a request's or a response's
  "head-too-large": [431, "RFC 6585 §5", "the head is larger than the limit"],
  "request-line-too-long": [414, "RFC 9112 §3", "the request line is longer than the limit"],
  "line-too-long": [431, "RFC 6585 §5", "a line of the head is longer than the limit"],
  "too-many-fields": [431, "RFC 6585 §5", "the head has more fields than the limit"],
  "line-ending-bare": [400, "RFC 9112 §2.2", "a line of the head does not end in CRLF"],
  "field-folded": [400, "RFC 9112 §5.2", "a header field is folded over several lines"],
  "field-colon-missing": [400, "RFC 9112 §5", "a line of the head has no colon"],
  "field-name-space": [400, "RFC 9112 §5.1", "a header field has whitespace before its colon"],
  "field-name-invalid": [400, "RFC 9110 §5.1", "the name of a header field is not a token"],
  "field-value-invalid": [400, "RFC 9110 §5.5", "a header field's value has a control character"],

  // Any HTTP request
  "request-line-malformed": [400, "RFC 9112 §3", "the request line is malformed"],
  "target-invalid": [400, "RFC 9112 §3.2", "the target is neither a path nor an absolute URI"],
  "http-version-unsupported": [505, "RFC 9110 §15.6.6", "the request is not in HTTP/1.x"],
  "method-not-allowed": [405, "RFC 9110 §15.5.6", "only GET, HEAD and OPTIONS are served"],
  "host-missing": [400, "RFC 9112 §3.2", "there is no Host"],
  "host-repeated": [400, "RFC 9112 §3.2", "there is more than one Host"],
  "host-invalid": [400, "RFC 9112 §3.2", "Host is not a host with an optional port"],
  "content-length-invalid": [400, "RFC 9112 §6.3", "Content-Length is not one decimal number"],
  "body-length-ambiguous": [400, "RFC 9112 §6.3", "Content-Length comes with Transfer-Encoding"],
  "transfer-encoding-unsupported": [501, "RFC 9112 §6.1", "Transfer-Encoding is not just chunked"],

  // A request for a WebSocket
  "method-not-get": [405, "RFC 6455 §4.2.1", "the method of an upgrade to WebSocket is not GET"],
  "upgrade-http-version": [426, "RFC 6455 §4.2.1", "an upgrade to WebSocket needs HTTP/1.1"],
  "body-unexpected": [400, "RFC 6455 §4.2.1", "an upgrade to WebSocket has a body"],
  "upgrade-missing": [426, "RFC 6455 §4.2.1", "Upgrade lacks websocket (removed by a proxy?)"],
  "connection-missing": [400, "RFC 6455 §4.2.1", "Connection lacks Upgrade (removed by a proxy?)"],
  "version-missing": [426, "RFC 6455 §4.2.1", "there is no Sec-WebSocket-Version"],
  "version-repeated": [400, "RFC 6455 §11.3.5", "there is more than one Sec-WebSocket-Version"],
  "version-unsupported": [426, "RFC 6455 §4.4", "Sec-WebSocket-Version is not 13"],
  "key-missing": [400, "RFC 6455 §4.2.1", "there is no Sec-WebSocket-Key"],
  "key-repeated": [400, "RFC 6455 §11.3.1", "there is more than one Sec-WebSocket-Key"],
  "key-invalid": [400, "RFC 6455 §4.2.1", "Sec-WebSocket-Key is not 16 bytes in base64"],
  "origin-repeated": [400, "RFC 6454 §7.3", "there is more than one Origin"],
  "protocols-malformed": [400, "RFC 6455 §11.3.4", "Sec-WebSocket-Protocol is no list of tokens"],
  "protocols-not-unique": [400, "RFC 6455 §4.1", "Sec-WebSocket-Protocol repeats a subprotocol"],
  "extensions-malformed": [400, "RFC 6455 §9.1", "Sec-WebSocket-Extensions is malformed"],
  "early-data-too-large": [400, "RFC 6455 §4.1", "too many bytes came before the answer"],

  // Time, and the end of the transport
  "request-overdue": [408, "RFC 9110 §15.5.9", "the request was not complete in time"],
  "request-incomplete": [400, "RFC 9112 §8", "the transport ended before the answer"],
  "decision-overdue": [503, "RFC 9110 §15.6.4", "the application did not decide in time"],
} as const;

/** The rules that only an answer can break; exported for the type of their names. */
export const FAILED_ROWS = {
  // Any HTTP response
  "status-line-malformed": ["RFC 9112 §4", "the status line is malformed"],
  "status-not-101": ["RFC 6455 §4.1", "the server did not switch protocols"],
  "interim-too-many": ["RFC 9110 §15.2", "too many interim answers came before the final one"],

  // An answer that switches protocols
  "answer-http-version": ["RFC 9110 §15.2.2", "the answer with status 101 is not in HTTP/1.1"],
  "answer-upgrade-missing": ["RFC 6455 §4.1", "the answer has no Upgrade"],
  "answer-upgrade-wrong": ["RFC 6455 §4.1", "Upgrade in the answer is not websocket"],
  "answer-connection-missing": ["RFC 6455 §4.1", "Connection in the answer does not list Upgrade"],
  "accept-missing": ["RFC 6455 §4.1", "the answer has no Sec-WebSocket-Accept"],
  "accept-repeated": ["RFC 6455 §11.3.3", "there is more than one Sec-WebSocket-Accept"],
  "accept-wrong": ["RFC 6455 §4.1", "Sec-WebSocket-Accept does not answer the key that was sent"],
  "protocol-repeated": ["RFC 6455 §11.3.4", "the answer has more than one subprotocol"],
  "protocol-unasked": ["RFC 6455 §4.1", "the server chose a subprotocol, but none was offered"],
  "protocol-not-offered": ["RFC 6455 §4.1", "the server chose a subprotocol that was not offered"],
  "answer-extensions-repeated": ["RFC 6455 §11.3.2", "Sec-WebSocket-Extensions is repeated"],
  "answer-extensions-malformed": ["RFC 6455 §9.1", "Sec-WebSocket-Extensions is malformed"],
  "extension-not-offered": ["RFC 6455 §4.1", "the server uses an extension that was not offered"],
  "extension-repeated": ["RFC 7692 §5", "the server accepts an extension twice"],
  "extension-param-unknown": ["RFC 7692 §7.1", "an extension parameter is not defined"],
  "extension-param-repeated": ["RFC 7692 §7.1", "the answer has an extension parameter twice"],
  "extension-param-value": ["RFC 7692 §7.1", "an extension parameter has an illegal value"],

  // Time, and the end of the transport
  "answer-overdue": ["RFC 6455 §4.1", "the answer was not complete in time"],
  "answer-incomplete": ["RFC 6455 §4.1", "the transport ended before the answer was complete"],
} as const;

/** The name of a rule in {@linkcode HANDSHAKE_FAULTS}. */
export type HandshakeFault = keyof typeof REFUSED_ROWS | keyof typeof FAILED_ROWS;

const rows = [
  ...Object.entries(REFUSED_ROWS),
  ...Object.entries(FAILED_ROWS).map(([name, row]) => [name, [undefined, ...row]] as const),
];

/** Every rule of the opening handshake that can be broken, by name. */
export const HANDSHAKE_FAULTS: Readonly<Record<HandshakeFault, HandshakeRule>> = Object.fromEntries(
  rows.map(([name, [status, section, message]]) => [name, { status, section, message }]),
) as Record<HandshakeFault, HandshakeRule>;
