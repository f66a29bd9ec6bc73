// The server under test and its neighbours as processes: they are started for one test, on free
// ports of the loopback, and end with it. Their files are in a folder that ends with it too.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import type { ServeOptions } from "sansws";
import { expect, onTestFinished } from "vitest";
import { sleep } from "../contract/waiting.ts";
import { freePort, type Program, type RuntimeName } from "../processes.ts";
import { startProgram, startTool } from "../programs.ts";
import type { Ports, State } from "./server.ts";

// Debian has haproxy and nginx where only root looks for programs.
const PATH = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];

/** The path of a program; without it the tests that need it are skipped, with a warning. */
export function findTool(name: string): string | undefined {
  const file = process.platform === "win32" ? `${name}.exe` : name;
  const folder = PATH.find((folder) => folder !== "" && existsSync(join(folder, file)));
  if (folder !== undefined) return join(folder, file);
  console.warn(`${name} is not installed: the server is not tested with it`);
  return undefined;
}

// --- The server ---

/** Whether the system tells of connections as Linux does. */
export const hasProc: boolean = process.platform === "linux";

/** The server under test, on one runtime. */
export class Target {
  readonly program: Program;
  readonly port: number;
  readonly #control: number;

  constructor(program: Program, { port, control }: Ports) {
    this.program = program;
    this.port = port;
    this.#control = control;
  }

  async state(): Promise<State> {
    return await (await fetch(`http://127.0.0.1:${this.#control}/`)).json() as State;
  }

  /** What its hooks and handlers heard so far. */
  async heard(): Promise<readonly string[]> {
    return (await this.state()).heard;
  }

  /** It runs, printed nothing after its ports, and its `error` handler heard nothing. */
  async expectQuiet(): Promise<void> {
    const { program } = this;
    expect(program.status, program.output).toBeUndefined();
    expect(program.output.slice(program.output.indexOf("\n") + 1)).toBe("");
    expect((await this.heard()).filter((line) => line.startsWith("error "))).toEqual([]);
  }

  /** How many connections to it the system holds for it; 0 where the system does not tell. */
  get connections(): number {
    if (!hasProc) return 0;
    const table = readFileSync(`/proc/${this.program.pid}/net/tcp`, "utf8");
    const port = this.port.toString(16).toUpperCase().padStart(4, "0");
    const rows = table.split("\n").map((line) => line.trim().split(/ +/));
    // A connection that the program has closed, or not accepted yet, has the inode 0.
    const held = rows.filter(([, local, , state, , , , , , inode]) => {
      return local?.endsWith(`:${port}`) && state !== LISTENING && inode !== "0";
    });
    // The system may list one twice while the table changes.
    return new Set(held.map(([, , remote]) => remote)).size;
  }
}

/** The state of a listener in /proc/net/tcp. */
const LISTENING = "0A";

/** Starts the server; it ends with the test. */
export async function startTarget(
  runtime: RuntimeName,
  options: ServeOptions = {},
): Promise<Target> {
  const program = startProgram(runtime, "test/neighbours/server.ts", [], {
    SERVER_OPTIONS: JSON.stringify(options),
  });
  return new Target(program, await program.takeJson<Ports>());
}

// --- HAProxy ---

/** HAProxy in front of one server, and what it says of that server. */
export interface Haproxy {
  readonly port: number;
  readonly program: Program;
  /** Such as `UP L7OK 200`: the server, the last check, and the status that was answered. */
  status(): Promise<string>;
}

/**
 * Starts HAProxy on a free port, with a check of the server every 100 ms; `backend` are lines of
 * its configuration besides the server.
 */
export async function startHaproxy(
  command: string,
  target: number,
  backend: readonly string[] = [],
): Promise<Haproxy> {
  const folder = temporaryFolder();
  const port = await freePort();
  const stats = join(folder, "stats");
  const program = await startListening(
    port,
    command,
    "-db",
    "-f",
    write(folder, [
      "global",
      `  stats socket ${stats} level user`,
      "defaults",
      "  mode http",
      "  timeout connect 5s",
      "  timeout client 50s",
      "  timeout server 50s",
      "frontend public",
      `  bind 127.0.0.1:${port}`,
      "  default_backend servers",
      "backend servers",
      ...backend.map((line) => `  ${line}`),
      `  server target 127.0.0.1:${target} check inter 100`,
    ]),
  );
  return { port, program, status: () => serverStatus(stats) };
}

/** The columns of `show stat` that tell of the server's health. */
async function serverStatus(stats: string): Promise<string> {
  let text = "";
  const socket = connect(stats, () => socket.write("show stat\n"));
  for await (const chunk of socket.setEncoding("utf8")) text += chunk;
  const rows = text.replace(/^# /, "").trim().split("\n").map((line) => line.split(","));
  const names = rows[0]!;
  const row = rows.find(([, name]) => name === "target")!;
  const cell = (name: string): string => row[names.indexOf(name)]!;
  return [cell("status"), cell("check_status"), cell("check_code")].join(" ").trim();
}

// --- nginx ---

/** What nginx's documentation says is needed for WebSocket, on top of `proxy_pass`. */
export const NGINX_UPGRADE: readonly string[] = [
  "proxy_http_version 1.1;",
  "proxy_set_header Upgrade $http_upgrade;",
  "proxy_set_header Connection \"upgrade\";",
];

/** Starts nginx on a free port; `location` are lines of its configuration besides `proxy_pass`. */
export async function startNginx(
  command: string,
  target: number,
  location: readonly string[] = [],
): Promise<number> {
  const folder = temporaryFolder();
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const config = write(folder, [
    "daemon off;",
    "master_process off;",
    "pid pid;",
    "error_log stderr crit;",
    "events {}",
    "http {",
    "  access_log off;",
    ...temporary.map((name) => `  ${name}_temp_path ${name};`),
    "  server {",
    `    listen 127.0.0.1:${port};`,
    "    location / {",
    `      proxy_pass http://127.0.0.1:${target};`,
    ...location.map((line) => `      ${line}`),
    "    }",
    "  }",
    "}",
  ]);
  await startListening(port, command, "-e", "stderr", "-p", folder, "-c", config);
  return port;
}

// --- Both ---

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sansws-neighbours-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function write(folder: string, lines: readonly string[]): string {
  const path = join(folder, "config");
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

/** Starts a command that ends with the test, and waits until it listens on the port. */
async function startListening(port: number, ...command: readonly string[]): Promise<Program> {
  const program = startTool(command);
  for (let attempt = 0; attempt < 200 && program.status === undefined; attempt++) {
    if (await listens(port)) return program;
    await sleep(50);
  }
  throw new Error(`${command[0]} does not listen:\n${program.output}`);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.on("error", () => settle(false)).on("connect", () => settle(true));
  });
}
