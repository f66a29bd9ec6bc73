// The packed package as its users meet it: what is in it, whether its types stand alone, and
// whether it runs.

import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../processes.ts";
import { type Consumer, installPacked, run } from "./tarball.ts";

const entries = ["sansws", "sansws/core", "sansws/node", "sansws/deno", "sansws/bun"];

const runtimes: Readonly<Record<string, readonly [tool: string, ...args: string[]]>> = {
  node: [process.execPath],
  deno: ["deno", "run", "-A"],
  bun: ["bun", "run"],
};

let folder: string;
let consumer: Consumer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sansws-package-"));
  consumer = await installPacked(folder);
  await copyFile(join(root, "test/package/consumer.js"), join(folder, "consumer.js"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function runIn(runtime: string, ...args: string[]): Promise<string> {
  const [tool, ...options] = runtimes[runtime] ?? [""];
  return run(tool, [...options, ...args], folder);
}

describe("the packed files", () => {
  it("are the built ones, the licence, the README and package.json", () => {
    const others = consumer.files.filter((file) => !/^dist\/[\w-]+\.(js|d\.ts)$/.test(file));
    expect(others).toEqual(["LICENSE", "README.md", "package.json"]);
  });

  it("satisfy publint", async () => {
    await run("publint", ["run", consumer.tarball, "--strict"], root);
  });

  it("satisfy are-the-types-wrong", async () => {
    const options = ["--profile", "esm-only", "--no-definitely-typed", "--format", "ascii"];
    await run("attw", [consumer.tarball, ...options], root);
  });
});

describe("the packed types", () => {
  const check = async (
    lib: string,
    imports: readonly string[],
    moduleResolution: string,
  ): Promise<void> => {
    const module = moduleResolution === "bundler" ? "ESNext" : "NodeNext";
    const names = imports.map((entry, index) =>
      `import * as entry${index} from "${entry}";\nexport { entry${index} };\n`
    );
    await writeFile(join(folder, "types.ts"), names.join(""));
    const options =
      `--noEmit --strict --target ES2023 --types --module ${module} --moduleResolution ${moduleResolution}`;
    await run("tsc", [...options.split(" "), "--lib", lib, "types.ts"], folder);
  };

  it.each(["nodenext", "bundler"])(
    "check without @types/node and with library checks on: %s",
    async (resolution) => {
      await check("ES2023,DOM,DOM.Iterable,DOM.AsyncIterable", entries, resolution);
    },
  );

  it("of sansws/core need the language alone", async () => {
    await check("ES2023", ["sansws/core"], "nodenext");
  });
});

describe.each(Object.keys(runtimes))("on %s", (runtime) => {
  it("every entry point can be imported", async () => {
    const imports = entries.map((entry) => `await import("${entry}");\n`);
    await writeFile(join(folder, "imports.js"), `${imports.join("")}console.log("imported");\n`);
    expect((await runIn(runtime, "imports.js")).trim()).toBe("imported");
  });

  it.each(["sansws", `sansws/${runtime}`])("%s serves and connects", async (entry) => {
    expect((await runIn(runtime, "consumer.js", entry)).trim()).toBe("ok");
  });

  it("sansws/core answers the key of RFC 6455 §1.3", async () => {
    const program =
      `import { acceptKey } from "sansws/core";\nconsole.log(await acceptKey("dGhlIHNhbXBsZSBub25jZQ=="));\n`;
    await writeFile(join(folder, "core.js"), program);
    expect((await runIn(runtime, "core.js")).trim()).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });
});
