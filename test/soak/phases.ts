// What happens in a long run, one phase after the other: connections that come and go, messages
// that go to and fro, clients that are killed, and a server that is closed, comes back, is killed,
// and comes back. What of that is wrong, report.ts says.

import { setTimeout as sleep } from "node:timers/promises";
import { freePort, type RuntimeName } from "../processes.ts";
import type { Look, RoundsPlan } from "./client.ts";
import { ClientProgram, ServerProgram } from "./programs.ts";
import type { Stats } from "./server.ts";
import type { Result } from "./tally.ts";

/** How long a run is. */
export interface Size {
  readonly connections: number;
  readonly messages: number;
  /** Looks at the memory while there are connections, and again while there are messages. */
  readonly looks: number;
  /** How often clients are killed. */
  readonly kills: number;
  /** Milliseconds, for the connections and again for the messages. */
  readonly limit: number;
}

/** Everything about one runtime. */
export interface Row {
  readonly runtime: RuntimeName;
  /** The server, before all. */
  readonly before: Stats;
  readonly churned: Phase;
  readonly talked: Phase;
  /** The server, after clients were killed. */
  readonly after: Stats;
  /** How clients saw the server be closed. */
  readonly closed: Ends;
  /** How clients saw it be killed. */
  readonly killed: Ends;
  /** How clients that come back saw both, and went. */
  readonly stayed: Ends;
  /** How many of those were there in the end. */
  readonly returned: number;
  /** What was wrong with how processes ended. */
  readonly faults: readonly string[];
}

/** The counts of how sockets ended; nothing when they hung. */
export type Ends = Result["ends"] | undefined;

/** What clients did in rounds. */
export interface Phase {
  readonly looks: readonly Look[];
  readonly result: Result | undefined;
  readonly milliseconds: number;
}

/** Clients that talk when the server goes, and clients that come back when it does. */
export const TALKING = 100;
export const STAYING = 50;

const PARALLEL = 50;
const AT_ONCE_TALKING = 20;

export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

/** The phases on one runtime. */
export class Run {
  readonly #runtime: RuntimeName;
  readonly #port: number;
  readonly #faults: string[] = [];

  private constructor(runtime: RuntimeName, port: number) {
    this.#runtime = runtime;
    this.#port = port;
  }

  static async on(runtime: RuntimeName, size: Size): Promise<Row> {
    return await new Run(runtime, await freePort()).#all(size);
  }

  async #all({ connections, messages, looks, kills, limit }: Size): Promise<Row> {
    const server = await this.#startServer();
    const common = { url: server.url, rounds: looks, limit };
    const before = await server.stats();
    const churned = await this.#phase({
      ...common,
      mode: "churn",
      count: connections,
      parallel: PARALLEL,
    });
    const talked = await this.#phase({
      ...common,
      mode: "talk",
      count: messages,
      parallel: AT_ONCE_TALKING,
    });
    await this.#killClients(server, kills);
    const after = await server.calm();
    const ends = await this.#restart(server);
    return {
      runtime: this.#runtime,
      before,
      churned,
      talked,
      after,
      ...ends,
      faults: this.#faults,
    };
  }

  #startServer(): Promise<ServerProgram> {
    return ServerProgram.start(this.#runtime, this.#port);
  }

  async #phase(plan: RoundsPlan): Promise<Phase> {
    const started = Date.now();
    const looks: Look[] = [];
    const clients = new ClientProgram(this.#runtime, plan, (look) => {
      looks.push(look);
      console.log(
        `${this.#runtime}: ${plan.mode} ${look.done}, server ${mebibytes(look.server.heap)} MiB`,
      );
    });
    const result = await clients.result;
    const milliseconds = Date.now() - started;
    this.#note(`the clients of ${plan.mode}`, await clients.faults());
    return { looks, result, milliseconds };
  }

  #note(who: string, faults: readonly string[]): void {
    this.#faults.push(...faults.map((fault) => `${who}: ${fault}`));
  }

  /** Kills clients at any moment of what they do. */
  async #killClients(server: ServerProgram, times: number): Promise<void> {
    const { url } = server;
    for (let i = 0; i < times; i++) {
      const clients = [
        new ClientProgram(this.#runtime, { mode: "endless", url, parallel: PARALLEL }),
        new ClientProgram(this.#runtime, {
          mode: "churn",
          url,
          parallel: PARALLEL,
          count: 1e6,
          rounds: 1,
          limit: 1e6,
        }),
      ];
      await server.hearing(PARALLEL);
      await sleep(Math.random() * 300);
      await Promise.all(clients.map((client) => client.kill()));
    }
  }

  /** Closes the server while clients talk, starts it again, kills it, and starts it again. */
  async #restart(
    server: ServerProgram,
  ): Promise<Pick<Row, "closed" | "killed" | "stayed" | "returned">> {
    const staying = new ClientProgram(this.#runtime, {
      mode: "stay",
      url: server.url,
      parallel: STAYING,
    });
    const closed = await this.#endUnderClients(server, "SIGTERM");
    const second = await this.#startServer();
    const killed = await this.#endUnderClients(second, "SIGKILL");
    const third = await this.#startServer();
    const returned = (await third.hearing(STAYING)).talking;
    void staying.stop("SIGTERM");
    this.#note("the clients that stayed", await staying.faults());
    await third.kill();
    return { closed, killed, stayed: (await staying.result)?.ends, returned };
  }

  async #endUnderClients(server: ServerProgram, signal: "SIGTERM" | "SIGKILL"): Promise<Ends> {
    const clients = new ClientProgram(this.#runtime, {
      mode: "endless",
      url: server.url,
      parallel: TALKING,
    });
    await server.hearing(TALKING + STAYING);
    await sleep(300);
    if (signal === "SIGKILL") await server.kill();
    else {
      void server.stop(signal);
      this.#note("the server that was closed", await server.faults());
    }
    this.#note(`the clients of a server with ${signal}`, await clients.faults());
    return (await clients.result)?.ends;
  }
}
