// Inputs for the opening handshakes: every head of the vectors, cut and changed line by line and
// byte by byte.

import type { Prng } from "../sim/prng.ts";
import { ANSWERS } from "../vectors/handshake-answers.ts";
import { REQUESTS } from "../vectors/handshake-requests.ts";
import { ACCEPT } from "./handshakes.ts";

type Kind = "request" | "answer";

const HEADS: Readonly<Record<Kind, readonly string[]>> = {
  request: REQUESTS.map(({ head }) => head),
  answer: ANSWERS.map(({ head }) => head.replaceAll("ACCEPT", ACCEPT)),
};

const LINES = [
  "Host: a",
  "Host:",
  "Content-Length: 5",
  "Content-Length: 0, 0",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  " folded",
  "no colon",
  "space : before colon",
  ": no name",
  "Connection: close",
  "Connection: ,,, upgrade ,",
  "Upgrade: websocket/13, h2c",
  "Sec-WebSocket-Version: 8",
  "Sec-WebSocket-Protocol: chat, superchat",
  "Sec-WebSocket-Protocol: chat,chat",
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; server_max_window_bits=10",
  "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=\"1\\5\", foo; bar=\"\\\"",
  "Sec-WebSocket-Extensions: constructor; __proto__=1, permessage-deflate",
  "Origin: null",
  "__proto__: a",
  "X-Long: " + "a, ".repeat(30),
  "X-Latin: \xe9\x80\xff",
  "X-Nul: \0",
  "",
];
const BODIES = [
  "5\r\nhello\r\n0\r\n\r\n",
  "2;ext=\"a\r\nhi\r\n0\r\nTrailer: x\r\n\r\n",
  "ffffffffffffffff\r\n",
  "\x81\x00",
  "x",
];
const SNIPPETS = [
  "\r\n",
  "\r",
  "\n",
  "\r\n\r\n",
  ",",
  ";",
  "=",
  "\"",
  "\\",
  ":",
  " ",
  "\t",
  "\0",
  "HTTP/1.1",
  "101",
  "\x7f",
];

/** A fresh input for a server's handshake, or for a client's. */
export function freshHead(kind: Kind, prng: Prng): Uint8Array {
  let head = prng.pick(HEADS[kind]);
  if (prng.chance(20)) {
    head = prng.pick(["HTTP/1.1 100 Continue\r\n\r\n", "\r\n", "HTTP/1.1 103 \r\nLink: a\r\n\r\n"])
      + head;
  }
  for (let count = prng.below(4); count > 0; count--) head = prng.pick(CHANGES)(head, prng);
  if (prng.chance(30)) head += prng.pick(BODIES);
  const sizes = Array.from({ length: prng.below(6) }, () => prng.scaled(255));
  const flags = prng.chance(80) ? prng.below(8) & ~1 : prng.below(8);
  return Uint8Array.from([
    flags,
    sizes.length,
    ...sizes,
    ...Array.from(head, (character) => character.charCodeAt(0)),
  ]);
}

const CHANGES: readonly ((head: string, prng: Prng) => string)[] = [
  (head, prng) => withLine(head, prng, (lines, at) => lines.toSpliced(at, 0, prng.pick(LINES))),
  (head, prng) => withLine(head, prng, (lines, at) => lines.toSpliced(at, 1)),
  (head, prng) => withLine(head, prng, (lines, at) => lines.toSpliced(at, 0, lines[at]!)),
  (head, prng) =>
    withLine(
      head,
      prng,
      (lines, at) => lines.toSpliced(at, 1, lines[at]!.repeat(prng.between(1, 4))),
    ),
  (head, prng) => {
    const at = prng.below(head.length + 1);
    return head.slice(0, at) + prng.pick(SNIPPETS) + head.slice(at + prng.below(3));
  },
];

function withLine(
  head: string,
  prng: Prng,
  change: (lines: string[], at: number) => string[],
): string {
  const lines = head.split("\r\n");
  return change(lines, prng.below(lines.length)).join("\r\n");
}
