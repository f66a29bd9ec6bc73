// permessage-deflate, negotiated: RFC 7692 §7.1. Options in, header text and parameters out; every
// function is pure.
//
// The grammar of the Sec-WebSocket-Extensions field is http/fields.ts's affair, the bytes are
// transform.ts's. A server declines an offer it cannot take and looks at the next one; a client
// cannot decline an answer, it can only fail the connection (§7.1).

import { UsageError } from "../errors.ts";
import type { HandshakeFault } from "../handshake/faults.ts";
import type { Extension, ExtensionParam } from "../http/fields.ts";
import { refuseUnknown } from "../limits.ts";
import type { DeflateCodec } from "./codec.ts";

/** The extension's name in Sec-WebSocket-Extensions (RFC 7692 §7). */
export const DEFLATE_NAME = "permessage-deflate";

/**
 * Base-two logarithm of the largest window DEFLATE knows, and what holds where nothing else was
 * agreed (RFC 7692 §7.1.2).
 */
const MAX_WINDOW_BITS = 15;

/** How this endpoint compresses, and what it asks of its peer. */
export interface DeflateOptions {
  /** The implementation. */
  readonly codec: DeflateCodec;
  /**
   * Bytes under which a message goes out uncompressed. Default 128: such a message fills a fraction
   * of one packet either way, so compressing it would spend time on both sides to save nothing that
   * anyone pays for.
   */
  readonly threshold: number;
  /**
   * 0 (store) to 9 (smallest). Default 4: on JSON of some hundred bytes 13 percent smaller than
   * level 1 for a tenth more time. Level 6 saves another 6 percent, and takes three times as long
   * over content that is made to be hard.
   */
  readonly level: number;
  /**
   * 1 (least memory) to 9. Default 5, which takes 16 KiB; 8, as in zlib, takes 128 KiB, for large
   * messages that are 4 percent smaller.
   */
  readonly memLevel: number;
  /**
   * Base-two logarithm of the window this endpoint compresses with, 9-15. Default 12: it takes 16
   * KiB; 15 takes 128 KiB, for messages that are 3 percent smaller.
   */
  readonly windowBits: number;
  /**
   * Whether this endpoint's messages may refer to the ones before; costs a window for as long as
   * the connection lasts. Default true.
   */
  readonly takeover: boolean;
  /**
   * Base-two logarithm of the largest window the peer is asked to compress with, 8-15; not every
   * peer can be asked. Default 15.
   */
  readonly peerWindowBits: number;
  /**
   * Whether the peer's messages may refer to the ones before; false asks it not to, and saves
   * memory here only where the peer says itself that it will not. Default true.
   */
  readonly peerTakeover: boolean;
}

/** {@linkcode DeflateOptions} as a caller gives them: all but the codec have defaults. */
export type GivenDeflateOptions = Partial<DeflateOptions> & Pick<DeflateOptions, "codec">;

/** What was agreed on, seen from this endpoint. */
export interface DeflateParams {
  /** Base-two logarithm of the window this endpoint may compress with, 8-15. */
  readonly windowBits: number;
  /** Whether this endpoint's messages may refer to the ones before. */
  readonly takeover: boolean;
  /** Base-two logarithm of the window the peer may compress with, 8-15. */
  readonly peerWindowBits: number;
  /**
   * Whether the peer's messages may refer to the ones before; false only where the peer itself said
   * that they do not.
   */
  readonly peerTakeover: boolean;
}

const DEFAULTS: Omit<DeflateOptions, "codec"> = {
  threshold: 128,
  level: 4,
  memLevel: 5,
  windowBits: 12,
  takeover: true,
  peerWindowBits: MAX_WINDOW_BITS,
  peerTakeover: true,
};

