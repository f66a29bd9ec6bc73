// The ways in which a raw peer leaves, for the tests of what waits for it.

import type { ServeOptions } from "sansws";
import { frame } from "../core/support.ts";
import type { RawPeer } from "./raw.ts";

export type Timeouts = NonNullable<ServeOptions["timeouts"]>;
export type Role = "client" | "server";

/** How a peer leaves; `timeouts` are this end's, where only they can tell. */
export interface Leave {
  readonly name: string;
  readonly timeouts: Timeouts;
  leave(peer: RawPeer, role: Role): unknown;
}

export const CLOSE_4000: Uint8Array = Uint8Array.of(0x0f, 0xa0);
export const PINGS: Timeouts = { pingInterval: 100, pongTimeout: 100, close: 100, handshake: 300 };
export const FIN: Leave = { name: "FIN", timeouts: {}, leave: (peer) => peer.end() };
export const RST: Leave = {
  name: "RST",
  timeouts: {},
  leave: (peer) => peer.socket.resetAndDestroy(),
};
export const SILENCE: Leave = { name: "silence", timeouts: PINGS, leave() {} };
export const CLOSE: Leave = {
  name: "Close",
  timeouts: {},
  leave: (peer, role) => peer.end(frame(role, 0x88, CLOSE_4000)),
};
/** Where nothing is read, the next ping finds out. */
export const RST_WITH_PINGS: Leave = { ...RST, name: "RST, found by a ping", timeouts: PINGS };

/** "done", or the name of the error. */
export function outcomeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => "done", (error: unknown) => (error as Error).name);
}
