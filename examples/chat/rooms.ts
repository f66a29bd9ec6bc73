// The rooms and what happens in them. Each room is a topic: a message is published once, to all in
// the room.

import { randomUUID } from "node:crypto";
import type { Message, Socket } from "sansws";
import type { Guest } from "./guest.ts";
import type { Person, RoomInfo, Said, Told } from "./protocol.ts";
import { parseSaid, Refusal } from "./protocol.ts";
import { Room } from "./room.ts";

/** Sends text to all subscribers of a topic. */
export type Publish = (topic: string, text: string) => void;

/** Rooms that are always in the list. */
const STANDING: readonly string[] = ["lobby", "ideas", "random"];
/** Empty rooms that are kept: any guest can make a room, so there must be a limit. */
const MAX_EMPTY = 50;
/** The topic of the list of rooms, and the least milliseconds between two lists. */
const LIST_TOPIC = "rooms";
const LIST_INTERVAL = 100;

/** All rooms of a server. */
export class Rooms {
  readonly #publish: Publish;
  /** The server's name for itself. */
  readonly #server: string;
  /** In order of their last use. */
  readonly #rooms = new Map<string, Room>();
  #listing = false;

  constructor(publish: Publish, server: string) {
    this.#publish = publish;
    this.#server = server;
  }

  // --- From sockets ---

  enter(socket: Socket<Guest>): void {
    socket.subscribe(LIST_TOPIC);
    this.#join(socket, socket.data.room);
  }

  /** Acts on a message; its sender gets the reason when it is not understood or not allowed. */
  receive(socket: Socket<Guest>, data: Message): void {
    try {
      socket.data.spend(performance.now());
      this.#act(socket, parseSaid(data));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      tell(socket, { type: "error", code: error.code, message: error.message });
    }
  }

  leave(socket: Socket<Guest>): void {
    const guest = socket.data;
    const room = this.#open(guest.room);
    if (!room.guests.delete(guest)) return;
    socket.unsubscribe(room.topic);
    this.#announce(room, { type: "left", person: guest.person });
    this.#forgetEmpty();
    this.#listSoon();
  }

  // --- Messages ---

  #act(socket: Socket<Guest>, said: Said): void {
    const guest = socket.data;
    const room = this.#open(guest.room);
    switch (said.type) {
      case "message":
        return this.#post(room, guest.person, said.content, said.timestamp);
      case "join":
        this.leave(socket);
        return this.#join(socket, said.room);
      case "rename":
        guest.wanted = said.name;
        room.introduce(guest);
        return this.#announce(room, { type: "renamed", person: guest.person });
    }
  }

  #post(room: Room, from: Person, content: string, timestamp: string): void {
    const message: Told = { type: "message", id: randomUUID(), from, content, timestamp };
    room.remember(message);
    this.#announce(room, message);
  }

  #join(socket: Socket<Guest>, name: string): void {
    const guest = socket.data;
    const room = this.#open(name);
    guest.room = name;
    room.introduce(guest);
    // Before the newcomer subscribes: it gets `joined` instead.
    this.#announce(room, { type: "arrived", person: guest.person });
    room.guests.add(guest);
    socket.subscribe(room.topic);
    const { people, history } = room;
    tell(socket, {
      type: "joined",
      room: name,
      you: guest.person,
      people,
      history,
      rooms: this.#list(),
      server: this.#server,
    });
    this.#listSoon();
  }

  #announce(room: Room, told: Told): void {
    this.#publish(room.topic, JSON.stringify(told));
  }

  // --- The rooms ---

  /** The room of that name, made if there is none; it becomes the one used last. */
  #open(name: string): Room {
    const room = this.#rooms.get(name) ?? new Room(name);
    this.#rooms.delete(name);
    this.#rooms.set(name, room);
    return room;
  }

  #forgetEmpty(): void {
    const empty = [...this.#rooms.values()].filter(({ guests }) => guests.size === 0);
    for (const { name } of empty.slice(0, -MAX_EMPTY)) this.#rooms.delete(name);
  }

  #list(): RoomInfo[] {
    const people = (name: string): number => this.#rooms.get(name)?.guests.size ?? 0;
    const others = [...this.#rooms.keys()].filter((name) =>
      people(name) > 0 && !STANDING.includes(name)
    ).sort();
    return [...STANDING, ...others].map((name) => ({ name, people: people(name) }));
  }

  #listSoon(): void {
    if (this.#listing) return;
    this.#listing = true;
    setTimeout(() => {
      this.#listing = false;
      this.#publish(
        LIST_TOPIC,
        JSON.stringify({ type: "rooms", rooms: this.#list() } satisfies Told),
      );
    }, LIST_INTERVAL);
  }
}

function tell(socket: Socket<Guest>, told: Told): void {
  socket.send(JSON.stringify(told));
}
