// What a user gets from the registry: the packed package, unpacked into a project of its own
// outside this repository, so that nothing of the repository's (its types, its sources, its tools)
// can be found from there by accident.

import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join, relative } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { root } from "../processes.ts";

/** What was packed and installed. */
export interface Consumer {
  readonly tarball: string;
  /** The packed files, sorted. */
  readonly files: readonly string[];
}

/**
 * Runs a tool and resolves with its standard output; rejects, with what it printed, if it fails.
 */
export async function run(tool: string, args: readonly string[], cwd: string): Promise<string> {
  const shell = process.platform === "win32" && tool !== process.execPath;
  const bin = join(root, "node_modules", ".bin");
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"]}` };
  try {
    return (await promisify(execFile)(tool, args, { cwd, env, shell })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string; };
    throw new Error(`${tool} ${args.join(" ")} failed\n${stdout ?? ""}${stderr ?? String(error)}`);
  }
}

/**
 * Packs, which builds first (`prepack`), and unpacks into a project in the folder. What the package
 * depends on is copied from this repository's modules, so that no registry is asked.
 */
export async function installPacked(folder: string): Promise<Consumer> {
  const installed = join(folder, "node_modules", "sansws");
  await mkdir(installed, { recursive: true });
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ type: "module", dependencies: { sansws: "*" } }),
  );
  await run("npm", ["pack", "--pack-destination", folder], root);
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "";
  await run("tar", ["-xzf", tarball, "-C", "node_modules/sansws", "--strip-components=1"], folder);
  for (const name of await dependenciesOf(installed)) {
    await cp(join(root, "node_modules", name), join(folder, "node_modules", name), {
      recursive: true,
    });
  }
  return { tarball: join(folder, tarball), files: await filesIn(installed) };
}

async function dependenciesOf(installed: string): Promise<string[]> {
  const { dependencies } = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as {
    dependencies?: Record<string, string>;
  };
  return Object.keys(dependencies ?? {});
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((file) =>
    relative(folder, join(file.parentPath, file.name)).replaceAll("\\", "/")
  ).sort();
}
