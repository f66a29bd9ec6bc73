// The packed package as its users meet it: what is in it, whether its types stand alone, and
// whether it runs.

import { existsSync } from "node:fs";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../processes.ts";
import { type Consumer, installPacked, run } from "./tarball.ts";

const entries = [
  "sansws",
  "sansws/core",
  "sansws/node",
  "sansws/deno",
  "sansws/bun",
  "sansws/reconnecting",
];

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
    const built = /^dist\/(?:[\w-]+\.js|types\/[\w/-]+\.d\.ts)$/;
    const others = consumer.files.filter((file) => !built.test(file));
    expect(others).toEqual(["LICENSE", "README.md", "package.json"]);
  });

  it("declare each source file's types in a file of its name, none with a hash", () => {
    const declarations = consumer.files.filter((file) => file.endsWith(".d.ts"));
    const sources = declarations.map((file) => file.replace(/^dist\/types\/(.*)\.d\.ts$/, "$1.ts"));
    expect(sources).toContain("core/mod.ts");
    expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
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

describe("the names, values and types together, that a user has to choose among", () => {
  async function namesOf(entry: string): Promise<string[]> {
    const file = join(folder, "names.ts");
    await writeFile(file, `export * from "${entry}";\n`);
    const program = ts.createProgram([file], {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      types: [],
    });
    const checker = program.getTypeChecker();
    const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
    return checker.getExportsOfModule(module).map(({ name }) => name);
  }

  it.each([["sansws", "serve"], ["sansws/core", "Connection"]])(
    "of %s are at most 45, such as %s",
    async (entry, name) => {
      const names = await namesOf(entry);
      expect(names).toContain(name);
      expect(names.length).toBeLessThanOrEqual(45);
    },
  );
});

describe.each(Object.keys(runtimes))("on %s", (runtime) => {
  it("every entry point can be imported", async () => {
    const imports = entries.map((entry) => `await import("${entry}");\n`);
    await writeFile(join(folder, "imports.js"), `${imports.join("")}console.log("imported");\n`);
    expect((await runIn(runtime, "imports.js")).trim()).toBe("imported");
  });

  // A bundler renames a class that mentions itself in a static block: errors would show that name.
  it("every exported class has its own name", async () => {
    const program = `
      for (const entry of ${JSON.stringify(entries)}) {
        for (const [name, value] of Object.entries(await import(entry))) {
          const isClass = typeof value === "function" && /^class\\b/.test(String(value));
          if (isClass) console.log(entry, name, value.name);
        }
      }
    `;
    await writeFile(join(folder, "classes.js"), program);
    const classes = (await runIn(runtime, "classes.js")).trim().split("\n");
    expect(classes).toContain("sansws UsageError UsageError");
    expect(classes.filter((line) => !/ (\w+) \1$/.test(line))).toEqual([]);
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
