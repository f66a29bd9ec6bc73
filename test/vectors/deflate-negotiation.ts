// RFC 7692 §7.1 as tables: what a server answers to an offer, what a client offers, and what a
// client makes of an answer. Header text on both sides; the options are what differs from the
// defaults; the parameters are seen from the endpoint under test.

import type { DeflateOptions, DeflateParams } from "../../core/deflate/negotiate.ts";
import type { HandshakeFault } from "../../core/faults.ts";

type Options = Partial<Omit<DeflateOptions, "codec">>;

/** Nothing agreed on but the extension itself. */
const BARE: DeflateParams = {
  windowBits: 15,
  takeover: true,
  peerWindowBits: 15,
  peerTakeover: true,
};

const NAME = "permessage-deflate";

export interface OfferRow {
  readonly why: string;
  readonly offer: string;
  readonly options?: Options;
  /** `undefined`: declined. */
  readonly answer?: string;
  readonly params?: DeflateParams;
}

export const OFFERS: readonly OfferRow[] = [
  { why: "bare", offer: NAME, answer: NAME, params: BARE },
  { why: "another extension", offer: "x-webkit-deflate-frame" },
  { why: "the name of an object's property", offer: "constructor" },
  { why: "another extension first", offer: `foo; bar=1, ${NAME}`, answer: NAME, params: BARE },

  // server_no_context_takeover
  {
    why: "no takeover asked of the server",
    offer: `${NAME}; server_no_context_takeover`,
    answer: `${NAME}; server_no_context_takeover`,
    params: { ...BARE, takeover: false },
  },
  {
    why: "no takeover by our own option, unasked (§7.1.1.1)",
    offer: NAME,
    options: { takeover: false },
    answer: `${NAME}; server_no_context_takeover`,
    params: { ...BARE, takeover: false },
  },
  { why: "a value that must not be there", offer: `${NAME}; server_no_context_takeover=true` },
  {
    why: "a quoted value that must not be there",
    offer: `${NAME}; server_no_context_takeover="1"`,
  },
  { why: "repeated", offer: `${NAME}; server_no_context_takeover; server_no_context_takeover` },

  // client_no_context_takeover
  {
    why: "no takeover promised by the client",
    offer: `${NAME}; client_no_context_takeover`,
    answer: `${NAME}; client_no_context_takeover`,
    params: { ...BARE, peerTakeover: false },
  },
  {
    why: "no takeover asked of a client that said nothing of it, whose window is kept",
    offer: NAME,
    options: { peerTakeover: false },
    answer: `${NAME}; client_no_context_takeover`,
    params: BARE,
  },
  { why: "a value that must not be there", offer: `${NAME}; client_no_context_takeover=10` },
  { why: "repeated", offer: `${NAME}; client_no_context_takeover; client_no_context_takeover` },

  // server_max_window_bits
  ...[9, 10, 11, 12, 13, 14, 15].map((bits): OfferRow => ({
    why: "each window",
    offer: `${NAME}; server_max_window_bits=${bits}`,
    answer: `${NAME}; server_max_window_bits=${bits}`,
    params: { ...BARE, windowBits: bits },
  })),
  {
    why: "our own window is smaller",
    offer: `${NAME}; server_max_window_bits=12`,
    options: { windowBits: 10 },
    answer: `${NAME}; server_max_window_bits=10`,
    params: { ...BARE, windowBits: 10 },
  },
  {
    why: "our own window is larger",
    offer: `${NAME}; server_max_window_bits=10`,
    options: { windowBits: 12 },
    answer: `${NAME}; server_max_window_bits=10`,
    params: { ...BARE, windowBits: 10 },
  },
  {
    why: "our own window, unasked (§7.1.2.1)",
    offer: NAME,
    options: { windowBits: 11 },
    answer: `${NAME}; server_max_window_bits=11`,
    params: { ...BARE, windowBits: 11 },
  },
  { why: "a window we do not compress with", offer: `${NAME}; server_max_window_bits=8` },
  { why: "a missing value", offer: `${NAME}; server_max_window_bits` },
  { why: "below the range", offer: `${NAME}; server_max_window_bits=7` },
  { why: "zero", offer: `${NAME}; server_max_window_bits=0` },
  { why: "above the range", offer: `${NAME}; server_max_window_bits=16` },
  { why: "far above the range", offer: `${NAME}; server_max_window_bits=1000` },
  { why: "a leading zero", offer: `${NAME}; server_max_window_bits=09` },
  { why: "a sign", offer: `${NAME}; server_max_window_bits=+10` },
  { why: "a negative number", offer: `${NAME}; server_max_window_bits=-10` },
  { why: "a fraction", offer: `${NAME}; server_max_window_bits=10.0` },
  { why: "an exponent", offer: `${NAME}; server_max_window_bits=1e1` },
  { why: "hexadecimal", offer: `${NAME}; server_max_window_bits=0xa` },
  { why: "letters", offer: `${NAME}; server_max_window_bits=ten` },
  { why: "quoted", offer: `${NAME}; server_max_window_bits="10"` },
  { why: "quoted and escaped", offer: `${NAME}; server_max_window_bits="1\\0"` },
  { why: "repeated", offer: `${NAME}; server_max_window_bits=10; server_max_window_bits=10` },
  {
    why: "repeated with another value",
    offer: `${NAME}; server_max_window_bits=10; server_max_window_bits=12`,
  },

  // client_max_window_bits
  {
    why: "no value, and no wish of ours",
    offer: `${NAME}; client_max_window_bits`,
    answer: NAME,
    params: BARE,
  },
  ...[8, 9, 12, 15].map((bits): OfferRow => ({
    why: "each window",
    offer: `${NAME}; client_max_window_bits=${bits}`,
    answer: `${NAME}; client_max_window_bits=${bits}`,
    params: { ...BARE, peerWindowBits: bits },
  })),
  ...[8, 9, 12].map((bits): OfferRow => ({
    why: "no value, and a wish of ours",
    offer: `${NAME}; client_max_window_bits`,
    options: { peerWindowBits: bits },
    answer: `${NAME}; client_max_window_bits=${bits}`,
    params: { ...BARE, peerWindowBits: bits },
  })),
  {
    why: "our wish is below the client's window",
    offer: `${NAME}; client_max_window_bits=13`,
    options: { peerWindowBits: 11 },
    answer: `${NAME}; client_max_window_bits=11`,
    params: { ...BARE, peerWindowBits: 11 },
  },
  {
    why: "our wish is above the client's window",
    offer: `${NAME}; client_max_window_bits=9`,
    options: { peerWindowBits: 11 },
    answer: `${NAME}; client_max_window_bits=9`,
    params: { ...BARE, peerWindowBits: 9 },
  },
  {
    why: "a wish that must not be told to a client without the parameter (§7.1.2.2)",
    offer: NAME,
    options: { peerWindowBits: 9 },
    answer: NAME,
    params: BARE,
  },
  { why: "below the range", offer: `${NAME}; client_max_window_bits=7` },
  { why: "above the range", offer: `${NAME}; client_max_window_bits=16` },
  { why: "a leading zero", offer: `${NAME}; client_max_window_bits=08` },
  { why: "quoted", offer: `${NAME}; client_max_window_bits="15"` },
  { why: "repeated", offer: `${NAME}; client_max_window_bits; client_max_window_bits=10` },

  // Names and several offers
  { why: "an unknown parameter", offer: `${NAME}; unknown` },
  {
    why: "an unknown parameter beside a known one",
    offer: `${NAME}; server_max_window_bits=10; unknown=1`,
  },
  { why: "the name of an object's property as a parameter", offer: `${NAME}; __proto__` },
  { why: "a known parameter in capitals", offer: `${NAME}; Server_Max_Window_Bits=10` },
  {
    why: "all four at once",
    offer:
      `${NAME}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11`,
    answer:
      `${NAME}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11`,
    params: { windowBits: 10, takeover: false, peerWindowBits: 11, peerTakeover: false },
  },
  {
    why: "the first offer is taken",
    offer: `${NAME}; server_max_window_bits=10, ${NAME}`,
    answer: `${NAME}; server_max_window_bits=10`,
    params: { ...BARE, windowBits: 10 },
  },
  {
    why: "a fallback after an illegal offer",
    offer: `${NAME}; server_max_window_bits=99, ${NAME}`,
    answer: NAME,
    params: BARE,
  },
  {
    why: "a fallback after a window of 8",
    offer: `${NAME}; server_max_window_bits=8, ${NAME}`,
    answer: NAME,
    params: BARE,
  },
  {
    why: "the third of three",
    offer: `${NAME}; a, ${NAME}; server_max_window_bits, ${NAME}; client_max_window_bits=10`,
    answer: `${NAME}; client_max_window_bits=10`,
    params: { ...BARE, peerWindowBits: 10 },
  },
  {
    why: "no legal one of two",
    offer: `${NAME}; server_max_window_bits=7, ${NAME}; client_max_window_bits=16`,
  },
];

