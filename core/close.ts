// Close codes and the payload of a Close frame: RFC 6455 §5.5.1, §7.1 and §7.4, with the later
// entries of the IANA registry. closing.ts decides when a Close frame is sent.

import { UsageError } from "./errors.ts";
import { utf8Decoder, utf8Encoder } from "./platform.ts";
import type { ViolationName } from "./violations.ts";

/** The close codes of RFC 6455 §7.4.1 and the IANA WebSocket Close Code Number Registry. */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  /** Never on the wire: reported for a Close frame without a code. */
  noStatus: 1005,
  /** Never on the wire: reported for an end without a Close frame. */
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

/** The content of a Close frame. */
export interface CloseInfo {
  /** 1000-1003, 1007-1014, 3000-4999, or 1005 for an empty frame (RFC 6455 §7.4). */
  readonly code: number;
  /** 0-123 bytes of UTF-8, for people (RFC 6455 §7.1.6); always empty with code 1005. */
  readonly reason: string;
}

/** The longest reason in bytes of UTF-8: 125, less 2 for the code (RFC 6455 §5.5). */
export const MAX_REASON_BYTES = 123;

// The codes that an endpoint may send (RFC 6455 §7.4): not 1004, which is reserved, and not 1005,
// 1006 and 1015, which only report.
const ON_WIRE = [
  { from: 1000, to: 1003 },
  { from: 1007, to: 1014 }, // 1012-1014 are from the registry
  { from: 3000, to: 4999 }, // §7.4.2: libraries and private use
];

/** Whether a Close frame may carry the code (RFC 6455 §7.4). */
export function isWireCloseCode(code: number): boolean {
  return Number.isInteger(code) && ON_WIRE.some(({ from, to }) => code >= from && code <= to);
}

/**
 * The payload of a Close frame. The reason is cut to 123 bytes of whole characters. Code 1005 means
 * "no code" and gives an empty payload (RFC 6455 §7.1.5).
 * @throws {UsageError} for an illegal code, a reason with code 1005, and a reason that is no string
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
  payload.set([code >> 8, code & 0xff]);
  // encodeInto never writes part of a character.
  const { written } = utf8Encoder.encodeInto(reason, payload.subarray(2));
  return payload.subarray(0, 2 + written);
}

/** The content of a received Close frame, or the violation in its payload. */
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
