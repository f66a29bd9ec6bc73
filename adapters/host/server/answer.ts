// The answer to a request that is not an upgrade: from the head to a web Request, from the web
// Response to bytes. One request a transport, GET or HEAD, without a body: enough for a page, a
// health check or an event stream beside a WebSocket. Everything else is a real HTTP server's.

import {
  formatResponseHead,
  LINGER,
  resolveTimeouts,
  splitAbsoluteTarget,
} from "../../../core/internal.ts";
import type { HandshakeOptions, HeaderField, Machine, RequestHead } from "../../../core/mod.ts";
import type { Pump, Sink } from "../pump.ts";
import { Deferred } from "../waiting.ts";
import type { Refusal, RequestHook } from "./hooks.ts";

/** Bytes of an answer that are written at once: small, so that slow reading is seen as reading. */
const PART = 64 * 1024;

/**
 * Milliseconds that a stream may be silent once the client has ended its side. A file is read to
 * its end in that time; an event stream would hold its place for ever.
 */
const GRACE = 100;

const encoder = new TextEncoder();
const NO_EVENTS: readonly never[] = [];

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** What an answer asks of its server. */
export interface AnswerHost {
  readonly handshake: HandshakeOptions;
  refused(refusal: Refusal): void;
  report(error: unknown): void;
}

/** Serves the request on the pump's transport; calls `gone` when that is gone. */
export function answer(
  head: RequestHead,
  pump: Pump,
  hook: RequestHook,
  host: AnswerHost,
  gone: () => void,
): void {
  const sink = new Answer(head, pump, hook, host, gone);
  pump.drive(sink.writer, sink);
  sink.serve();
}

/** Whether the value is a web Response, of whatever implementation: by what it can do. */
export function isResponse(value: unknown): value is Response {
  const { status, headers, arrayBuffer } = (value ?? {}) as Partial<Response>;
  return typeof status === "number" && typeof arrayBuffer === "function"
    && typeof headers?.get === "function";
}

/**
 * The fields of the response, without those of one transport (RFC 9110 §7.6.1) and those named.
 */
export function fieldsOf(response: Response, ...without: readonly string[]): HeaderField[] {
  const left = ["connection", "keep-alive", "transfer-encoding", ...without];
  return [...response.headers].filter(([name]) => !left.includes(name));
}

/** The output of an answer: written by the application, at the pace of the peer. */
class Writer implements Machine<"left"> {
  readonly #patience: number;
  #chunks: Uint8Array[] = [];
  #begun = false;
  #left = false;
  pendingOutput = 0;
  outputEnded = false;
  deadline = Infinity;
  expired = false;

  /** `patience` is for a peer that takes nothing, in milliseconds. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  write(bytes: Uint8Array): void {
    if (!this.#begun) this.deadline = Infinity;
    this.#begun = true;
    this.#chunks.push(bytes);
    this.pendingOutput += bytes.length;
  }

  /** The peer has to take something now. */
  beginWait(now: number): void {
    this.deadline = now + this.#patience;
  }

  endWait(): void {
    this.deadline = Infinity;
  }

  end(now: number): void {
    this.outputEnded = true;
    this.deadline = now + LINGER;
  }

  /** What else the client sends is not read as another request. */
  receive(): readonly never[] {
    return NO_EVENTS;
  }

  /** The client may still read, but does not wait for an answer that has not begun. */
  receiveEnd(now: number): readonly "left"[] {
    if (this.#left) return NO_EVENTS;
    this.#left = true;
    if (this.deadline === Infinity && !this.#begun) this.deadline = now + LINGER;
    return ["left"];
  }

  tick(now: number): readonly never[] {
    this.expired ||= now >= this.deadline;
    return NO_EVENTS;
  }

  takeOutput(): Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.pendingOutput = 0;
    return chunks;
  }
}

class Answer implements Sink<"left"> {
  readonly writer: Writer;
  readonly #head: RequestHead;
  readonly #pump: Pump;
  readonly #hook: RequestHook;
  readonly #host: AnswerHost;
  readonly #gone: () => void;
  readonly #leaving = new AbortController();
  #left = false;
  #grace: ReturnType<typeof setTimeout> | undefined;
  /** Ends the read of the application's stream that is under way. */
  #interrupt: (() => void) | undefined;
  #begun = false;
  #drained: Deferred<void> | undefined;

  constructor(
    head: RequestHead,
    pump: Pump,
    hook: RequestHook,
    host: AnswerHost,
    gone: () => void,
  ) {
    const { pingInterval, pongTimeout } = resolveTimeouts(host.handshake.timeouts);
    this.writer = new Writer(pingInterval + pongTimeout);
    this.#head = head;
    this.#pump = pump;
    this.#hook = hook;
    this.#host = host;
    this.#gone = gone;
  }

  serve(): void {
    const request = this.#request();
    if (request === undefined) {
      return this.#refuse(400, "target-invalid", "host and target make no URL");
    }
    this.#respond(request).catch((error: unknown) => this.#fail(error));
  }

  // --- From the pump ---

  event(): void {
    this.#left = true;
    this.#leaving.abort(new DOMException("the client has left", "AbortError"));
    this.#beginGrace();
  }

