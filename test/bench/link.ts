// One connection of the generator: a TCP socket, upgraded unless the server has no protocol. All of
// them read into the same memory, which nothing keeps.

import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { upgradeRequest } from "./wire.ts";

const memory = Buffer.allocUnsafe(1024 * 1024);

/** Takes the first `length` bytes of the memory. */
export type Reader = (bytes: Buffer, length: number) => void;

/** A connection to the server. */
export class Link {
  readonly socket: Socket;
  reader: Reader;

  /** `opened` is called once the server has switched protocols, or at once where there is none. */
  constructor(
    port: number,
    index: number,
    request: Buffer | undefined,
    opened: (link: Link) => void,
  ) {
    this.reader = request === undefined ? () => {} : this.#readHead(opened);
    this.socket = connect({
      port,
      host: "127.0.0.1",
      // A source address has some 28,000 ports, and each stays taken for a while.
      localAddress: `127.0.0.${2 + index % 50}`,
      noDelay: true,
      onread: {
        buffer: memory,
        callback: (length, bytes) => {
          this.reader(bytes as Buffer, length);
          return true;
        },
      },
    }, () => {
      if (request === undefined) opened(this);
      else this.socket.write(request);
    });
  }

  #readHead(opened: (link: Link) => void): Reader {
    let head = "";
    return (bytes, length) => {
      head += bytes.toString("latin1", 0, length);
      if (!head.includes("\r\n\r\n")) return;
      if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(`no upgrade: ${head}`);
      if (!head.endsWith("\r\n\r\n")) throw new Error("bytes behind the head");
      this.head = head;
      this.reader = () => {};
      opened(this);
    };
  }

  /** The server's answer to the upgrade request. */
  head = "";
}

/** Opens so many links, a few at a time: a listener's backlog is short. */
export async function openLinks(
  count: number,
  port: number,
  raw: boolean,
  deflate: boolean,
): Promise<Link[]> {
  const request = raw ? undefined : upgradeRequest(port, deflate);
  const links: Link[] = [];
  const one = (index: number): Promise<Link> =>
    new Promise((resolve, reject) => {
      const link = new Link(port, index, request, resolve);
      link.socket.once("error", reject);
    });
  while (links.length < count) {
    const group = Array.from(
      { length: Math.min(50, count - links.length) },
      (_, i) => one(links.length + i),
    );
    links.push(...await Promise.all(group));
  }
  return links;
}
