// A request that is no upgrade: from head and body to a web Request, from a web Response to bytes.
// One request a transport, which is enough for a page, a health check or a login in front of a
// WebSocket; more is not meant.

import { BodyReader, requestBodyLength } from "../../../core/http/body.ts";
import { formatResponseHead } from "../../../core/http/head.ts";
import { splitAbsoluteTarget } from "../../../core/http/target.ts";
import { resolveTimeouts } from "../../../core/limits.ts";
import type { HandshakeOptions, HeaderField, RequestHead, Timeouts } from "../../../core/mod.ts";
import { Pieces } from "../../../core/pieces.ts";
import type { Clock, Sleeper } from "../clock.ts";
import { linger } from "../linger.ts";
import type { Transport, TransportEvents } from "../transport.ts";
import { fieldsOf } from "./response.ts";
import type { RequestHook } from "./upgrade.ts";

/** Bytes of a request's body. */
const MAX_BODY = 1024 * 1024;

/**
 * Bytes of an answer that are written at once: small, so that a peer which takes them slowly is
 * seen to take them.
 */
const PART = 64 * 1024;

/** What a Request cannot have, although one of Bun can. */
const FORBIDDEN_METHODS: readonly string[] = ["CONNECT", "TRACE", "TRACK"];

const encoder = new TextEncoder();

/** What an exchange asks of its server. */
export interface ExchangeHost {
  readonly clock: Clock;
  readonly handshake: HandshakeOptions;
  report(error: unknown): void;
}

/**
 * Serves the request on the transport, whose first bytes behind the head are `rest`, and calls
 * `gone` when that is gone.
 */
export function exchange(
  head: RequestHead,
  rest: Uint8Array,
  transport: Transport,
  hook: RequestHook,
  host: ExchangeHost,
  gone: () => void,
): void {
  new Exchange(head, transport, hook, host, gone).start(rest);
}

class Exchange implements TransportEvents, Sleeper {
  readonly #head: RequestHead;
  readonly #transport: Transport;
  readonly #hook: RequestHook;
  readonly #host: ExchangeHost;
  readonly #gone: () => void;

  // Reading
  readonly #reader: BodyReader;
  readonly #body = new Pieces();
  #read = false;

  // Time
  readonly #timeouts: Timeouts;
  #alarm: number;

  // Writing
  #begun = false;
  #over = false;
  #drained: (() => void) | undefined;

  constructor(
    head: RequestHead,
    transport: Transport,
    hook: RequestHook,
    host: ExchangeHost,
    gone: () => void,
  ) {
    this.#head = head;
    this.#transport = transport;
    this.#hook = hook;
    this.#host = host;
    this.#gone = gone;
    this.#reader = new BodyReader(requestBodyLength(head.headers));
    this.#timeouts = resolveTimeouts(host.handshake.timeouts);
    // The body has as much time as a handshake; the answer, as long as the peer goes on taking it.
    this.#alarm = host.clock.schedule(this, host.clock.now() + this.#timeouts.handshake);
  }

  start(rest: Uint8Array): void {
    this.#transport.attach(this);
    this.received(rest);
  }

  // --- From the transport and the clock ---

