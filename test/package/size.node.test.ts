// The size figures of README are promises; this is where growth is noticed.

import { expect, it } from "vitest";
import { bundleSizes } from "./size.ts";

const kib = 1024;

it("bundles stay small: core within 10 KiB, the root with one adapter within 20 KiB", async () => {
  const sizes = await bundleSizes();
  console.log(Object.entries(sizes).map(([name, bytes]) => `${name}: ${(bytes / kib).toFixed(1)} KiB`).join(", "));
  const limits = Object.keys(sizes).map((name) => [name, name === "sansws/core" ? 10 * kib : 20 * kib] as const);
  const tooLarge = limits.filter(([name, limit]) => (sizes[name] ?? Infinity) > limit);
  expect(tooLarge).toEqual([]);
});
