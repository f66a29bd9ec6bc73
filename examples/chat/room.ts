// One room: its people and its last messages. rooms.ts sends them.

import type { Guest } from "./guest.ts";
import type { ChatMessage, Person } from "./protocol.ts";

/** Messages that a room remembers. */
const HISTORY = 50;

/** A room of the chat. */
export class Room {
  readonly name: string;
  readonly guests: Set<Guest> = new Set();
  readonly history: ChatMessage[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** The topic that its guests subscribe to. */
  get topic(): string {
    return `room:${this.name}`;
  }

  /** Its people, in order of arrival. */
  get people(): Person[] {
    return Array.from(this.guests, (guest) => guest.person);
  }

  remember(message: ChatMessage): void {
    this.history.push(message);
    if (this.history.length > HISTORY) this.history.shift();
  }

  /** Gives the guest the name it wants, with a number behind it if the name is taken here. */
  introduce(guest: Guest): void {
    const taken = new Set(this.people.filter(({ id }) => id !== guest.id).map(({ name }) => name));
    guest.name = guest.wanted;
    for (let number = 2; taken.has(guest.name); number++) guest.name = `${guest.wanted} ${number}`;
  }
}
