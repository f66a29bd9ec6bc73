// The server behind the neighbours, on any runtime. SERVER_OPTIONS in the environment holds options
// of `serve` as JSON. It prints its ports as one line of JSON: `port` is the server under test, and
// `control` answers with everything that its hooks and handlers heard.

import process from "node:process";
import { type Message, serve, type ServeOptions, type Socket } from "sansws";

/** What the control server answers with. */
export interface State {
  readonly sockets: number;
  /** One line for each call of a hook or handler, such as `request GET /health`. */
  readonly heard: readonly string[];
}

/** The ports that the program prints. */
export interface Ports {
  readonly port: number;
  readonly control: number;
}

const heard: string[] = [];
const encoder = new TextEncoder();

/**
 * `stream` has no Content-Length, `events` never ends. All name their type: on Bun a Response does
 * not say that a string is text.
 */
const PAGES: Readonly<Record<string, () => Response>> = {
  "/": () => page("<h1>hello</h1>\n", "text/html"),
  "/health": () => page("ok\n", "text/plain"),
  "/stream": () => page(chunks(), "text/plain"),
  "/events": () => page(events(), "text/event-stream"),
};

function page(body: string | ReadableStream<Uint8Array>, type: string): Response {
  return new Response(body, { headers: { "content-type": type } });
}

function chunks(): ReadableStream<Uint8Array> {
  let count = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      controller.enqueue(encoder.encode(`part ${count++}\n`));
      if (count === 10) controller.close();
    },
  });
}

function events(): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval>;
  return new ReadableStream({
    start(controller) {
      const tell = (): void => controller.enqueue(encoder.encode("data: tick\n\n"));
      tell();
      timer = setInterval(tell, 50);
    },
    cancel() {
      clearInterval(timer);
      heard.push("stream cancelled");
    },
  });
}

function echo(socket: Socket, data: Message): void {
  if (data === "close") socket.close(4002, "as you asked");
  else socket.send(data);
}

const server = await serve({
  port: 0,
  hostname: "127.0.0.1",
  ...JSON.parse(process.env["SERVER_OPTIONS"] ?? "{}") as ServeOptions,
  upgrade: ({ path }) => void heard.push(`upgrade ${path}`),
  request: ({ method, url, signal }) => {
    const { pathname } = new URL(url);
    heard.push(`request ${method} ${pathname}`);
    if (pathname === "/events") {
      signal.addEventListener("abort", () => heard.push("signal aborted"));
    }
    return PAGES[pathname]?.() ?? new Response("there is no such page\n", { status: 404 });
  },
  refused: ({ status, rule }) => void heard.push(`refused ${status} ${rule}`),
  open: () => void heard.push("open"),
  message: echo,
  close: (_, { code, reason, cause }) => void heard.push(`close ${code} "${reason}" ${cause}`),
  error: (error) => void heard.push(`error ${String(error)}`),
});

const control = await serve({
  port: 0,
  hostname: "127.0.0.1",
  request: () => Response.json({ sockets: server.sockets.size, heard } satisfies State),
});

console.log(JSON.stringify({ port: server.address.port, control: control.address.port }));
