// What a client asks of the answer that switches protocols: RFC 6455 §4.1, the six steps after
// "the client MUST validate".
//
// Pure functions from a head to what it says or to the rule it breaks. What follows from that is
// client.ts's affair.

import { equalsIgnoringCase } from "../bytes.ts";
import { type DeflateOptions, type DeflateParams, readAnswer } from "../deflate/negotiate.ts";
import { parseExtensions } from "../http/fields.ts";
import type { ResponseHead } from "../http/head.ts";
import type { HandshakeFault } from "./faults.ts";
import { listsUpgrade } from "./request.ts";

/** What the client sent that the answer must fit. */
export interface Expected {
  /** The Sec-WebSocket-Accept that answers the key. */
  readonly accept: string;
  readonly protocols: readonly string[];
  readonly deflate: DeflateOptions | undefined;
}

/** What the two sides agreed on. */
export interface Agreement {
  readonly protocol: string;
  readonly extensions: string;
  readonly params: DeflateParams | undefined;
}

type Rule = readonly [
  fault: HandshakeFault,
  broken: (head: ResponseHead, expected: Expected) => boolean,
];

const RULES: readonly Rule[] = [
  ["answer-http-version", ({ version }) => version !== "HTTP/1.1"],
  ["answer-upgrade-missing", ({ headers }) => !headers.has("upgrade")],
  [
    "answer-upgrade-wrong",
    ({ headers }) => !equalsIgnoringCase(headers.get("upgrade")!, "websocket"),
  ],
  ["answer-connection-missing", ({ headers }) => !listsUpgrade(headers)],
  ["accept-missing", ({ headers }) => !headers.has("sec-websocket-accept")],
  ["accept-repeated", ({ headers }) => headers.repeats("sec-websocket-accept")],
  ["accept-wrong", ({ headers }, { accept }) => headers.get("sec-websocket-accept") !== accept],
  [
    "protocol-unasked",
    ({ headers }, { protocols }) => headers.has("sec-websocket-protocol") && protocols.length === 0,
  ],
  [
    "protocol-repeated",
    ({ headers }) => headers.get("sec-websocket-protocol")?.includes(",") ?? false,
  ],
  ["protocol-not-offered", (head, { protocols }) => {
    const protocol = head.headers.get("sec-websocket-protocol");
    return protocol !== undefined && !protocols.includes(protocol);
  }],
  ["answer-extensions-repeated", ({ headers }) => headers.repeats("sec-websocket-extensions")],
];

/** Reads an answer with status 101; or names the rule it breaks. */
export function readSwitch(head: ResponseHead, expected: Expected): Agreement | HandshakeFault {
  const fault = RULES.find(([, broken]) => broken(head, expected))?.[0];
  if (fault !== undefined) return fault;
  const protocol = head.headers.get("sec-websocket-protocol") ?? "";
  const extensions = head.headers.get("sec-websocket-extensions");
  if (extensions === undefined) return { protocol, extensions: "", params: undefined };
  const answers = parseExtensions(extensions);
  if (answers === undefined) return "answer-extensions-malformed";
  const params = readAnswer(answers, expected.deflate);
  return typeof params === "string" ? params : { protocol, extensions, params };
}
