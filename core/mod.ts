/**
 * The WebSocket protocol as pure state machines: bytes and times in; events, bytes and one deadline
 * out. No sockets, no timers, no clock.
 *
 * @module
 */

export { CloseCode, type CloseInfo } from "./close.ts";
export { Connection, type ConnectionOptions } from "./connection.ts";
export type { DeflateCodec, Deflater, Inflater } from "./deflate/codec.ts";
export { InflateLimitError } from "./deflate/codec.ts";
export type { GivenDeflateOptions } from "./deflate/negotiate.ts";
export { HandshakeAnswer, HandshakeError, ProtocolError, UsageError } from "./errors.ts";
export type { ClosedEvent, ConnectionEvent } from "./events.ts";
export { HANDSHAKE_FAULTS, type HandshakeFault } from "./faults.ts";
export type { ClientHandshakeEvent, ClientHandshakeOptions } from "./handshake/client.ts";
export { ClientHandshake } from "./handshake/client.ts";
export { acceptKey, createKey } from "./handshake/key.ts";
export type { HandshakeOptions, Opened } from "./handshake/options.ts";
export type { ClientUrl, UpgradeRequest } from "./handshake/request.ts";
export type { AcceptChoice, ServerHandshakeEvent } from "./handshake/server.ts";
export { ServerHandshake } from "./handshake/server.ts";
export { type HeaderField, HeaderFields, type HeaderInput } from "./http/fields.ts";
export type { RequestHead } from "./http/head.ts";
export { DEFAULT_LIMITS, DEFAULT_TIMEOUTS, type Limits, type Timeouts } from "./limits.ts";
export type { Machine } from "./machine.ts";
export { prepareBinary, PreparedMessage, prepareText, type SendOptions } from "./prepared.ts";
export { type ViolationName, VIOLATIONS } from "./violations.ts";
