// Programs that are gone when the test that started them is.

import { onTestFinished } from "vitest";
import { COMMANDS, Program, type RuntimeName } from "./processes.ts";

type Environment = Readonly<Record<string, string>>;

/** Starts a program of this repository on the runtime. */
export function startProgram(
  runtime: RuntimeName,
  file: string,
  args: readonly string[],
  env?: Environment,
): Program {
  return startTool([...COMMANDS[runtime], file, ...args], env);
}

/** Starts any command. */
export function startTool(command: readonly string[], env?: Environment): Program {
  const program = new Program(command, env);
  onTestFinished(() => program.kill());
  return program;
}
