// Programs of the simulation with real sockets, through a proxy that cuts, delays, stalls and
// resets: on whichever runtime this is.

import { describe, expect, it } from "vitest";
import { generate } from "./program.ts";
import { runReal } from "./real.ts";

const PROGRAMS = 200;
/** Programs mostly wait, so some run at a time. */
const AT_ONCE = 8;

describe("a server and a client behind a bad link", () => {
  it(`keep the invariants of the simulation in ${PROGRAMS} programs`, async () => {
    const causes = new Set<string>();
    let seed = 0;
    let messages = 0;
    const worker = async (): Promise<void> => {
      while (seed < PROGRAMS) {
        const current = seed++;
        const report = await runReal(generate(current)).catch((error: unknown) => {
          throw new Error(
            `seed ${current}; to see more: npm run sim -- --real --from ${current} --seeds 1`,
            {
              cause: error,
            },
          );
        });
        messages += report.messages;
        for (const cause of report.outcomes) causes.add(cause);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(messages).toBeGreaterThan(PROGRAMS);
    expect([...causes]).toEqual(expect.arrayContaining(["local", "lost", "peer", "violation"]));
  }, 60_000);
});
