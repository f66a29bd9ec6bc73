// What both ends of an interop test agree on: the content that is sent, what a server does when it
// is asked to, and the plan by which a client goes. Programs of Node, Deno and Bun share this file;
// python.py of clients/ and servers/ does the same in Python.

import process from "node:process";
import { sameBytes } from "../core/support.ts";

export type Message = string | Uint8Array;

/** Settings of permessage-deflate, which each peer spells in its own way. */
export type Variant = "none" | "takeover" | "no-takeover" | "bits-9" | "bits-15";

export const VARIANTS: readonly Variant[] = [
  "none",
  "takeover",
  "no-takeover",
  "bits-9",
  "bits-15",
];

/** How a connection is to end, and by whom; without a code the Close frame is empty. */
export interface End {
  readonly by: "client" | "server";
  readonly code?: number;
  readonly reason?: string;
}

/** One connection: what to do on it, and how to end it. */
export interface Scenario {
  readonly name: string;
  readonly url: string;
  readonly variant: Variant;
  readonly protocols: readonly string[];
  readonly steps: readonly string[];
  readonly end: End;
}

export type Closed = readonly [code: number, reason: string];

/** What one end saw of a connection. */
export interface Report {
  readonly name: string;
  readonly protocol: string;
  readonly extensions: string;
  readonly closed: Closed;
  /** Of a client: the steps that went as they should. */
  readonly done?: readonly string[];
}

/** What every implementation can do in one way or another. */
export interface Peer {
  send(data: Message): unknown;
  close(code?: number, reason?: string): unknown;
  sendFragments?(parts: readonly string[]): unknown;
  /** Fulfilled with the payload of the pong. */
  ping?(payload: Uint8Array): Promise<Uint8Array>;
}

export interface ClientPeer extends Peer {
  readonly protocol: string;
  readonly extensions: string;
  readonly closed: Promise<Closed>;
  next(): Promise<Message>;
}

// --- Content ---

/**
 * The first thing a server sends, as soon as it can: it may come along with the answer to the
 * handshake.
 */
export const WELCOME = "welcome";

// What repeats does so at a distance which a large window of a compressor sees and a small one must
// not.
const BLOCK: Uint8Array = Uint8Array.from({ length: 3000 }, (_, index) => {
  const hash = Math.imul(index, 0x9E3779B1);
  return Math.imul(hash ^ hash >>> 15, 0x85EBCA6B) >>> 24;
});

/** Text of so many bytes, with characters of one to four. */
export function textOf(bytes: number): string {
  return "aé€😀".repeat(bytes / 10) + "x".repeat(bytes % 10);
}

export function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => BLOCK[index % BLOCK.length]!);
}

/** Three pieces, and an empty one between. */
export function fragmentsOf(text: string): string[] {
  const characters = [...text];
  const third = Math.ceil(characters.length / 3);
  const piece = (index: number): string =>
    characters.slice(index * third, (index + 1) * third).join("");
  return [piece(0), "", piece(1), piece(2)];
}

export function same(one: Message, other: Message): boolean {
  return typeof one === "string" || typeof other === "string"
    ? one === other
    : sameBytes(one, other);
}

const PAYLOAD: Uint8Array = new TextEncoder().encode("ping é");

async function pingAndCompare(peer: Peer): Promise<boolean> {
  return same(await peer.ping!(PAYLOAD), PAYLOAD);
}

// --- Servers ---

/** What a server does with a message: what a text with a `!` asks for, or an echo. */
export async function answer(peer: Peer, message: Message): Promise<void> {
  if (typeof message !== "string" || !message.startsWith("!")) return void peer.send(message);
  const [command, argument = "", ...reason] = message.split(" ");
  if (command === "!fragments") peer.sendFragments!(fragmentsOf(textOf(Number(argument))));
  if (command === "!ping") peer.send(await pingAndCompare(peer) ? "pong" : "another pong");
  if (command === "!close") {
    argument === ""
      ? peer.close()
      : peer.close(Number(argument), reason.join(" "));
  }
}

/** Prints what a program has to say. */
export function print(report: object): void {
  console.log(JSON.stringify(report));
}

// --- Clients ---

const STEPS: Readonly<Record<string, (peer: ClientPeer, size: number) => Promise<boolean>>> = {
  text: (peer, size) => exchange(peer, textOf(size)),
  binary: (peer, size) => exchange(peer, bytesOf(size)),
  burst,
  fragments: async (peer, size) => {
    peer.sendFragments!(fragmentsOf(textOf(size)));
    return same(await peer.next(), textOf(size));
  },
  ping: pingAndCompare,
  "!fragments": (peer, size) => exchange(peer, `!fragments ${size}`, textOf(size)),
  "!ping": (peer) => exchange(peer, "!ping", "pong"),
};

async function exchange(
  peer: ClientPeer,
  sent: Message,
  expected: Message = sent,
): Promise<boolean> {
  peer.send(sent);
  return same(await peer.next(), expected);
}

/** So many messages of different lengths, before the first answer is read. */
async function burst(peer: ClientPeer, count: number): Promise<boolean> {
  const messages = Array.from({ length: count }, (_, index) => textOf(index));
  for (const message of messages) peer.send(message);
  for (const message of messages) if (!same(await peer.next(), message)) return false;
  return true;
}

async function takeSteps(
  peer: ClientPeer,
  steps: readonly string[],
  done: string[],
): Promise<void> {
  if (await peer.next() === WELCOME) done.push(WELCOME);
  for (const step of steps) {
    const [kind, size] = step.split(" ");
    if (await STEPS[kind!]!(peer, Number(size))) done.push(step);
  }
}

async function play(peer: ClientPeer, { name, steps, end }: Scenario): Promise<Report> {
  const done: string[] = [];
  // Whoever waits for a message should not do so for ever.
  const ended = peer.closed.then(() => true);
  const early = await Promise.race([takeSteps(peer, steps, done).then(() => false), ended]);
  if (early) done.push("an early end");
  if (end.by === "server") peer.send(["!close", end.code, end.reason].join(" ").trimEnd());
  else end.code === undefined ? peer.close() : peer.close(end.code, end.reason);
  return {
    name,
    protocol: peer.protocol,
    extensions: peer.extensions,
    closed: await peer.closed,
    done,
  };
}

/** A client program: goes by the plan in PLAN, and prints a report of each connection. */
export async function playAll(
  connect: (scenario: Scenario) => ClientPeer | Promise<ClientPeer>,
): Promise<void> {
  for (const scenario of JSON.parse(process.env["PLAN"]!) as Scenario[]) {
    print(await play(await connect(scenario), scenario));
  }
}

/** Items to be waited for, in order. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  put(item: T): void {
    const waiter = this.#waiting.shift();
    waiter === undefined ? this.#items.push(item) : waiter(item);
  }

  take(): Promise<T> {
    return this.#items.length > 0
      ? Promise.resolve(this.#items.shift()!)
      : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