  received(chunk: Uint8Array): void {
    if (this.#read) return;
    this.#reader.receive(chunk, this.#body);
    if (this.#reader.fault !== undefined) this.#refuse(400, "the body of the request is malformed");
    else if (this.#body.size > MAX_BODY) {
      this.#refuse(413, `the body of a request may have ${MAX_BODY} bytes`);
    } else if (this.#reader.done) this.#serve();
  }

  ended(): void {
    if (!this.#read) this.#refuse(400, "the body of the request is incomplete");
  }

  drained(): void {
    this.#drained?.();
    this.#drained = undefined;
  }

  closed(): void {
    this.#over = true;
    this.#host.clock.cancel(this, this.#alarm);
    this.drained();
    this.#gone();
  }

  wake(): void {
    if (this.#read) this.#transport.abort();
    else this.#refuse(408, "the body of the request did not come in time");
  }

  // --- Answering ---

  #serve(): void {
    this.#read = true;
    this.#host.clock.cancel(this, this.#alarm);
    const request = requestOf(this.#head, this.#transport.secure, this.#body.join());
    if (!(request instanceof Request)) return this.#refuse(...request);
    this.#respond(request).catch((error: unknown) => this.#blunder(error));
  }

  /**
   * The application failed: that can still be answered while nothing of its own answer has left.
   */
  #blunder(error: unknown): void {
    this.#host.report(error);
    if (this.#over) return;
    if (this.#begun) this.#transport.abort();
    else this.#refuse(500, "the server failed to answer this request");
  }

  async #respond(request: Request): Promise<void> {
    const { peer, secure } = this.#transport;
    const response = await this.#hook(request, { peer, secure });
    if (!(response instanceof Response)) {
      throw new TypeError("the request hook must return a Response");
    }
    // A 101 from a proxy's point of view is a tunnel; Deno and Bun let an application make one.
    if (response.status < 200) {
      throw new TypeError(`status ${response.status} answers no request: use 200-599`);
    }
    if (this.#over) return void response.body?.cancel();
    await this.#write(response);
    if (!this.#over) this.#end();
  }

  /**
   * A body of unknown length goes in chunks (RFC 9112 §7.1), so that its reader can tell the end
   * from a loss.
   */
  async #write(response: Response): Promise<void> {
    // In this order: Bun forgets the type of a Blob when it is asked for the body.
    const fields = fieldsOf(response, "upgrade");
    const { body, status } = response;
    const empty = body === null || this.#head.method === "HEAD" || status === 204 || status === 304;
    if (empty) {
      if (body === null && status !== 204 && status !== 304) fields.push(["content-length", "0"]);
      this.#writeHead(response, fields);
      return void body?.cancel();
    }
    const sized = response.headers.has("content-length");
    if (!sized) fields.push(["transfer-encoding", "chunked"]);
    this.#writeHead(response, fields);
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      if (this.#over) return;
      for (const part of parts(chunk)) await this.#writeChunks(sized ? [part] : framed(part));
    }
    if (!sized) await this.#writeChunks([encoder.encode("0\r\n\r\n")]);
  }

  #writeHead({ status, statusText }: Response, fields: HeaderField[]): void {
    fields.push(["connection", "close"]);
    const head = formatResponseHead(status, fields, statusText === "" ? undefined : statusText);
    this.#begun = true;
    this.#transport.write([head]);
  }

  // Whoever takes nothing for as long as a socket may give no sign of life is gone, or means to
  // hold the connection for ever.
  async #writeChunks(chunks: Uint8Array[]): Promise<void> {
    if (this.#over || this.#transport.write(chunks)) return;
    const { clock } = this.#host;
    this.#alarm = clock.schedule(
      this,
      clock.now() + this.#timeouts.pingInterval + this.#timeouts.pongTimeout,
    );
    await new Promise<void>((resolve) => this.#drained = resolve);
    clock.cancel(this, this.#alarm);
  }

  #refuse(status: number, reason: string): void {
    this.#read = true;
    this.#host.clock.cancel(this, this.#alarm);
    const body = encoder.encode(`${reason}\n`);
    const fields: HeaderField[] = [
      ["content-type", "text/plain; charset=utf-8"],
      ["content-length", String(body.length)],
      ["connection", "close"],
    ];
    this.#transport.write([formatResponseHead(status, fields)]);
    if (this.#head.method !== "HEAD") this.#transport.write([body]);
    this.#end();
  }

  #end(): void {
    this.#over = true;
    linger(this.#transport, this.#host.clock, this.#gone);
  }
}

/**
 * The request for the hook; or the status and the reason of the answer to one that cannot be told
 * by a Request.
 */
function requestOf(
  { method, target, headers }: RequestHead,
  secure: boolean,
  body: Uint8Array,
): Request | readonly [status: number, reason: string] {
  // Put together, not resolved: `//evil.example/` is a path here, and a host to a URL parser that
  // is given a base.
  const [host, path] = splitAbsoluteTarget(target)
    ?? [headers.get("host")!, target.startsWith("/") ? target : "/"];
  const url = `${secure ? "https" : "http"}://${host}${path}`;
  if (!URL.canParse(url)) return [400, "host and target of the request make no URL"];
  const hasBody = method !== "GET" && method !== "HEAD";
  const request = tryRequest(url, {
    method,
    headers: Array.from(headers, ([name, value]): [string, string] => [name, value]),
    ...hasBody && { body: body as Uint8Array<ArrayBuffer> },
  });
  return request ?? [501, "the method of the request is not supported"];
}

// To a Request "get" is "GET", and on Bun so is every method it does not know: what a hook allows
// by the method must be what was asked.
function tryRequest(url: string, init: RequestInit & { method: string; }): Request | undefined {
  if (FORBIDDEN_METHODS.includes(init.method)) return undefined;
  try {
    const request = new Request(url, init);
    return request.method === init.method ? request : undefined;
  } catch {
    return undefined;
  }
}

function* parts(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PART) yield bytes.subarray(at, at + PART);
}

function framed(chunk: Uint8Array): Uint8Array[] {
  return [encoder.encode(`${chunk.length.toString(16)}\r\n`), chunk, encoder.encode("\r\n")];
}
