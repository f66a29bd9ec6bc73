// What the conformance suite is expected to say of every runtime, in both roles: each of its cases
// is OK, but for three that have no right or wrong.

/** Cases in the suite, version 0.8.2 and later, none excluded. */
export const CASES = 517;

/**
 * Cases in which the suite only watches what an endpoint does: a message behind Close, and two
 * close codes of the reserved range.
 */
export const INFORMATIONAL: ReadonlySet<string> = new Set(["7.1.6", "7.13.1", "7.13.2"]);

/** The verdict of one case, as the suite's index.json has it. */
export interface Verdict {
  readonly behavior: string;
  readonly behaviorClose: string;
}

/**
 * What is not as expected in one agent's part of the suite's index.json: a line for each case, none
 * when all is well.
 */
export function unexpected(cases: Readonly<Record<string, Verdict>>): string[] {
  const lines = Object.entries(cases)
    .filter(([id, { behavior, behaviorClose }]) =>
      behavior !== expected(id) || !isCleanEnd(id, behaviorClose)
    )
    .map(([id, { behavior, behaviorClose }]) =>
      `${id}: ${behavior}, close ${behaviorClose}; expected ${expected(id)}`
    );
  const count = Object.keys(cases).length;
  return count === CASES ? lines : [...lines, `${count} cases were run, not ${CASES}`];
}

function expected(id: string): string {
  return INFORMATIONAL.has(id) ? "INFORMATIONAL" : "OK";
}

function isCleanEnd(id: string, behaviorClose: string): boolean {
  return behaviorClose === "OK" || (INFORMATIONAL.has(id) && behaviorClose === "INFORMATIONAL");
}