// zlib has no 256-byte window: it takes 9 for 8 without a word or refuses it, so our side starts at
// 9.
const RANGES = {
  threshold: [0, Infinity],
  level: [0, 9],
  memLevel: [1, 9],
  windowBits: [9, MAX_WINDOW_BITS],
  peerWindowBits: [8, MAX_WINDOW_BITS],
} as const satisfies Partial<Record<keyof DeflateOptions, readonly [number, number]>>;

/**
 * The options in force: the defaults with what the caller gave instead.
 *
 * @throws {UsageError} for an unknown name and for a value out of its range, by name
 */
export function resolveDeflate(given: GivenDeflateOptions): DeflateOptions {
  refuseUnknown("deflate", given, ["codec", ...Object.keys(DEFAULTS)]);
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  const options = { ...DEFAULTS, ...Object.fromEntries(set) } as DeflateOptions;
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    refuseOutside(name, options[name as keyof typeof RANGES], least, most);
  }
  for (const name of ["takeover", "peerTakeover"] as const) {
    if (typeof options[name] !== "boolean") {
      throw new UsageError(`deflate.${name} is ${options[name]}; it takes true or false`);
    }
  }
  if (typeof options.codec?.createInflater !== "function") {
    throw new UsageError("deflate.codec is missing; it takes a DeflateCodec");
  }
  return options;
}

function refuseOutside(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most && (Number.isInteger(value) || value === most)) return;
  const range = most === Infinity
    ? `an integer from ${least}, or Infinity`
    : `an integer from ${least} to ${most}`;
  throw new UsageError(`deflate.${name} is ${value}; it takes ${range}`);
}

/**
 * The parameters of one offer or answer, as far as they are legal. `true`: present without a value.
 */
interface Parsed {
  readonly serverTakeover: boolean;
  readonly clientTakeover: boolean;
  readonly serverBits: number | undefined;
  readonly clientBits: number | true | undefined;
}

/**
 * The server's side of §7.1: the first offer that can be taken, and the answer to send.
 * `undefined`: all were declined, and the answer has no extension.
 */
export function answerOffers(
  offers: readonly Extension[],
  options: DeflateOptions,
): { params: DeflateParams; answer: string; } | undefined {
  for (const offer of offers) {
    if (offer.name !== DEFLATE_NAME) continue;
    const parsed = parse(offer.params);
    // An 8-bit window is legal to ask for and not ours to compress with, so this offer is one "the
    // server does not support" (§7.1).
    if (typeof parsed !== "string" && parsed.serverBits !== 8) return answer(parsed, options);
  }
  return undefined;
}

function answer(
  offer: Parsed,
  options: DeflateOptions,
): { params: DeflateParams; answer: string; } {
  const windowBits = Math.min(offer.serverBits ?? MAX_WINDOW_BITS, options.windowBits);
  const takeover = offer.serverTakeover && options.takeover;
  const peerWindowBits = Math.min(
    clientLimit(offer.clientBits),
    offer.clientBits === undefined ? MAX_WINDOW_BITS : options.peerWindowBits,
  );
  const text = format(
    !takeover && "server_no_context_takeover",
    !(offer.clientTakeover && options.peerTakeover) && "client_no_context_takeover",
    (offer.serverBits !== undefined || windowBits < MAX_WINDOW_BITS)
      && `server_max_window_bits=${windowBits}`,
    // §7.1.2.2: an answer must not have this one when the offer had not.
    peerWindowBits < MAX_WINDOW_BITS || typeof offer.clientBits === "number"
      ? `client_max_window_bits=${peerWindowBits}`
      : false,
  );
  // Safari takes `client_no_context_takeover` in an answer without a word and goes on referring to
  // earlier messages. Only a client that named the parameter itself is taken at its word; for the
  // others the window is kept, which harms no message.
  return {
    params: { windowBits, takeover, peerWindowBits, peerTakeover: offer.clientTakeover },
    answer: text,
  };
}

function clientLimit(bits: number | true | undefined): number {
  return typeof bits === "number" ? bits : MAX_WINDOW_BITS;
}

