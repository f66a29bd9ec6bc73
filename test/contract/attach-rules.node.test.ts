// `attach` on each runtime, from Node: over any Duplex, with any request, beside other listeners, and
// with whatever high-water mark. The rules run in a program of their own on each.

import { describe, expect, it } from "vitest";
import { RUNTIMES } from "../processes.ts";
import { startProgram } from "../programs.ts";

const RULES = [
  "any Duplex, both ways",
  "a request without rawHeaders",
  "two by path beside each other",
  "a socket that was taken is refused",
  "100 MB with a high-water mark of 1 MiB",
  "chunks that are kept do not change",
];

describe.each(RUNTIMES)("attach on %s", (runtime) => {
  it("keeps every rule", async () => {
    const program = startProgram(runtime, "test/contract/attach-rules.ts", []);
    const results: Record<string, string> = await program.takeJson();
    expect(results).toEqual(Object.fromEntries(RULES.map((rule) => [rule, "kept"])));
  });
});
