// Close codes, RFC 6455 §7.4 and the IANA registry: which of the 65536 there are may be on the
// wire, in either direction.

/** One run of neighbouring codes. */
export interface CodeRun {
  readonly from: number;
  readonly to: number;
  readonly onWire: boolean;
  readonly why: string;
}

/** All codes, in order, without a gap. */
export const CODE_RUNS: readonly CodeRun[] = [
  { from: 0, to: 999, onWire: false, why: "§7.4.2: not used" },
  {
    from: 1000,
    to: 1003,
    onWire: true,
    why: "§7.4.1: normal, going away, protocol error, unsupported data",
  },
  { from: 1004, to: 1004, onWire: false, why: "§7.4.1: reserved" },
  { from: 1005, to: 1005, onWire: false, why: "§7.4.1: reported for a Close frame without a code" },
  { from: 1006, to: 1006, onWire: false, why: "§7.4.1: reported for an end without a Close frame" },
  {
    from: 1007,
    to: 1011,
    onWire: true,
    why: "§7.4.1: invalid data, policy, too big, extension, internal error",
  },
  {
    from: 1012,
    to: 1014,
    onWire: true,
    why: "registry: service restart, try again later, bad gateway",
  },
  { from: 1015, to: 1015, onWire: false, why: "§7.4.1: reported for a failed TLS handshake" },
  { from: 1016, to: 2999, onWire: false, why: "§7.4.2: for future versions of the protocol" },
  { from: 3000, to: 3999, onWire: true, why: "§7.4.2: libraries and frameworks" },
  { from: 4000, to: 4999, onWire: true, why: "§7.4.2: private use" },
  { from: 5000, to: 65535, onWire: false, why: "§7.4.2: defined nowhere" },
];

/**
 * Reasons and what is left of them in a Close frame: the longest run of whole characters that fits
 * 123 bytes.
 */
export const REASONS: readonly {
  readonly name: string;
  readonly reason: string;
  readonly sent: string;
}[] = [
  { name: "none", reason: "", sent: "" },
  { name: "a short one", reason: "going home", sent: "going home" },
  { name: "123 letters", reason: "r".repeat(123), sent: "r".repeat(123) },
  { name: "124 letters", reason: "r".repeat(124), sent: "r".repeat(123) },
  { name: "two-byte characters", reason: "é".repeat(62), sent: "é".repeat(61) },
  {
    name: "two-byte characters that fit",
    reason: `é${"é".repeat(60)}x`,
    sent: `é${"é".repeat(60)}x`,
  },
  { name: "three-byte characters", reason: "€".repeat(41), sent: "€".repeat(41) },
  {
    name: "three-byte characters, one too many",
    reason: `x${"€".repeat(41)}`,
    sent: `x${"€".repeat(40)}`,
  },
  { name: "four-byte characters", reason: "𝄞".repeat(31), sent: "𝄞".repeat(30) },
  {
    name: "four-byte characters, one byte short",
    reason: `${"𝄞".repeat(30)}xyz𝄞`,
    sent: `${"𝄞".repeat(30)}xyz`,
  },
  {
    name: "a character that does not fit before one that would",
    reason: `${"r".repeat(122)}éx`,
    sent: "r".repeat(122),
  },
  { name: "a lone surrogate", reason: "a\ud800b", sent: "a\ufffdb" },
  { name: "U+FEFF", reason: "\ufeffx", sent: "\ufeffx" },
  { name: "a megabyte", reason: "r".repeat(2 ** 20), sent: "r".repeat(123) },
];
