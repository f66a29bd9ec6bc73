// The server program from outside: its URLs, its status, and what a well-behaved client gets from
// it.

import { existsSync, readdirSync } from "node:fs";
import { connect, type ServeOptions } from "sansws";
import { expect } from "vitest";
import type { Program, RuntimeName } from "../processes.ts";
import { startProgram } from "../programs.ts";
import type { Status } from "./server.ts";

/** A server program that listens on a port. */
export interface RunningProgram {
  readonly program: Program;
  readonly url: string;
  readonly port: number;
  status(): Promise<Status>;
}

export async function startServer(
  runtime: RuntimeName,
  mode = "echo",
  options: ServeOptions = {},
): Promise<RunningProgram> {
  const program = startProgram(runtime, "test/contract/server.ts", [], {
    SERVER_MODE: mode,
    SERVER_OPTIONS: JSON.stringify(options),
  });
  return await running(program);
}

/** Waits until the program listens. */
export async function running(program: Program): Promise<RunningProgram> {
  const { port } = await program.takeJson<{ port: number; }>();
  const status = async (): Promise<Status> =>
    await (await fetch(`http://127.0.0.1:${port}/status`)).json() as Status;
  return { program, port, url: `ws://127.0.0.1:${port}/`, status };
}

/** What a client that does everything right gets: an echo, and a clean end. */
export async function expectEcho(
  url: string,
  options: Parameters<typeof connect>[1] = {},
): Promise<void> {
  const socket = await connect(url, options);
  socket.send("are you well?");
  for await (const message of socket) {
    expect(message).toBe("are you well?");
    break;
  }
  socket.close();
  expect((await socket.closed).clean).toBe(true);
}

/** How many files and connections the program has open; 0 where the system does not tell. */
export function openFiles({ pid }: Program): number {
  const folder = `/proc/${pid}/fd`;
  return existsSync(folder) ? readdirSync(folder).length : 0;
}

/** The program runs, and has complained about nothing. */
export function expectWell({ complaints, status }: Program): void {
  expect(complaints).toBe("");
  expect(status).toBeUndefined();
}