/** What a client offers under its options. */
export const OFFERED: readonly { readonly options: Options; readonly offer: string; }[] = [
  { options: {}, offer: `${NAME}; client_max_window_bits, ${NAME}` },
  { options: { windowBits: 10 }, offer: `${NAME}; client_max_window_bits, ${NAME}` },
  {
    options: { takeover: false },
    offer: `${NAME}; client_max_window_bits; client_no_context_takeover, ${NAME}`,
  },
  {
    options: { peerTakeover: false },
    offer: `${NAME}; client_max_window_bits; server_no_context_takeover, ${NAME}`,
  },
  {
    options: { peerWindowBits: 8 },
    offer: `${NAME}; client_max_window_bits; server_max_window_bits=8, ${NAME}`,
  },
  {
    options: { takeover: false, peerTakeover: false, peerWindowBits: 12 },
    offer:
      `${NAME}; client_max_window_bits; client_no_context_takeover; server_no_context_takeover; server_max_window_bits=12, ${NAME}`,
  },
];

export interface AnswerRow {
  readonly why: string;
  readonly answer: string;
  readonly options?: Options;
  readonly means: DeflateParams | HandshakeFault;
}

export const ANSWERS: readonly AnswerRow[] = [
  { why: "bare", answer: NAME, means: BARE },
  { why: "another extension", answer: "foo", means: "extension-not-offered" },
  { why: "another extension beside ours", answer: `${NAME}, foo`, means: "extension-not-offered" },
  { why: "the same extension twice", answer: `${NAME}, ${NAME}`, means: "extension-repeated" },

  // server_no_context_takeover
  {
    why: "no takeover by the server, asked for",
    answer: `${NAME}; server_no_context_takeover`,
    options: { peerTakeover: false },
    means: { ...BARE, peerTakeover: false },
  },
  {
    why: "no takeover by the server, unasked",
    answer: `${NAME}; server_no_context_takeover`,
    means: { ...BARE, peerTakeover: false },
  },
  {
    why: "the bare offer taken instead",
    answer: NAME,
    options: { peerTakeover: false },
    means: BARE,
  },
  {
    why: "a value that must not be there",
    answer: `${NAME}; server_no_context_takeover=1`,
    means: "extension-param-value",
  },
  {
    why: "repeated",
    answer: `${NAME}; server_no_context_takeover; server_no_context_takeover`,
    means: "extension-param-repeated",
  },

  // client_no_context_takeover
  {
    why: "no takeover asked of us",
    answer: `${NAME}; client_no_context_takeover`,
    means: { ...BARE, takeover: false },
  },
  {
    why: "no takeover by our own option, whatever the answer",
    answer: NAME,
    options: { takeover: false },
    means: { ...BARE, takeover: false },
  },
  {
    why: "a value that must not be there",
    answer: `${NAME}; client_no_context_takeover="1"`,
    means: "extension-param-value",
  },

  // server_max_window_bits
  ...[8, 9, 12, 15].map((bits): AnswerRow => ({
    why: "each window, unasked",
    answer: `${NAME}; server_max_window_bits=${bits}`,
    means: { ...BARE, peerWindowBits: bits },
  })),
  {
    why: "smaller than asked for",
    answer: `${NAME}; server_max_window_bits=9`,
    options: { peerWindowBits: 12 },
    means: { ...BARE, peerWindowBits: 9 },
  },
  {
    why: "larger than asked for: the bare offer taken instead",
    answer: `${NAME}; server_max_window_bits=14`,
    options: { peerWindowBits: 12 },
    means: { ...BARE, peerWindowBits: 14 },
  },
  {
    why: "a missing value",
    answer: `${NAME}; server_max_window_bits`,
    means: "extension-param-value",
  },
  {
    why: "below the range",
    answer: `${NAME}; server_max_window_bits=7`,
    means: "extension-param-value",
  },
  {
    why: "above the range",
    answer: `${NAME}; server_max_window_bits=16`,
    means: "extension-param-value",
  },
  {
    why: "digits far above the range",
    answer: `${NAME}; server_max_window_bits=1000`,
    means: "extension-param-value",
  },
  {
    why: "a leading zero",
    answer: `${NAME}; server_max_window_bits=010`,
    means: "extension-param-value",
  },
  { why: "quoted", answer: `${NAME}; server_max_window_bits="10"`, means: "extension-param-value" },
  {
    why: "repeated",
    answer: `${NAME}; server_max_window_bits=10; server_max_window_bits=10`,
    means: "extension-param-repeated",
  },

  // client_max_window_bits
  ...[8, 9, 12, 15].map((bits): AnswerRow => ({
    why: "each window",
    answer: `${NAME}; client_max_window_bits=${bits}`,
    means: { ...BARE, windowBits: bits },
  })),
  {
    why: "our own window is smaller",
    answer: `${NAME}; client_max_window_bits=12`,
    options: { windowBits: 10 },
    means: { ...BARE, windowBits: 10 },
  },
  {
    why: "our own window, unanswered",
    answer: NAME,
    options: { windowBits: 10 },
    means: { ...BARE, windowBits: 10 },
  },
  {
    why: "no value, legal in an offer only",
    answer: `${NAME}; client_max_window_bits`,
    means: "extension-param-value",
  },
  {
    why: "below the range",
    answer: `${NAME}; client_max_window_bits=7`,
    means: "extension-param-value",
  },
  {
    why: "above the range",
    answer: `${NAME}; client_max_window_bits=16`,
    means: "extension-param-value",
  },
  { why: "quoted", answer: `${NAME}; client_max_window_bits="12"`, means: "extension-param-value" },
  {
    why: "repeated",
    answer: `${NAME}; client_max_window_bits=12; client_max_window_bits=11`,
    means: "extension-param-repeated",
  },

  // Names
  { why: "an unknown parameter", answer: `${NAME}; unknown`, means: "extension-param-unknown" },
  {
    why: "the name of an object's property",
    answer: `${NAME}; toString`,
    means: "extension-param-unknown",
  },
  {
    why: "all four at once",
    answer:
      `${NAME}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11`,
    means: { windowBits: 11, takeover: false, peerWindowBits: 10, peerTakeover: false },
  },
];
