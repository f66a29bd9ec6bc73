// Listens for rejections that nothing handled, which end the process of an application.

import process from "node:process";
import { expect } from "vitest";
import { sleep } from "./waiting.ts";

/** The rejections that nothing handled while it listened. */
export class Unhandled {
  readonly reasons: unknown[] = [];
  readonly #note = (reason: unknown): void => void this.reasons.push(reason);

  listen(): void {
    process.on("unhandledRejection", this.#note);
  }

  /** Fails for a rejection that was not handled; the runtimes tell it a task later. */
  async expectNone(): Promise<void> {
    await sleep(20);
    process.off("unhandledRejection", this.#note);
    expect(this.reasons).toEqual([]);
  }
}
