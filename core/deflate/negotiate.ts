// Negotiation of permessage-deflate: RFC 7692 §7.1. Options in, header text and parameters out.
// http/fields.ts parses the header field; transform.ts compresses.
// A server declines an offer that it cannot take and tries the next one. A client cannot decline an
// answer, only fail the connection (§7.1).

import { UsageError } from "../errors.ts";
import type { HandshakeFault } from "../faults.ts";
import type { Extension, ExtensionParam } from "../http/fields.ts";
import { refuseUnknown } from "../limits.ts";
import type { DeflateCodec } from "./codec.ts";

/** The extension's name in Sec-WebSocket-Extensions (RFC 7692 §7). */
export const DEFLATE_NAME = "permessage-deflate";

/** Log2 of DEFLATE's largest window, the default of RFC 7692 §7.1.2. */
const MAX_WINDOW_BITS = 15;

/** How this endpoint compresses, and what it asks of the peer. */
export interface DeflateOptions {
  /** The implementation. */
  readonly codec: DeflateCodec;
  /** Messages of fewer bytes are sent uncompressed: they take one packet anyway. Default 128. */
  readonly threshold: number;
  /**
   * 0 (store) to 9 (smallest). Default 4: on JSON of some hundred bytes 13 % smaller than 1 in 10 %
   * more time. 6 saves another 6 %, but takes 3 times as long on hostile input.
   */
  readonly level: number;
  /** 1 (least memory) to 9. Default 5: 16 KiB. 8 takes 128 KiB for large messages 4 % smaller. */
  readonly memLevel: number;
  /** Log2 of this endpoint's window, 9-15. Default 12: 16 KiB. 15 takes 128 KiB and saves 3 %. */
  readonly windowBits: number;
  /**
   * Whether this endpoint's messages may refer to earlier ones (RFC 7692 §7.1.1), which keeps its
   * window as long as the connection. Default true.
   */
  readonly takeover: boolean;
  /** Log2 of the window asked of the peer, if it can be asked, 8-15. Default 15. */
  readonly peerWindowBits: number;
  /**
   * Whether the peer's messages may refer to earlier ones. Default true. False asks it not to; that
   * saves memory here only if the peer agrees.
   */
  readonly peerTakeover: boolean;
}

/** {@linkcode DeflateOptions} with defaults for all but the codec. */
export type GivenDeflateOptions = Partial<DeflateOptions> & Pick<DeflateOptions, "codec">;

