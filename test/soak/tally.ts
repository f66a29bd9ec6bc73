// What the clients of one process did, and what went wrong.

import type { ClosedEvent } from "sansws";

/** What the clients of one process did. */
export interface Result {
  readonly connects: number;
  readonly messages: number;
  /** How sockets ended, and how often. */
  readonly ends: Readonly<Record<string, number>>;
  /** The first few things that should not have been. */
  readonly failures: readonly string[];
}

const MAX_FAILURES = 5;

export class Tally implements Result {
  connects = 0;
  messages = 0;
  readonly ends: Record<string, number> = {};
  readonly failures: string[] = [];

  get failed(): boolean {
    return this.failures.length > 0;
  }

  fail(what: string): void {
    if (this.failures.length < MAX_FAILURES) this.failures.push(what);
  }

  /** Counts an end; another one than the expected is a failure. */
  ended({ code, clean, cause }: ClosedEvent, expected?: string): void {
    const end = `${code} ${clean ? "clean" : "unclean"} ${cause}`;
    this.ends[end] = (this.ends[end] ?? 0) + 1;
    if (expected !== undefined && end !== expected) {
      this.fail(`a socket ended with ${end} instead of ${expected}`);
    }
  }
}
