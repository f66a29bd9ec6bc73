// One end of a simulated pair: a connection set up as the program says, and what its host knows about
// the transport. pair.ts acts as the host.

import { Connection } from "sansws/core";
import { deflateCodec } from "../../adapters/deflate.ts";
import { resolveDeflate } from "../../core/deflate/negotiate.ts";
import { MessageDeflate } from "../../core/deflate/transform.ts";
import { type Ledger, Watch } from "./invariants.ts";
import type { Link } from "./link.ts";
import type { Program, Role } from "./program.ts";

/** One end: a connection, and what its host knows. */
export class End {
  readonly role: Role;
  readonly connection: Connection;
  readonly output: "owned" | "shared";
  readonly watch: Watch;
  readonly out: Link;
  readonly in: Link;
  /** What this end says, and what it hears. */
  readonly says: Ledger;
  readonly hears: Ledger;
  /** The end's clock less the virtual one. */
  skew: number;
  paused = false;
  /** What the transport has ended: `in` heard the peer's end, `out` has sent its own. */
  endedIn = false;
  endedOut = false;
  /** The transport has ended in both directions, or was given up. */
  over = false;

  constructor(
    role: Role,
    program: Program,
    links: readonly [Link, Link],
    ledgers: readonly [Ledger, Ledger],
  ) {
    const setup = program[role];
    this.role = role;
    [this.out, this.in] = links;
    [this.says, this.hears] = ledgers;
    this.skew = setup.clock;
    const { maxMessageSize, maxPendingReplies, pingInterval, pongTimeout, idle, close } = setup;
    this.output = setup.chunks === "lent" ? "shared" : "owned";
    this.connection = new Connection({
      role,
      messages: setup.messages,
      text: setup.text,
      chunks: setup.chunks,
      output: this.output,
      limits: { maxMessageSize, maxPendingReplies },
      timeouts: { pingInterval, pongTimeout, idle, close },
      deflate: deflateOf(program, role),
    }, this.skew);
    this.watch = new Watch(this.connection, setup, role === "client");
  }
}

function deflateOf({ deflate }: Program, role: Role): MessageDeflate | undefined {
  if (deflate === undefined) return undefined;
  const own = role === "client" ? 0 : 1;
  const { windowBits, takeover, threshold } = deflate;
  const params = {
    windowBits: windowBits[own],
    takeover: takeover[own],
    peerWindowBits: windowBits[1 - own]!,
    peerTakeover: takeover[1 - own]!,
  };
  return new MessageDeflate(
    params,
    resolveDeflate({ codec: deflateCodec, threshold, memLevel: 1 }),
  );
}
