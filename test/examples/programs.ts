// The examples that serve, as their readers run them: each as a process of its own.

import { COMMANDS, Program, type RuntimeName } from "../processes.ts";

/** An example that listens. */
export interface Listening {
  readonly program: Program;
  /** Host and port, as printed. */
  readonly host: string;
}

/**
 * Starts a program that serves, by default on a port of the system's choice, and waits until it
 * says where.
 */
export async function listen(
  runtime: RuntimeName,
  file: string,
  env: Record<string, string> = {},
): Promise<Listening> {
  const program = new Program([...COMMANDS[runtime], file], {
    HOST: "127.0.0.1",
    PORT: "0",
    ...env,
  });
  const [, host = ""] = await program.line(/^listening on \w+:\/\/([^\s/]+)\/?$/m);
  return { program, host };
}
