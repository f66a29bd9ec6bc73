// What is measured: one row of the table for each. How it is done is generator.ts.

/** A row of the table. */
export interface Workload {
  readonly name: string;
  /** The row's title in the table. */
  readonly title: string;
  readonly kind: "echo" | "publish" | "handshakes" | "idle";
  readonly connections: number;
  /**
   * Messages that are under way on a connection; the next ones leave when all of them came back.
   */
  readonly inFlight: number;
  /** Bytes of a message. */
  readonly size: number;
  readonly binary: boolean;
  readonly deflate: boolean;
  /**
   * Whether TCP without any protocol can do the same: echo, or answer a handshake without looking.
   */
  readonly raw: boolean;
  /** CPU seconds until the server's code is compiled. */
  readonly warmup: number;
}

const PLAIN = {
  kind: "echo",
  connections: 64,
  inFlight: 1,
  size: 0,
  binary: false,
  deflate: false,
  raw: true,
  warmup: 0.5,
} as const;

/** The workloads, in the order of the table. */
export const WORKLOADS: readonly Workload[] = [
  { ...PLAIN, name: "echo1", title: "echo 20 B, 1 in flight", size: 20 },
  { ...PLAIN, name: "pipe20", title: "echo 20 B, 64 in flight", size: 20, inFlight: 64 },
  { ...PLAIN, name: "echo1k", title: "echo 1 KiB, 1 in flight", size: 1024 },
  {
    ...PLAIN,
    name: "echo16k",
    title: "echo 16 KiB binary, 1 in flight",
    size: 16 * 1024,
    binary: true,
  },
  {
    ...PLAIN,
    name: "echo1m",
    title: "echo 1 MiB binary, 8 conns × 2",
    connections: 8,
    size: 1024 ** 2,
    inFlight: 2,
    binary: true,
  },
  {
    ...PLAIN,
    name: "publish",
    title: "publish 1 → 1000, 64 B (deliveries)",
    kind: "publish",
    connections: 1000,
    size: 64,
    inFlight: 16,
    raw: false,
  },
  {
    ...PLAIN,
    name: "handshakes",
    title: "handshakes (connect, upgrade, close)",
    kind: "handshakes",
    connections: 32,
    warmup: 1,
  },
  {
    ...PLAIN,
    name: "idle",
    title: "idle memory per connection (bytes)",
    kind: "idle",
    connections: 10_000,
  },
  {
    ...PLAIN,
    name: "deflate",
    title: "compressed echo, 500 B JSON, 16 in flight",
    size: 500,
    inFlight: 16,
    deflate: true,
    raw: false,
  },
];

/** What the generator is asked to do. */
export interface Task {
  readonly workload: string;
  readonly port: number;
  /** The server's process, whose CPU time and memory are looked at. */
  readonly pid: number;
  /** Whether the server is plain TCP. */
  readonly raw: boolean;
  /**
   * CPU seconds of the server before the measurement, and of it: as much work on a busy machine as
   * on a quiet one.
   */
  readonly warmup: number;
  readonly seconds: number;
}

/** What the generator found. */
export interface Finding {
  /** Messages, deliveries or handshakes; for `idle`, connections. */
  readonly count: number;
  readonly seconds: number;
  /** CPU seconds of the server and of the generator meanwhile. */
  readonly serverCpu: number;
  readonly generatorCpu: number;
  /** Bytes by which the server's resident memory grew. */
  readonly memory: number;
}
