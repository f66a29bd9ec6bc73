// One room: who is in it, and what was said there last. Who hears of it is rooms.ts's.

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

  /** What its guests are subscribed to. */
  get topic(): string {
    return `room:${this.name}`;
  }

  /** Who is here, in order of arrival. */
  get people(): Person[] {
    return Array.from(this.guests, (guest) => guest.person);
  }

  remember(message: ChatMessage): void {
    this.history.push(message);
    if (this.history.length > HISTORY) this.history.shift();
  }

  /** Gives the guest the name it wants, with a number behind it if somebody else here has it. */
  introduce(guest: Guest): void {
    const taken = new Set(this.people.filter(({ id }) => id !== guest.id).map(({ name }) => name));
    guest.name = guest.wanted;
    for (let number = 2; taken.has(guest.name); number++) guest.name = `${guest.wanted} ${number}`;
  }
}
