/**
 * The WebSocket protocol as a pure state machine: bytes and times in; events, bytes and one deadline out.
 *
 * It needs `Uint8Array`, `TextEncoder`, `TextDecoder` and Web Crypto, and nothing else: no sockets, no timers, no clock.
 *
 * @module
 */

export type { CloseInfo } from "./close.ts";
export { CloseCode, decodeClose, encodeClose, isWireCloseCode, MAX_REASON_BYTES } from "./close.ts";
export type { ConnectionOptions } from "./connection.ts";
export { Connection } from "./connection.ts";
export type { DeflateCodec, Deflater, DeflaterOptions, Inflater, InflaterOptions } from "./deflate/codec.ts";
export { InflateLimitError } from "./deflate/codec.ts";
export type { HandshakeAnswer } from "./errors.ts";
export { HandshakeError, ProtocolError, UsageError } from "./errors.ts";
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
export type { Limits, Timeouts } from "./limits.ts";
export { DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "./limits.ts";
export type { Delivery } from "./message.ts";
export type { SendOptions } from "./prepared.ts";
export { prepareBinary, PreparedMessage, prepareText } from "./prepared.ts";
export { Topics } from "./topics.ts";
export type { Violation, ViolationName } from "./violations.ts";
export { VIOLATIONS } from "./violations.ts";
