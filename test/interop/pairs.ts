// A server and a client of different make, each a process of its own: what is tried between them,
// and what both have to report.

import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMANDS, Program, RUNTIMES } from "../processes.ts";
import { type End, type Report, type Scenario, type Variant, WELCOME } from "./messages.ts";

/** Debian's: it has python3-websockets where that is installed. */
const PYTHON = "/usr/bin/python3";

const INTERPRETERS: Readonly<Record<Interpreter, readonly string[]>> = {
  ...COMMANDS,
  Python: [PYTHON],
};

export type Interpreter = keyof typeof COMMANDS | "Python";

/** A program that serves, or one that connects. */
export interface Side {
  readonly name: string;
  readonly on: Interpreter;
  readonly file: string;
  readonly fragments: boolean;
  readonly pings: boolean;
  /** It can send a Close frame without a code. */
  readonly emptyClose: boolean;
  /** It tells which extensions are in use. */
  readonly extensions: boolean;
  /** What this library says is in use between it and this peer, for each setting. */
  readonly negotiated?: Partial<Record<Variant, string>>;
}

const OURS = { fragments: true, pings: true, emptyClose: true, extensions: true };

/** This library, on each runtime. */
export function oursAs(role: "servers" | "clients"): readonly Side[] {
  return RUNTIMES.map((on) => ({
    name: `sansws on ${on}`,
    on,
    file: `${role}/sansws.ts`,
    ...OURS,
  }));
}

/** What both ends agree on when they want the same; in the answer's order or another. */
export const AGREED: Readonly<Record<Exclude<Variant, "none">, string>> = {
  takeover: "permessage-deflate",
  "no-takeover": "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
  "bits-9": "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9",
  "bits-15": "permessage-deflate; server_max_window_bits=15; client_max_window_bits=15",
};

/** The same for a peer that cannot be told its window. */
export const AGREED_BY_DEFAULT: Partial<Record<Variant, string>> = {
  takeover: AGREED.takeover,
  "no-takeover": AGREED["no-takeover"],
  "bits-9": AGREED["bits-9"],
};

const hasPython: boolean = spawnSync(PYTHON, ["-c", "import websockets"]).status === 0;

function missing({ on }: Side): boolean {
  return on === "Python" && !hasPython;
}

// --- What is tried ---

const SIZES = [0, 1, 125, 126, 65535, 65536, 1024 * 1024];
const ECHOES = SIZES.flatMap((size) => [`text ${size}`, `binary ${size}`]);
const PLAIN = {
  variant: "none",
  protocols: [],
  steps: [],
  end: { by: "client", code: 1000 },
} as const;

type Trial = Omit<Scenario, "url">;

function closing(by: End["by"], mayBeEmpty: boolean): Trial[] {
  const ends: End[] = [{ by, code: 1000 }, { by, code: 4000, reason: "Grüße 😀" }];
  if (mayBeEmpty) ends.push({ by });
  return ends.map((end) => ({
    ...PLAIN,
    name: `closing by the ${by} with ${end.code ?? "no code"}`,
    end,
  }));
}

function steps(able: readonly (readonly [able: boolean, step: string])[]): string[] {
  return able.filter(([able]) => able).map(([, step]) => step);
}

function trialsOf(server: Side, client: Side): Trial[] {
  const fragments = [[client.fragments, "fragments 65536"], [
    server.fragments,
    "!fragments 65536",
  ]] as const;
  const pings = [[client.pings, "ping"], [server.pings, "!ping"]] as const;
  const variants = Object.keys(server.negotiated ?? client.negotiated ?? {}) as Variant[];
  return [
    { ...PLAIN, name: "echo of text and bytes", steps: ECHOES },
    { ...PLAIN, name: "a burst of messages", steps: ["burst 500"] },
    { ...PLAIN, name: "fragments", steps: steps(fragments) },
    { ...PLAIN, name: "pings", steps: steps(pings) },
    { ...PLAIN, name: "a subprotocol", protocols: ["alpha", "beta"] },
    ...closing("client", client.emptyClose),
    ...closing("server", server.emptyClose),
    ...variants.map((variant): Trial => ({
      ...PLAIN,
      name: `permessage-deflate, ${variant}`,
      variant,
      steps: [...ECHOES, "burst 500", ...steps(fragments)],
    })),
  ];
}

