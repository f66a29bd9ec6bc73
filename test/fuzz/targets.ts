// Everything that is fuzzed, under one shape.

import type { Prng } from "../sim/prng.ts";
import { checkCodec, freshBody } from "./codec.ts";
import { checkConnection } from "./connection.ts";
import { checkClient, checkServer } from "./handshakes.ts";
import { freshHead } from "./http-inputs.ts";
import { freshInput } from "./inputs.ts";

/** A parser of bytes that come from a peer. */
export interface Target {
  readonly name: string;
  /** An input like those that peers send, or nearly. */
  fresh(prng: Prng): Uint8Array;
  /** @throws {Error} when something does not hold for the input */
  check(input: Uint8Array): void;
}

/** All of them. */
export const TARGETS: readonly Target[] = [
  { name: "connection", fresh: freshInput, check: checkConnection },
  { name: "server", fresh: (prng) => freshHead("request", prng), check: checkServer },
  { name: "client", fresh: (prng) => freshHead("answer", prng), check: checkClient },
  { name: "codec", fresh: freshBody, check: checkCodec },
];
