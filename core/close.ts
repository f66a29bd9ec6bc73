// Close codes and the payload of a Close frame: RFC 6455 §5.5.1, §7.1 and §7.4, with the IANA
// registry's later entries.
//
// One table says which codes may be sent and may arrive; encodeClose and decodeClose are the only
// readers of the layout. When a Close frame is due is the connection's affair, not this file's.

import { UsageError } from "./errors.ts";
import { utf8Decoder, utf8Encoder } from "./platform.ts";
import type { ViolationName } from "./violations.ts";

/**
 * The registered close codes (RFC 6455 §7.4.1 and the IANA WebSocket Close Code Number Registry).
 */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  /** Never on the wire: reported when a Close frame carried no code. */
  noStatus: 1005,
  /** Never on the wire: reported when the connection ended without a Close frame. */
  abnormal: 1006,
  invalidPayload: 1007,
  policyViolation: 1008,
  messageTooBig: 1009,
  mandatoryExtension: 1010,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  badGateway: 1014,
  /** Never on the wire: reported for a failed TLS handshake. */
  tlsHandshake: 1015,
} as const;

/** A Close frame's content; `code` is 1005 when the frame was empty. */
export interface CloseInfo {
  /** 1000-1003, 1005, 1007-1014 or 3000-4999 (RFC 6455 §7.4). */
  readonly code: number;
  /**
   * At most 123 bytes of UTF-8; empty without a code, and often with one. For people, says RFC 6455
   * §7.1.6, not for programs.
   */
  readonly reason: string;
}

/**
 * The longest reason, in bytes of UTF-8: 125 of a control frame less the two of the code (RFC 6455
 * §5.5).
 */
export const MAX_REASON_BYTES = 123;

// RFC 6455 §7.4: the codes that an endpoint may put on the wire. Not among them: 1004 is reserved,
// 1005, 1006 and 1015 only report.
const ON_WIRE: readonly { readonly from: number; readonly to: number; }[] = [
  { from: 1000, to: 1003 },
  { from: 1007, to: 1014 }, // 1012-1014 are from the registry
  { from: 3000, to: 4999 }, // §7.4.2: libraries and private use
];

/** Whether a Close frame may carry the code (RFC 6455 §7.4). */
export function isWireCloseCode(code: number): boolean {
  return Number.isInteger(code) && ON_WIRE.some(({ from, to }) => code >= from && code <= to);
}

/**
 * The payload of a Close frame; the reason is cut after the last whole character that fits 123
 * bytes. Code 1005 stands for "no code" and gives an empty payload (RFC 6455 §7.1.5).
 *
 * @throws {UsageError} for a code that must not be sent, for a reason without a code, and for one
 *   that is no string
 */
export function encodeClose(code: number, reason: string): Uint8Array {
  if (typeof reason !== "string") throw new UsageError("a close reason is a string");
  if (code === CloseCode.noStatus) {
    if (reason !== "") throw new UsageError("a close reason needs a close code");
    return new Uint8Array(0);
  }
  if (!isWireCloseCode(code)) {
    throw new UsageError(
      `close code ${code} must not be sent: use 1000-1003, 1007-1014 or 3000-4999`,
    );
  }
  const payload = new Uint8Array(2 + MAX_REASON_BYTES);
  payload[0] = code >> 8;
  payload[1] = code & 0xff;
  // encodeInto never writes a part of a character, which is just the cut that is wanted.
  const { written } = utf8Encoder.encodeInto(reason, payload.subarray(2));
  return payload.subarray(0, 2 + written);
}

/** Reads the payload of a received Close frame: its content, or the name of the rule it breaks. */
export function decodeClose(payload: Uint8Array): CloseInfo | ViolationName {
  if (payload.length === 0) return { code: CloseCode.noStatus, reason: "" };
  if (payload.length === 1) return "close-payload-one-byte";
  const code = payload[0]! << 8 | payload[1]!;
  if (!isWireCloseCode(code)) return "close-code-illegal";
  try {
    return { code, reason: utf8Decoder.decode(payload.subarray(2)) };
  } catch {
    return "close-reason-not-utf8";
  }
}
