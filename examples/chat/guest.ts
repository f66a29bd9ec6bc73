// A guest: the data that the server keeps with each socket, from the upgrade request on.

import { randomUUID } from "node:crypto";
import type { IncomingUpgrade, Reject } from "sansws";
import { parseName, parseRoom, type Person, Refusal } from "./protocol.ts";

/** How many messages a guest may send at once, and how many a second after that. */
const BURST = 8;
const PER_SECOND = 2;

/** The data of a socket. */
export class Guest {
  readonly id: string = randomUUID();
  /** The name asked for; `name` has a number behind it in a room where it is taken. */
  wanted: string;
  name: string;
  room: string;
  #allowance = BURST;
  #spentAt = 0;

  constructor(name: string, room: string) {
    this.wanted = this.name = name;
    this.room = room;
  }

  get person(): Person {
    return { id: this.id, name: this.name };
  }

  /** Counts a message. @throws {Refusal} when there were too many in too little time */
  spend(now: number): void {
    this.#allowance = Math.min(BURST, this.#allowance + (now - this.#spentAt) / 1000 * PER_SECOND);
    this.#spentAt = now;
    if (this.#allowance < 1) {
      throw new Refusal("too-fast", "that was too much at once: wait a moment");
    }
    this.#allowance--;
  }
}

/** The guest that `/?name=Ada&room=lobby` asks to be; both have a default. */
export function admit({ path }: Pick<IncomingUpgrade, "path">): { data: Guest; } | Reject {
  const query = new URL(path, "ws://chat").searchParams;
  try {
    const name = parseName(query.get("name") ?? `Guest ${Math.floor(1000 + Math.random() * 9000)}`);
    return { data: new Guest(name, parseRoom(query.get("room") ?? "lobby")) };
  } catch (error) {
    if (error instanceof Refusal) return { status: 400, body: `${error.message}\n` };
    throw error;
  }
}
