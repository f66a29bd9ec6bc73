// The size figures of README are promises; this is where growth is noticed.

import { expect, it } from "vitest";
import { type BundleName, bundleNames, bundleSize } from "./size.ts";

const KIB = 1024;
const limits: Readonly<Record<BundleName, number>> = {
  "sansws/core": 18 * KIB,
  "sansws on Node": 49 * KIB,
  "sansws on Deno": 49 * KIB,
  "sansws on Bun": 49 * KIB,
};

it.each(bundleNames)("%s stays small when bundled", async (name) => {
  const size = await bundleSize(name);
  console.log(`${name}: ${(size / KIB).toFixed(1)} KiB of ${limits[name] / KIB} KiB`);
  expect(size).toBeLessThanOrEqual(limits[name]);
});
