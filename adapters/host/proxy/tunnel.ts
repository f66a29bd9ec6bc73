// The negotiation with a proxy as a Machine, in either protocol: http.ts and socks.ts have the
// bytes. Once it is done, the transport leads to the target. It has no deadline: the caller's
// timeout covers it.

import type { Machine } from "../../../core/mod.ts";
import { ConnectError } from "../client/error.ts";
import type { Target } from "../client/target.ts";
import { HttpDialogue } from "./http.ts";
import type { Dialogue, Proxy } from "./proxy.ts";
import { SocksDialogue } from "./socks.ts";

/** The one event of a tunnel. */
export type TunnelEvent =
  | { readonly type: "opened"; }
  | { readonly type: "failed"; readonly error: unknown; };

/** The negotiation with a proxy. */
export class Tunnel implements Machine<TunnelEvent> {
  readonly deadline: number = Infinity;
  readonly #dialogue: Dialogue;
  #output: Uint8Array | undefined;
  #state: "asking" | "opened" | "failed" = "asking";

  /** @throws {UsageError} for what the proxy's protocol cannot carry */
  constructor(proxy: Proxy, target: Target) {
    const Dialogue = proxy.kind === "socks" ? SocksDialogue : HttpDialogue;
    this.#dialogue = new Dialogue(proxy, target);
    this.#output = this.#dialogue.opening;
  }

  // A target does not speak first: once the tunnel is open, any byte is a failure.
  receive(chunk: Uint8Array): readonly TunnelEvent[] {
    if (chunk.length === 0) return [];
    if (this.#state !== "asking") return this.#fail(new ConnectError("proxy", "it spoke first"));
    try {
      const answer = this.#dialogue.receive(chunk);
      if (answer === "done") {
        this.#state = "opened";
        return [{ type: "opened" }];
      }
      this.#output = answer;
      return [];
    } catch (error) {
      return this.#fail(error);
    }
  }

  receiveEnd(_now: number, error?: Error): readonly TunnelEvent[] {
    return this.#fail(new ConnectError("proxy", "the proxy hung up", error));
  }

  tick(): readonly TunnelEvent[] {
    return [];
  }

  takeOutput(): Uint8Array[] {
    const output = this.#output;
    this.#output = undefined;
    return output === undefined ? [] : [output];
  }

  get pendingOutput(): number {
    return this.#output?.length ?? 0;
  }

  get outputEnded(): boolean {
    return this.#state === "failed";
  }

  get expired(): boolean {
    return this.#state === "failed";
  }

  #fail(error: unknown): readonly TunnelEvent[] {
    if (this.#state === "failed") return [];
    this.#state = "failed";
    return [{ type: "failed", error }];
  }
}
