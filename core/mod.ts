/**
 * The WebSocket protocol as a pure state machine: bytes and times in; events, bytes and one
 * deadline out.
 *
 * It needs `Uint8Array`, `TextEncoder`, `TextDecoder` and Web Crypto, and nothing else: no sockets,
 * no timers, no clock.
 *
 * @module
 */

export type { CloseInfo } from "./close.ts";
export { CloseCode, decodeClose, encodeClose, isWireCloseCode, MAX_REASON_BYTES } from "./close.ts";
export { Connection, type ConnectionOptions } from "./connection.ts";
export type {
  DeflateCodec,
  Deflater,
  DeflaterOptions,
  Inflater,
  InflaterOptions,
} from "./deflate/codec.ts";
export { InflateLimitError } from "./deflate/codec.ts";
export type { DeflateOptions, DeflateParams, GivenDeflateOptions } from "./deflate/negotiate.ts";
export type { MessageDeflate } from "./deflate/transform.ts";
export { type HandshakeAnswer, HandshakeError, ProtocolError, UsageError } from "./errors.ts";
export type {
  BinaryEvent,
  ClosedEvent,
  ClosingEvent,
  ConnectionEvent,
  PieceEvent,
  PingEvent,
  PongEvent,
  TextEvent,
  Utf8Event,
} from "./events.ts";
export { acceptKey, createKey, type SyncDigest } from "./handshake/accept.ts";
export { ClientHandshake, type ClientHandshakeOptions } from "./handshake/client.ts";
export type {
  FAILED_ROWS,
  HandshakeFault,
  HandshakeRule,
  REFUSED_ROWS,
} from "./handshake/faults.ts";
export { HANDSHAKE_FAULTS } from "./handshake/faults.ts";
export type { ClientUrl } from "./handshake/offer.ts";
export type { HandshakeOptions, Opened } from "./handshake/opened.ts";
export type { UpgradeRequest } from "./handshake/request.ts";
export { type AcceptChoice, ServerHandshake } from "./handshake/server.ts";
export { type HeaderField, HeaderFields, type HeaderInput } from "./http/fields.ts";
export type { RequestHead, ResponseHead } from "./http/head.ts";
export { DEFAULT_LIMITS, DEFAULT_TIMEOUTS, type Limits, type Timeouts } from "./limits.ts";
export type { Delivery } from "./message.ts";
export { prepareBinary, PreparedMessage, prepareText, type SendOptions } from "./prepared.ts";
export { Topics } from "./topics.ts";
export type { Violation, VIOLATION_ROWS, ViolationName } from "./violations.ts";
export { VIOLATIONS } from "./violations.ts";
