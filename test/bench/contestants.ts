// Who is measured: on each runtime our server, what the runtime or its users have instead, and TCP
// without a protocol.

import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { root } from "../processes.ts";
import type { Workload } from "./workloads.ts";

const bundles = join(root, ".cache/bench");

/** One server. */
export interface Contestant {
  readonly name: string;
  readonly role: "ours" | "peer" | "extra" | "raw";
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly skips?: readonly string[];
}

/** A runtime with the servers that run on it. */
export interface Runtime {
  /** As on the command line. */
  readonly key: string;
  readonly title: string;
  readonly contestants: readonly Contestant[];
  /** Starts the bench of the core alone. */
  readonly frames: readonly string[];
}

/** What Node runs is bundled: the loader for TypeScript adds code of its own to every function. */
export async function bundle(): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ["server", "generator", "frames", "peers/ws", "peers/tcp_node"].map((name) =>
      `test/bench/${name}.ts`
    ),
    outdir: bundles,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
  });
}

/** The path of a bundle. */
export function bundled(name: string): string {
  return join(bundles, `${name}.mjs`);
}

function source(name: string): string {
  return join(root, "test/bench", `${name}.ts`);
}

function binary(name: string): string {
  return join(root, "node_modules/.bin", name);
}

function version(command: string): string {
  return execFileSync(command, ["--version"], { encoding: "utf8" }).replace(
    /^(?:v|deno )?(\S+)[^]*$/,
    "$1",
  );
}

function node(path: string): Runtime {
  const number = version(path);
  return {
    key: path === process.execPath ? "node" : `node${number.split(".")[0]}`,
    title: `Node ${number}`,
    contestants: [
      { name: "sansws", role: "ours", command: [path, bundled("server")] },
      {
        name: "ws",
        role: "peer",
        command: [path, bundled("peers/ws")],
        env: { WS_NO_BUFFER_UTIL: "1" },
      },
      {
        name: "ws + bufferutil",
        role: "extra",
        command: [path, bundled("peers/ws")],
        skips: ["idle", "handshakes"],
      },
      { name: "TCP", role: "raw", command: [path, bundled("peers/tcp_node")] },
    ],
    frames: [path, bundled("frames")],
  };
}

function deno(): Runtime {
  const run = [binary("deno"), "run", "--quiet", "-A"];
  return {
    key: "deno",
    title: `Deno ${version(binary("deno"))}`,
    contestants: [
      { name: "sansws", role: "ours", command: [...run, source("server")] },
      {
        name: "Deno.upgradeWebSocket",
        role: "peer",
        command: [...run, source("peers/deno")],
        skips: ["deflate"],
      },
      { name: "TCP", role: "raw", command: [...run, source("peers/tcp_deno")] },
    ],
    frames: [...run, source("frames")],
  };
}

function bun(): Runtime {
  const run = [binary("bun"), "run"];
  return {
    key: "bun",
    title: `Bun ${version(binary("bun"))}`,
    contestants: [
      { name: "sansws", role: "ours", command: [...run, source("server")] },
      { name: "Bun.serve", role: "peer", command: [...run, source("peers/bun")] },
      { name: "TCP", role: "raw", command: [...run, source("peers/tcp_bun")] },
    ],
    frames: [...run, source("frames")],
  };
}

/** The runtimes there are; `nodes` are paths of further versions of Node. */
export function runtimes(nodes: readonly string[]): readonly Runtime[] {
  return [node(process.execPath), ...nodes.map(node), deno(), bun()];
}

/** Whether the contestant can do the work. */
export function takesPart({ role, skips }: Contestant, { name, raw }: Workload): boolean {
  return (role !== "raw" || raw) && !skips?.includes(name);
}
