// Makes a failing program small: takes out what the failure does not need, until nothing more can
// go.

import type { Content } from "./content.ts";
import type { Action, EndSetup, Program, Step } from "./program.ts";

/** Runs that one shrinking may take. */
const MOST_RUNS = 3000;

/** The smallest program found that still fails; `fails` is asked for each. */
export function shrink(program: Program, fails: (program: Program) => boolean): Program {
  let smallest = program;
  let runs = 0;
  for (let found = true; found && runs < MOST_RUNS;) {
    found = false;
    for (const candidate of candidates(smallest)) {
      if (++runs > MOST_RUNS) break;
      if (!fails(candidate)) continue;
      smallest = candidate;
      found = true;
      break;
    }
  }
  return smallest;
}

function* candidates(program: Program): Generator<Program> {
  yield* fewerSteps(program);
  yield* simplerSetups(program);
  for (const [index, step] of program.steps.entries()) {
    for (const simpler of simplerSteps(step)) {
      yield { ...program, steps: program.steps.with(index, simpler) };
    }
  }
}

function* fewerSteps(program: Program): Generator<Program> {
  const { steps } = program;
  for (let size = steps.length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < steps.length; from += size) {
      yield { ...program, steps: steps.toSpliced(from, size) };
    }
  }
}

const PLAIN: Partial<EndSetup> = {
  messages: "whole",
  text: "string",
  chunks: "given",
  maxMessageSize: 1 << 24,
  maxPendingReplies: 1 << 16,
  pingInterval: Infinity,
  pongTimeout: Infinity,
  idle: Infinity,
  close: Infinity,
  clock: 0,
  lateness: 0,
};

function* simplerSetups(program: Program): Generator<Program> {
  const { deflate, link } = program;
  if (deflate !== undefined) yield { ...program, deflate: undefined };
  for (
    const [name, value] of [["latency", 0], ["jitter", 0], ["capacity", Infinity], [
      "split",
      "whole",
    ]] as const
  ) {
    if (link[name] !== value) yield { ...program, link: { ...link, [name]: value } };
  }
  for (const role of ["client", "server"] as const) {
    for (const [name, value] of Object.entries(PLAIN)) {
      const setup = program[role];
      if (setup[name as keyof EndSetup] !== value) {
        yield { ...program, [role]: { ...setup, [name]: value } };
      }
    }
  }
}

function* simplerSteps(step: Step): Generator<Step> {
  if (step.wait > 0) {
    yield { ...step, wait: 0 };
    if (step.wait > 1) yield { ...step, wait: step.wait >> 1 };
  }
  for (const action of simplerActions(step.action)) yield { ...step, action };
}

function* simplerActions(action: Action): Generator<Action> {
  if ("content" in action) {
    for (const content of simplerContents(action.content)) yield { ...action, content };
    if (action.compress) yield { ...action, compress: false };
  } else if ("size" in action && action.size > 0) {
    yield { ...action, size: 0 };
    yield { ...action, size: action.size >> 1 };
  } else if ("reason" in action && action.reason !== "") {
    yield { ...action, reason: "" };
  } else if ("milliseconds" in action && action.milliseconds > 1) {
    yield { ...action, milliseconds: action.milliseconds >> 1 };
  } else if ("after" in action && action.after > 0) {
    yield { ...action, after: action.after >> 1 };
  }
}

function* simplerContents(content: Content): Generator<Content> {
  const { size, from, sort } = content;
  if (size > 0) yield { ...content, size: 0 };
  if (size > 1) yield { ...content, size: size >> 1 };
  if (size > 1) yield { ...content, size: size - 1 };
  if (from > 0) yield { ...content, from: 0 };
  if (sort !== "words") yield { ...content, sort: "words" };
}