// --- What comes of it ---

/** A program of one end, and its reports. */
class Run {
  readonly #program: Program;
  readonly #reports = new Map<string, Report>();

  constructor({ on, file }: Side, env: Readonly<Record<string, string>> = {}) {
    this.#program = new Program([...INTERPRETERS[on], `test/interop/${file}`], env);
  }

  /** What a server prints first: where it listens. */
  ports(): Promise<Record<Variant, number>> {
    return this.#program.takeJson();
  }

  /** Waits for the report of a name; the others are kept. */
  async reportOn(name: string): Promise<Report> {
    for (;;) {
      const report = this.#reports.get(name);
      if (report !== undefined) return report;
      const next = await this.#program.takeJson<Report>();
      this.#reports.set(next.name, next);
    }
  }

  end(): Promise<void> {
    return this.#program.kill();
  }
}

/** Tries everything between a server and each of the clients. One of the two is this library. */
export function describePairs(server: Side, clients: readonly Side[]): void {
  describe.skipIf(missing(server))(`server: ${nameOf(server)}`, () => {
    let run: Run;
    let ports: Record<Variant, number>;

    beforeAll(async () => {
      run = new Run(server);
      ports = await run.ports();
    });

    afterAll(() => run.end());

    for (const client of clients) describePair([server, client], () => [run, ports]);
  });
}

function nameOf(side: Side): string {
  return missing(side) ? `${side.name} (skipped: python3-websockets is not installed)` : side.name;
}

type Serving = readonly [run: Run, ports: Readonly<Record<Variant, number>>];

function describePair([server, client]: readonly [Side, Side], serving: () => Serving): void {
  describe.skipIf(missing(client))(`client: ${nameOf(client)}`, () => {
    const trials = trialsOf(server, client);
    let run: Run;

    beforeAll(() => {
      const [, ports] = serving();
      const plan = trials.map((trial): Scenario => ({
        ...trial,
        ...whereabouts(client, trial, ports),
      }));
      run = new Run(client, { PLAN: JSON.stringify(plan) });
    });

    afterAll(() => run.end());

    it.each(trials)("$name", async (trial) => {
      const { name } = whereabouts(client, trial, serving()[1]);
      const near = await run.reportOn(name);
      expect(near.done).toEqual([WELCOME, ...trial.steps]);
      const far = await serving()[0].reportOn(name);
      expectClosed(trial.end, near, far);
      const protocol = trial.protocols.length > 0 ? "beta" : "";
      expect({ near: near.protocol, far: far.protocol }).toEqual({ near: protocol, far: protocol });
      expectNegotiated(trial.variant, [server, far], [client, near]);
    });
  });
}

/** The trial's name in reports, which the server knows as the path. */
function whereabouts(
  client: Side,
  { name, variant }: Trial,
  ports: Serving[1],
): Pick<Scenario, "name" | "url"> {
  const path = `${client.name}-${name}`.replaceAll(/\W+/g, "-");
  return { name: path, url: `ws://127.0.0.1:${ports[variant]}/${path}` };
}

// Who began hears the code again; whether the reason too, is the other's choice (RFC 6455 §5.5.1).
function expectClosed({ by, code = 1005, reason = "" }: End, near: Report, far: Report): void {
  const [began, heard] = by === "client" ? [near, far] : [far, near];
  expect(heard.closed).toEqual([code, reason]);
  expect(began.closed[0]).toBe(code);
}

function expectNegotiated(variant: Variant, ...ends: readonly (readonly [Side, Report])[]): void {
  const expected =
    ends.map(([{ negotiated }]) => negotiated?.[variant]).find((text) => text !== undefined) ?? "";
  for (const [{ negotiated, extensions }, report] of ends) {
    if (negotiated === undefined) {
      expect(parametersOf(report.extensions)).toEqual(parametersOf(expected));
    } else if (extensions) {
      expect(nameOfExtension(report.extensions)).toBe(nameOfExtension(expected));
    }
  }
}

function parametersOf(extension: string): string[] {
  return extension.split("; ").sort();
}

function nameOfExtension(extension: string): string | undefined {
  return extension.split(";")[0];
}
