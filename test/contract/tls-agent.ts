// A program that connects and serves as it is told, for tls-wire.node.test.ts: on any runtime, as a
// process of its own. It prints the port of its control server as a line of JSON.

import { connect, type ConnectOptions, serve, type TlsServerOptions } from "sansws";

/** One order; each has one {@linkcode Result}. */
export type Order =
  | { readonly connect: string; readonly options: ConnectOptions; }
  | { readonly serve: TlsServerOptions; };

/** What came of it: a client that is open, a server with its port, or an error. */
export type Result =
  | "open"
  | { readonly port: number; }
  | { readonly error: string; readonly message: string; };

async function follow(order: Order): Promise<Result> {
  if ("connect" in order) {
    (await connect(order.connect, order.options)).abort();
    return "open";
  }
  const server = await serve({ port: 0, hostname: "127.0.0.1", tls: order.serve });
  return { port: server.address.port! };
}

async function request({ url }: Request): Promise<Response> {
  const order = JSON.parse(decodeURIComponent(new URL(url).search.slice(1))) as Order;
  const failed = ({ name, message }: Error): Result => ({ error: name, message });
  return Response.json(await follow(order).catch(failed));
}

// An order with certificates makes a long line.
const limits = { maxLineLength: 2 ** 16, maxHeadSize: 2 ** 17 };
const { address } = await serve({ port: 0, hostname: "127.0.0.1", limits, request });
console.log(JSON.stringify(address.port));
