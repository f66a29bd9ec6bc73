// `npm run autobahn`: the published container of the conformance suite against our server and our
// client on every runtime, and its verdicts against expected.ts. It needs a docker engine; without
// one it says so, and that nothing was run.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { COMMANDS, type RuntimeName, RUNTIMES } from "../processes.ts";
import { unexpected, type Verdict } from "./expected.ts";

const IMAGE = "crossbario/autobahn-testsuite";
const SUITE_PORT = 9001;
const SERVER_PORT = 9002;

function start(
  runtime: RuntimeName,
  program: string,
  args: readonly string[] = [],
  env: object = {},
): ChildProcess {
  const [command, ...prefix] = COMMANDS[runtime];
  return spawn(command, [...prefix, program, ...args], {
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once(
      "exit",
      (code) => code === 0 ? resolve() : reject(new Error(`${child.spawnargs.join(" ")}: ${code}`)),
    );
  });
}

/**
 * Runs the suite in a container that shares the host's network and leaves its reports in `folder`.
 */
function suite(
  mode: "fuzzingclient" | "fuzzingserver",
  folder: string,
  spec: object,
): ChildProcess {
  writeFileSync(
    join(folder, "spec.json"),
    JSON.stringify({ outdir: "/work/reports", cases: ["*"], ...spec }),
  );
  const args = ["run", "--rm", "--network", "host", "-v", `${folder}:/work`, IMAGE];
  return spawn("docker", [...args, "wstest", "-m", mode, "-s", "/work/spec.json"], {
    stdio: "inherit",
  });
}

function judge(folder: string, agent: string): boolean {
  const index = JSON.parse(readFileSync(join(folder, "reports", "index.json"), "utf8")) as Record<
    string,
    Record<string, Verdict>
  >;
  const lines = unexpected(index[agent] ?? {});
  console.log(`${agent}: ${lines.length === 0 ? "as expected" : lines.join("\n  ")}`);
  return lines.length === 0;
}

async function judgeServer(runtime: RuntimeName, folder: string): Promise<boolean> {
  const agent = `sansws-${runtime}-server`;
  const server = start(runtime, "test/autobahn/server.ts", [], { PORT: String(SERVER_PORT) });
  await sleep(2_000);
  await ended(
    suite("fuzzingclient", folder, { servers: [{ agent, url: `ws://127.0.0.1:${SERVER_PORT}` }] }),
  );
  server.kill("SIGINT");
  await ended(server);
  return judge(folder, agent);
}

async function judgeClient(runtime: RuntimeName, folder: string): Promise<boolean> {
  const agent = `sansws-${runtime}-client`;
  const server = suite("fuzzingserver", folder, { url: `ws://127.0.0.1:${SUITE_PORT}` });
  await sleep(5_000);
  await ended(start(runtime, "test/autobahn/client.ts", [`ws://127.0.0.1:${SUITE_PORT}`, agent]));
  server.kill("SIGINT");
  return judge(folder, agent);
}

async function main(): Promise<void> {
  if (spawnSync("docker", ["info"], { stdio: "ignore" }).status !== 0) {
    console.log(
      "There is no docker engine here, which the conformance suite needs: nothing was run.",
    );
    return;
  }
  const base = mkdtempSync(join(tmpdir(), "autobahn-"));
  let good = true;
  for (const runtime of RUNTIMES) {
    for (const [role, run] of [["server", judgeServer], ["client", judgeClient]] as const) {
      const folder = join(base, `${runtime}-${role}`);
      mkdirSync(folder);
      good = await run(runtime, folder) && good;
    }
  }
  console.log(`the reports are in ${base}`);
  process.exitCode = good ? 0 : 1;
}

await main();
