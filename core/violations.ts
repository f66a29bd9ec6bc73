// Every rule that a peer can break on an open connection: close code, RFC section and a sentence.
// No other file names a close code for a violation. faults.ts has the rules of the opening
// handshake, which have no close code. Every row needs a test vector.

/** A rule that a peer can break on an open connection. */
export interface Violation {
  /** The close code sent for it: 1001, 1002, 1007, 1009 or 1011 (RFC 6455 §7.4.1). */
  readonly code: number;
  /** The section that states the rule, such as `"RFC 6455 §5.2"`. */
  readonly section: string;
  /** In lower case, without a full stop. With the section it is the Close frame's reason. */
  readonly message: string;
}

/** The rows of {@linkcode VIOLATIONS}, exported for their type: close code, section, sentence. */
export const VIOLATION_ROWS = {
  // Frame header
  "reserved-bit": [1002, "RFC 6455 §5.2", "a reserved bit is set that no extension defines"],
  "reserved-opcode": [1002, "RFC 6455 §5.2", "the opcode is reserved"],
  "control-fragmented": [1002, "RFC 6455 §5.5", "a control frame is fragmented"],
  "control-too-long": [1002, "RFC 6455 §5.5", "a control frame has over 125 bytes of payload"],
  "mask-missing": [1002, "RFC 6455 §5.1", "a frame from a client is not masked"],
  "mask-unexpected": [1002, "RFC 6455 §5.1", "a frame from a server is masked"],
  "length-not-minimal": [1002, "RFC 6455 §5.2", "the payload length is not in its shortest form"],
  "length-too-large": [1002, "RFC 6455 §5.2", "a 64-bit payload length has its top bit set"],

  // Message
  "continuation-unexpected": [1002, "RFC 6455 §5.4", "a continuation frame continues no message"],
  "continuation-expected": [1002, "RFC 6455 §5.4", "a message begins inside another message"],
  "text-not-utf8": [1007, "RFC 6455 §8.1", "a text message is not valid UTF-8"],
  "message-too-big": [1009, "RFC 6455 §7.4.1", "a message is larger than the limit"],

  // Compression. The framing was right, so not 1002 but 1007: "data … not consistent with the
  // type of the message" (§7.4.1).
  "deflate-corrupt": [1007, "RFC 7692 §7.2.2", "a compressed message does not inflate"],

  // Close frame
  "close-payload-one-byte": [1002, "RFC 6455 §5.5.1", "a Close frame has a payload of one byte"],
  "close-code-illegal": [1002, "RFC 6455 §7.4", "a Close frame has a code that must not be sent"],
  "close-reason-not-utf8": [1007, "RFC 6455 §5.5.1", "a Close frame's reason is not valid UTF-8"],

  // Time
  "pong-overdue": [1011, "RFC 6455 §5.5.2", "the peer answered no ping in time"],
  "idle-too-long": [1001, "RFC 6455 §7.4.1", "no message was exchanged for the idle timeout"],
} as const;

/** A name in {@linkcode VIOLATIONS}. */
export type ViolationName = keyof typeof VIOLATION_ROWS;

/** Every rule a peer can break on an open connection, by name. */
export const VIOLATIONS: Readonly<Record<ViolationName, Violation>> = Object.fromEntries(
  Object.entries(VIOLATION_ROWS)
    .map(([name, [code, section, message]]) => [name, { code, section, message }]),
) as Record<ViolationName, Violation>;