/** The negotiated parameters, seen from this endpoint. */
export interface DeflateParams {
  /** Log2 of this endpoint's largest window, 8-15. */
  readonly windowBits: number;
  /** Whether this endpoint's messages may refer to earlier ones. */
  readonly takeover: boolean;
  /** Log2 of the peer's largest window, 8-15. */
  readonly peerWindowBits: number;
  /** Whether the peer's messages may refer to earlier ones; false only if the peer said so. */
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

// zlib has no 256-byte window: it refuses 8 or silently takes 9. So this endpoint starts at 9.
const RANGES = [
  ["threshold", 0, Infinity],
  ["level", 0, 9],
  ["memLevel", 1, 9],
  ["windowBits", 9, MAX_WINDOW_BITS],
  ["peerWindowBits", 8, MAX_WINDOW_BITS],
] as const;

/**
 * The defaults, replaced by the options that are given.
 * @throws {UsageError} for an unknown name, and for a value out of its range
 */
export function resolveDeflate(given: GivenDeflateOptions): DeflateOptions {
  refuseUnknown("deflate", given, ["codec", ...Object.keys(DEFAULTS)]);
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  const options = { ...DEFAULTS, ...Object.fromEntries(set) } as DeflateOptions;
  for (const [name, least, most] of RANGES) refuseOutside(name, options[name], least, most);
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
  const range = most === Infinity ? `${least}, or Infinity` : `${least} to ${most}`;
  throw new UsageError(`deflate.${name} is ${value}; it takes an integer from ${range}`);
}

/** The legal parameters of one offer or answer. `true`: present without a value. */
interface Parsed {
  readonly serverTakeover: boolean;
  readonly clientTakeover: boolean;
  readonly serverBits: number | undefined;
  readonly clientBits: number | true | undefined;
}

/** What a server agreed to, and the text that says so. */
type Agreed = { readonly params: DeflateParams; readonly answer: string; };

/** For the server: the first acceptable offer and its answer (§7.1); `undefined` declines all. */
export function answerOffers(
  offers: readonly Extension[],
  options: DeflateOptions,
): Agreed | undefined {
  for (const offer of offers) {
    if (offer.name !== DEFLATE_NAME) continue;
    const parsed = parse(offer.params);
    // An 8-bit window is a legal request that "the server does not support" (§7.1).
    if (typeof parsed !== "string" && parsed.serverBits !== 8) return answer(parsed, options);
  }
  return undefined;
}

function answer(offer: Parsed, options: DeflateOptions): Agreed {
  const windowBits = Math.min(offer.serverBits ?? MAX_WINDOW_BITS, options.windowBits);
  const takeover = offer.serverTakeover && options.takeover;
  // §7.1.2.2: without `client_max_window_bits` in the offer, the answer must not have it.
  const { clientBits } = offer;
  const peerWindowBits = clientBits === undefined
    ? MAX_WINDOW_BITS
    : Math.min(clientBits === true ? MAX_WINDOW_BITS : clientBits, options.peerWindowBits);
  const text = format(
    !takeover && "server_no_context_takeover",
    !(offer.clientTakeover && options.peerTakeover) && "client_no_context_takeover",
    (offer.serverBits !== undefined || windowBits < MAX_WINDOW_BITS)
      && `server_max_window_bits=${windowBits}`,
    (typeof clientBits === "number" || peerWindowBits < MAX_WINDOW_BITS)
      && `client_max_window_bits=${peerWindowBits}`,
  );
  // Safari accepts `client_no_context_takeover` in an answer, but still refers to earlier messages.
  // So the window is dropped only for a client that offered the parameter itself.
  const params = { windowBits, takeover, peerWindowBits, peerTakeover: offer.clientTakeover };
  return { params, answer: text };
}

/**
 * The client's offers (§7.1). A second, bare one is for servers that decline every parameter.
 * `client_max_window_bits` without a value lets the server choose any limit for this endpoint.
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
 * For the client: the parameters in the server's answer (§7.1), `undefined` for no extension, or a
 * fault that must fail the connection. `options` is `undefined` when nothing was offered.
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
  // §7.1.2.2: only an offer may omit the value.
  if (parsed.clientBits === true) return "extension-param-value";
  return {
    windowBits: Math.min(parsed.clientBits ?? MAX_WINDOW_BITS, options.windowBits),
    takeover: parsed.clientTakeover && options.takeover,
    // The server may have answered the bare offer, so any window is legal.
    peerWindowBits: parsed.serverBits ?? MAX_WINDOW_BITS,
    peerTakeover: parsed.serverTakeover,
  };
}

/** Returns a fault for parameters that a server must decline and a client must fail (§7.1). */
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
    // readBits never returns `true`.
    serverBits: seen.get("server_max_window_bits") as number | undefined,
    clientBits: seen.get("client_max_window_bits"),
  };
}

type ParamReader = (param: ExtensionParam) => number | true | undefined;

/** The value of each parameter (§7.1.1, §7.1.2); `true`: legally none; `undefined`: illegal. */
const READERS: ReadonlyMap<string, ParamReader> = new Map<string, ParamReader>([
  ["server_no_context_takeover", readNothing],
  ["client_no_context_takeover", readNothing],
  ["server_max_window_bits", readBits],
  ["client_max_window_bits", (param) => readNothing(param) ?? readBits(param)],
]);

function readNothing([, value]: ExtensionParam): true | undefined {
  return value === undefined ? true : undefined;
}

// §7.1.2.1: "a decimal integer value without leading zeroes between 8 to 15, inclusive". Refuses
// quotes, although RFC 6455 §9.1 allows them: no known peer sends them, and parsers differ.
function readBits([, value, quoted]: ExtensionParam): number | undefined {
  return quoted !== true && /^(?:[89]|1[0-5])$/.test(value ?? "") ? Number(value) : undefined;
}

function format(...params: readonly (string | false)[]): string {
  return [DEFLATE_NAME, ...params.filter((param) => param !== false)].join("; ");
}
