// How much of a bundle sansws takes: each entry bundled with what it imports, minified and gzipped.
// The deflate codec is left out: its size is pako's, which the README states apart.

import { build } from "esbuild";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "../processes.ts";

/** The sources an entry starts from, and the imports that are left out of its bundle. */
interface Entry {
  readonly source: string;
  readonly leftOut: readonly string[];
}

const adapters: readonly string[] = ["node", "deno", "bun"];

function rootWith(adapter: string): Entry {
  const others = adapters.filter((name) => name !== adapter).map((name) => `./${name}/runtime.ts`);
  return { source: "adapters/mod.ts", leftOut: ["*/deflate.ts", "node:*", ...others] };
}

/** An entry point of the package, as it is measured. */
export type BundleName = "sansws/core" | "sansws on Node" | "sansws on Deno" | "sansws on Bun";

const entries: Readonly<Record<BundleName, Entry>> = {
  "sansws/core": { source: "core/mod.ts", leftOut: [] },
  "sansws on Node": rootWith("node"),
  "sansws on Deno": rootWith("deno"),
  "sansws on Bun": rootWith("bun"),
};

export const bundleNames: readonly BundleName[] = Object.keys(entries) as BundleName[];

/** Bytes of the entry after bundling, minifying and gzip. */
export async function bundleSize(name: BundleName): Promise<number> {
  const { source, leftOut } = entries[name];
  const { outputFiles } = await build({
    entryPoints: [join(root, source)],
    external: [...leftOut],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    write: false,
    logLevel: "silent",
  });
  return gzipSync(Buffer.concat(outputFiles.map((file) => file.contents)), { level: 9 }).length;
}