/**
 * The client's offers (§7.1). A second, bare offer follows for servers that decline whatever has a
 * parameter.
 *
 * `client_max_window_bits` has no value: it lets the server choose, and whatever it chooses this
 * endpoint can stay below.
 */
export function formatOffer(options: DeflateOptions): string {
  const first = format(
    "client_max_window_bits",
    !options.takeover && "client_no_context_takeover",
    !options.peerTakeover && "server_no_context_takeover",
    options.peerWindowBits < MAX_WINDOW_BITS && `server_max_window_bits=${options.peerWindowBits}`,
  );
  return `${first}, ${DEFLATE_NAME}`;
}

/**
 * The client's side of §7.1: what the server's answer means. `undefined`: the server wants no
 * extension. A fault's name: the connection must fail. `options` is `undefined` when nothing was
 * offered.
 */
export function readAnswer(
  answers: readonly Extension[],
  options: DeflateOptions | undefined,
): DeflateParams | HandshakeFault | undefined {
  const [first, second] = answers;
  if (first === undefined) return undefined;
  if (options === undefined || answers.some((extension) => extension.name !== DEFLATE_NAME)) {
    return "extension-not-offered";
  }
  if (second !== undefined) return "extension-repeated";
  const parsed = parse(first.params);
  if (typeof parsed === "string") return parsed;
  // §7.1.2.2: only an offer may have this one without a value.
  if (parsed.clientBits === true) return "extension-param-value";
  return {
    windowBits: Math.min(parsed.clientBits ?? MAX_WINDOW_BITS, options.windowBits),
    takeover: parsed.clientTakeover && options.takeover,
    // The server may have answered the bare offer, so a larger window than asked for is legal, and
    // so is none.
    peerWindowBits: parsed.serverBits ?? MAX_WINDOW_BITS,
    peerTakeover: parsed.serverTakeover,
  };
}

/** A fault's name for what §7.1 makes a server decline and a client fail. */
function parse(params: readonly ExtensionParam[]): Parsed | HandshakeFault {
  const seen = new Map<string, number | true>();
  for (const param of params) {
    const [name] = param;
    const read = READERS.get(name);
    if (read === undefined) return "extension-param-unknown";
    if (seen.has(name)) return "extension-param-repeated";
    const value = read(param);
    if (value === undefined) return "extension-param-value";
    seen.set(name, value);
  }
  return {
    serverTakeover: !seen.has("server_no_context_takeover"),
    clientTakeover: !seen.has("client_no_context_takeover"),
    // The reader of this one gives no `true`.
    serverBits: seen.get("server_max_window_bits") as number | undefined,
    clientBits: seen.get("client_max_window_bits"),
  };
}

type ParamReader = (param: ExtensionParam) => number | true | undefined;

/**
 * How each parameter's value is read (§7.1.1, §7.1.2): a number, `true` for legally none,
 * `undefined` for an illegal one.
 */
const READERS: ReadonlyMap<string, ParamReader> = new Map<string, ParamReader>([
  ["server_no_context_takeover", readNothing],
  ["client_no_context_takeover", readNothing],
  ["server_max_window_bits", readBits],
  ["client_max_window_bits", (param) => readNothing(param) ?? readBits(param)],
]);

function readNothing([, value]: ExtensionParam): true | undefined {
  return value === undefined ? true : undefined;
}

/**
 * §7.1.2.1: "a decimal integer value without leading zeroes between 8 to 15, inclusive". RFC 6455
 * §9.1 lets any value be quoted, but a quoted one is not of that form as it stands, nobody sends
 * it, and readers differ on it; a server may decline any offer.
 */
function readBits([, value, quoted]: ExtensionParam): number | undefined {
  return quoted !== true && /^(?:[89]|1[0-5])$/.test(value ?? "") ? Number(value) : undefined;
}

function format(...params: readonly (string | false)[]): string {
  return [DEFLATE_NAME, ...params.filter((param) => param !== false)].join("; ");
}
