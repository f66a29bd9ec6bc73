/**
 * The core's internal face: what the host shares with it, and types that the public face refers to.
 * Not an entry point of the package, and not stable.
 *
 * @module
 */

export { concat, copyOf } from "./bytes.ts";
export { encodeClose, isWireCloseCode, MAX_REASON_BYTES } from "./close.ts";
export type { DeflaterOptions, InflaterOptions } from "./deflate/codec.ts";
export { type DeflateOptions, type DeflateParams, resolveDeflate } from "./deflate/negotiate.ts";
export { MessageDeflate } from "./deflate/transform.ts";
export type * from "./events.ts";
export { NO_EVENTS } from "./events.ts";
export type { FAILED_ROWS, HandshakeRule, REFUSED_ROWS } from "./faults.ts";
export { KEY_GUID } from "./handshake/key.ts";
export type { HandshakeFailed } from "./handshake/options.ts";
export { type Credentials, formatCredentials, hasCredentials } from "./handshake/request.ts";
export { isToken } from "./http/fields.ts";
export { checkFields, formatRequestHead, formatResponseHead } from "./http/format.ts";
export type { ResponseHead } from "./http/head.ts";
export { HeadReader, parseResponseHead, splitAbsoluteTarget } from "./http/head.ts";
export { refuseUnknown, resolveLimits, resolveTimeouts } from "./limits.ts";
export { LINGER } from "./machine.ts";
export type { Delivery } from "./message.ts";
export { giveBack } from "./output.ts";
export { type Utf8Encoder, utf8Encoder } from "./platform.ts";
export type { Violation, VIOLATION_ROWS } from "./violations.ts";
