// What the contract tests share: servers and sockets that are gone when their test is, mailboxes to
// wait on, and content to send.
//
// The same files run in-process on each runtime; what needs a process of its own is in the
// *.node.test.ts files.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { ClosedEvent, ConnectOptions, Message, ServeOptions, Server, Socket } from "sansws";
import { connect, serve } from "sansws";
import { onTestFinished } from "vitest";
import { sameBytes } from "../core/support.ts";
import type { RuntimeName } from "../processes.ts";

/** The runtime that this process is. */
export const RUNTIME: RuntimeName = process.versions["deno"] !== undefined
  ? "Deno"
  : process.versions["bun"] !== undefined
  ? "Bun"
  : "Node";

// --- Servers and sockets ---

/** A server that listens on a port of the system's choice, and its URL. */
export interface Running<Data = unknown> {
  readonly server: Server<Data>;
  readonly url: string;
}

/**
 * Starts a server, by default on 127.0.0.1; whatever reaches its `error` unexpectedly fails the
 * test.
 */
export async function start<Data = unknown>(
  options: ServeOptions<Data> = {},
): Promise<Running<Data>> {
  const where = options.path === undefined ? { port: 0, hostname: "127.0.0.1" } : {};
  const errors: unknown[] = [];
  const server = await serve<Data>({ error: (error) => errors.push(error), ...where, ...options });
  onTestFinished(async () => {
    await server.close({ deadline: 0 });
    if (errors.length > 0) throw errors[0];
  });
  return { server, url: server.url };
}

/** Starts a server that answers every message with the same. */
export function startEcho(options: ServeOptions = {}): Promise<Running> {
  return start({
    message: (socket, data, kind) => void socket.send(kind === "text" ? String(data) : data),
    ...options,
  });
}

/** A path for a unix socket, in a folder that is gone when the test is over. */
export function socketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "sansws-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "socket");
}

/** Connects; the socket is dropped when the test is over. */
export async function open<Data = unknown>(
  url: string | URL,
  options: ConnectOptions<Data> = {},
): Promise<Socket<Data>> {
  const socket = await connect<Data>(url, options);
  onTestFinished(() => socket.abort());
  return socket;
}

/** Both ends of a connection, and what each hears. */
export interface Pair {
  readonly server: Server;
  readonly url: string;
  readonly near: Socket;
  readonly far: Socket;
}

/** A client, and the server's socket for it. */
export async function openPair(
  options: ServeOptions = {},
  clientOptions: ConnectOptions = {},
): Promise<Pair> {
  const opened = new Mailbox<Socket>();
  const { server, url } = await start({
    ...options,
    open: (socket) => {
      opened.put(socket);
      return options.open?.(socket);
    },
  });
  const near = await open(url, clientOptions);
  return { server, url, near, far: await opened.take() };
}

// --- Waiting ---

/** Things that happen, to be waited for in order. */
export class Mailbox<T> {
  readonly all: T[] = [];
  #taken = 0;
  #waiting: ((item: T) => void)[] = [];

  put(item: T): void {
    this.all.push(item);
    const waiter = this.#waiting.shift();
    if (waiter === undefined) return;
    this.#taken++;
    waiter(item);
  }

  take(): Promise<T> {
    if (this.#taken < this.all.length) return Promise.resolve(this.all[this.#taken++]!);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async takeAll(count: number): Promise<T[]> {
    const items: T[] = [];
    while (items.length < count) items.push(await this.take());
    return items;
  }
}

export { settled, sleep, until } from "./waiting.ts";

// --- Content ---

/** `length` bytes in which a byte out of place shows. */
export function bytes(length: number): Uint8Array {
  const content = new Uint8Array(length);
  for (let i = 0; i < length; i++) content[i] = i * 167 + (i >> 8) * 13;
  return content;
}

/** Text of `size` bytes in UTF-8, with characters of one to four bytes. */
export function text(size: number): string {
  return "aé€😀".repeat(Math.floor(size / 10)) + "z".repeat(size % 10);
}

/** Whether the messages are the same: without a diff, which takes minutes for megabytes. */
export function same(a: Message, b: Message): boolean {
  return typeof a === "string" || typeof b === "string" ? a === b : sameBytes(a, b);
}

/** One line for the end of a socket: `1000 "bye" clean peer`. */
export function ending({ code, reason, clean, cause }: ClosedEvent): string {
  return `${code} ${JSON.stringify(reason)} ${clean ? "clean" : "unclean"} ${cause}`;
}