  drained(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  failed(error: unknown): void {
    this.#host.report(error);
  }

  gone(): void {
    this.#interrupt?.();
    this.drained();
    this.#gone();
  }

  // --- Answering ---

  // Put together, not resolved: `//evil.example/` is a path here, and a host to a URL parser that
  // is given a base.
  #request(): Request | undefined {
    const { method, target, headers } = this.#head;
    const [host, path] = splitAbsoluteTarget(target)
      ?? [headers.get("host") ?? "localhost", target];
    const url = `${this.#pump.transport.secure ? "https" : "http"}://${host}${path}`;
    if (!URL.canParse(url)) return undefined;
    const fields = Array.from(headers, ([name, value]): [string, string] => [name, value]);
    return new Request(url, { method, headers: fields, signal: this.#leaving.signal });
  }

  async #respond(request: Request): Promise<void> {
    const { peer, secure } = this.#pump.transport;
    const response: unknown = await this.#hook(request, { peer, secure });
    if (!isResponse(response)) {
      throw new TypeError("the request hook must return a Response");
    }
    // To a proxy a 101 is a tunnel; Deno and Bun let an application make one.
    if (response.status < 200) {
      throw new TypeError(`status ${response.status} answers no request: use 200-599`);
    }
    if (this.#pump.gone) return this.#cancel(response.body);
    await this.#write(response);
    this.#end();
  }

  /** The application failed: that can be answered while nothing of its own answer has left. */
  #fail(error: unknown): void {
    this.#host.report(error);
    if (this.#begun) this.#pump.abort();
    else this.#refuse(500, "hook-failed", "the server failed to answer this request");
  }

  async #write(response: Response): Promise<void> {
    // In this order: Bun forgets the type of a Blob when it is asked for the body.
    const fields = fieldsOf(response, "upgrade");
    const { body, status, statusText } = response;
    const bodiless = status === 204 || status === 304;
    if (body === null && !bodiless) fields.push(["content-length", "0"]);
    if (body === null || bodiless || this.#head.method === "HEAD") {
      this.#writeHead(status, statusText, fields);
      return this.#cancel(body);
    }
    // A body of unknown length goes in chunks (RFC 9112 §7.1), so that its reader can tell the end
    // from a loss. HTTP/1.0 knows no chunks: there the end of the transport ends it.
    const chunked = !response.headers.has("content-length") && this.#head.version !== "HTTP/1.0";
    if (chunked) fields.push(["transfer-encoding", "chunked"]);
    this.#writeHead(status, statusText, fields);
    await this.#writeBody(body.getReader(), chunked);
  }

  #writeHead(status: number, statusText: string, fields: HeaderField[]): void {
    const { date } = this.#host.handshake;
    if (date !== undefined && !fields.some(([name]) => name === "date")) {
      fields.push(["date", date()]);
    }
    fields.push(["connection", "close"]);
    const head = formatResponseHead(status, fields, statusText || undefined);
    this.#begun = true;
    this.writer.write(head);
    this.#pump.commit();
  }

  async #writeBody(
    reader: Reader,
    chunked: boolean,
  ): Promise<void> {
    for (;;) {
      const next = await this.#read(reader);
      if (next === undefined || this.#pump.gone) return this.#cancel(reader);
      if (next.done) break;
      for (let at = 0; at < next.value.length; at += PART) {
        await this.#writePart(next.value.subarray(at, at + PART), chunked);
      }
    }
    if (chunked) this.writer.write(encoder.encode("0\r\n\r\n"));
  }

  /** The next chunk; nothing when the client is gone, or has left and the stream is silent. */
  async #read(reader: Reader): Promise<Awaited<ReturnType<Reader["read"]>> | undefined> {
    const interrupted = new Promise<undefined>((resolve) => {
      this.#interrupt = () => resolve(undefined);
    });
    if (this.#left) this.#beginGrace();
    try {
      return await Promise.race([reader.read(), interrupted]);
    } finally {
      clearTimeout(this.#grace);
    }
  }

  #beginGrace(): void {
    clearTimeout(this.#grace);
    this.#grace = setTimeout(() => this.#interrupt?.(), GRACE);
  }

  #cancel(source: { cancel(reason: unknown): Promise<void>; } | null): void {
    const reason = this.#leaving.signal.reason;
    source?.cancel(reason).catch((error: unknown) => this.#host.report(error));
  }

  async #writePart(part: Uint8Array, chunked: boolean): Promise<void> {
    if (chunked) this.writer.write(encoder.encode(`${part.length.toString(16)}\r\n`));
    this.writer.write(part);
    if (chunked) this.writer.write(encoder.encode("\r\n"));
    this.#pump.flush();
    if (!this.#pump.blocked || this.#pump.gone) return;
    this.#drained = new Deferred();
    this.writer.beginWait(this.#pump.clock.now());
    this.#pump.flush();
    await this.#drained.promise;
    this.writer.endWait();
  }

  #refuse(status: number, rule: string, reason: string): void {
    const body = encoder.encode(`${reason}\n`);
    this.#writeHead(status, "", [
      ["content-type", "text/plain; charset=utf-8"],
      ["content-length", String(body.length)],
    ]);
    if (this.#head.method !== "HEAD") this.writer.write(body);
    const { peer } = this.#pump.transport;
    this.#host.refused({ status, rule, peer, request: this.#head });
    this.#end();
  }

  #end(): void {
    this.writer.end(this.#pump.clock.now());
    this.#pump.commit();
  }
}
