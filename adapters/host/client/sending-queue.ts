// Messages that wait for a connection: a queue with a limit, and a choice of who goes when it is
// reached.

import { refuseUnknown } from "../../../core/limits.ts";
import { type PreparedMessage, type SendOptions, UsageError } from "../../../core/mod.ts";
import type { Sendable } from "../socket/handlers.ts";
import { checkSendable, sizeOf } from "../socket/sendable.ts";

/** How much may wait. */
export interface QueueOptions {
  /** Default 1024. */
  readonly maxMessages: number;
  /** Bytes, or characters of text. Default 1 MiB. */
  readonly maxSize: number;
  /**
   * Who goes when there is no room: the newest message is refused, or the oldest ones are dropped.
   * Default `"refuse-newest"`.
   */
  readonly onOverflow: "refuse-newest" | "drop-oldest";
}

/** A message that waits. */
export interface QueuedMessage {
  readonly data: string | Uint8Array | PreparedMessage;
  readonly options: SendOptions | undefined;
}

const DEFAULTS: QueueOptions = {
  maxMessages: 1024,
  maxSize: 1024 * 1024,
  onOverflow: "refuse-newest",
};

/** A bounded queue of messages. */
export class SendingQueue {
  /** Bytes, or characters of text, that wait. */
  size = 0;
  readonly #options: QueueOptions;
  readonly #messages: QueuedMessage[] = [];

  /** @throws {UsageError} for an unknown name or an illegal value */
  constructor(given: Partial<QueueOptions> = {}) {
    refuseUnknown("queue", given, Object.keys(DEFAULTS));
    const options = this.#options = { ...DEFAULTS, ...given };
    for (const name of ["maxMessages", "maxSize"] as const) {
      if (!(options[name] >= 0)) {
        throw new UsageError(`queue.${name} is ${options[name]}; it takes a number from 0 on`);
      }
    }
    if (options.onOverflow !== "refuse-newest" && options.onOverflow !== "drop-oldest") {
      const given = JSON.stringify(options.onOverflow);
      throw new UsageError(
        `queue.onOverflow is ${given}; it takes "refuse-newest" or "drop-oldest"`,
      );
    }
  }

  /** How many wait. */
  get length(): number {
    return this.#messages.length;
  }

  /**
   * Takes a message; false when there is no room for it.
   *
   * @throws {UsageError} for data of no kind that can be sent
   */
  push(given: Sendable, options: SendOptions | undefined): boolean {
    const { maxMessages, maxSize, onOverflow } = this.#options;
    const data = checkSendable(given);
    const size = sizeOf(data);
    if (maxMessages < 1 || size > maxSize) return false;
    while (this.length >= maxMessages || this.size + size > maxSize) {
      if (onOverflow === "refuse-newest") return false;
      this.shift();
    }
    this.#messages.push({ data, options });
    this.size += size;
    return true;
  }

  /** The message that waits longest. */
  shift(): QueuedMessage | undefined {
    const message = this.#messages.shift();
    if (message !== undefined) this.size -= sizeOf(message.data);
    return message;
  }

  /** Forgets everything. */
  clear(): void {
    this.#messages.length = 0;
    this.size = 0;
  }
}
