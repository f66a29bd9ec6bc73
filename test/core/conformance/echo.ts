// An endpoint that sends every message back, which is what a conformance suite talks to: a
// connection with the smallest host there is.

import { Connection, type ConnectionOptions } from "../../../core/connection.ts";
import { join, lines, type Role } from "../support.ts";

/** A connection that echoes, and what it has written. */
export class Echo {
  readonly connection: Connection;
  readonly written: Uint8Array[] = [];

  constructor(role: Role, options?: Omit<ConnectionOptions, "role">) {
    this.connection = new Connection({ role, ...options }, 0);
  }

  receive(chunk: Uint8Array): void {
    for (const event of this.connection.receive(chunk, 0)) {
      if (event.type === "text") this.connection.sendText(event.data);
      else if (event.type === "binary") this.connection.sendBinary(event.data);
    }
    this.written.push(...this.connection.takeOutput());
  }

  receiveAll(chunks: Iterable<Uint8Array>): this {
    for (const chunk of chunks) this.receive(chunk);
    return this;
  }

  /** The frames written, one line each; a Close frame that answers a violation is its code. */
  get answers(): string[] {
    return lines(join(this.written)).map((each) =>
      each.replace(/^(close \d+) ".*\(RFC \d+ .*\)"$/, "$1")
    );
  }
}
