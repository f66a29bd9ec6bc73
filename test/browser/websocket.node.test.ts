// The browser's own WebSocket against a server on each runtime, with permessage-deflate and
// without.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listen, type Listening } from "../examples/programs.ts";
import { RUNTIMES } from "../processes.ts";
import { hasChromium, launch } from "./chromium.ts";

const DEFLATE = {
  "no compression": "false",
  "compression": "true",
  "compression without context takeover": JSON.stringify({ takeover: false, peerTakeover: false }),
  "compression with a window of 512 bytes": JSON.stringify({ windowBits: 9, peerWindowBits: 9 }),
} as const;

const SIZES = [0, 1, 125, 126, 65_535, 65_536, 1_048_576];

const CASES = RUNTIMES.flatMap((runtime) =>
  Object.entries(DEFLATE).map(([name, deflate]) => [runtime, name, deflate] as const)
);

/** What became of a socket in the page. */
interface Closed {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

let browser: Browser;

beforeAll(async () => {
  if (hasChromium) browser = await launch();
});

afterAll(() => browser?.close());

describe.skipIf(!hasChromium).each(CASES)(
  "chromium's WebSocket with %s and %s",
  (runtime, _name, deflate) => {
    let page: Page;
    let echo: Listening;

    beforeAll(async () => {
      echo = await listen(runtime, "test/browser/echo.ts", { DEFLATE: deflate });
      page = await browser.newPage();
      await page.addInitScript(pageHelpers);
      await page.reload();
    });

    afterAll(async () => {
      await page.close();
      await echo.program.kill();
    });

    const url = (): string => `ws://${echo.host}/`;

    /** Opens a socket in the page, sends the orders, and waits for its end. */
    const closedAfter = (orders: readonly string[]): Promise<Closed> =>
      page.evaluate(([url, orders]) => helpers.closedAfter(url, orders), [url(), orders] as const);

    it("agrees on the extension", async () => {
      const extensions = await page.evaluate(
        async (url) => (await helpers.open(url)).extensions,
        url(),
      );
      if (deflate === "false") expect(extensions).toBe("");
      else expect(extensions).toMatch(/^permessage-deflate/);
    });

    it.each(SIZES)("gets back text and bytes of length %i", async (size) => {
      expect(
        await page.evaluate(([url, size]) => helpers.echoes(url, size), [url(), size] as const),
      ).toEqual({
        random: true,
        repetitive: true,
        text: true,
      });
    });

    it("gets back a thousand messages in order", async () => {
      expect(await page.evaluate((url) => helpers.echoesMany(url, 1_000), url())).toBe(true);
    });

    it("agrees on a subprotocol, the server's first choice of those offered", async () => {
      const protocol = await page.evaluate(
        async (url) => (await helpers.open(url, ["chat.v1", "chat.v2", "other"])).protocol,
        url(),
      );
      expect(protocol).toBe("chat.v2");
    });

    it("answers the server's pings", async () => {
      const time = await page.evaluate((url) => helpers.roundTripTime(url), url());
      expect(time).toBeGreaterThanOrEqual(0);
    });

    it.each([
      [1000, ""],
      [1001, "going away"],
      [1011, "grüße"],
      [3000, "x".repeat(123)],
      [4999, "last"],
    ])("hears that the server closes with %i and its reason", async (code, reason) => {
      expect(await closedAfter([`close ${code} ${reason}`])).toEqual({
        code,
        reason,
        wasClean: true,
      });
    });

    it("hears 1005 when the server closes without a code, and 1006 when it is gone", async () => {
      expect(await closedAfter(["close 1005"])).toEqual({ code: 1005, reason: "", wasClean: true });
      expect(await closedAfter(["abort"])).toEqual({ code: 1006, reason: "", wasClean: false });
    });

    it.each([[1000, "done"], [3210, "grüße"], [4000, ""]])(
      "closes with %i and has it answered",
      async (code, reason) => {
        const closed = await page.evaluate(
          ([url, code, reason]) => helpers.close(url, code, reason),
          [url(), code, reason] as const,
        );
        expect(closed).toEqual({ code, reason, wasClean: true });
      },
    );

    it("closes without a code and has that answered", async () => {
      const closed = await page.evaluate((url) => helpers.close(url), url());
      expect(closed).toEqual({ code: 1005, reason: "", wasClean: true });
    });

    it("hears 1009 after a message that is too large", async () => {
      const closed = await page.evaluate(
        (url) => helpers.sendTooMuch(url, 2 * 1024 * 1024 + 1),
        url(),
      );
      expect(closed.code).toBe(1009);
    });
  },
);

/** What the page can do, as it is typed on this side. */
declare const helpers: {
  open(url: string, protocols?: readonly string[]): Promise<WebSocket>;
  closedAfter(url: string, orders: readonly string[]): Promise<Closed>;
  close(url: string, code?: number, reason?: string): Promise<Closed>;
  echoes(
    url: string,
    size: number,
  ): Promise<{ random: boolean; repetitive: boolean; text: boolean; }>;
  echoesMany(url: string, count: number): Promise<boolean>;
  roundTripTime(url: string): Promise<number>;
  sendTooMuch(url: string, size: number): Promise<Closed>;
};

/** Defines `helpers` in the page: this function is sent there as text, so it stands alone. */
function pageHelpers(): void {
  const open = (url: string, protocols: readonly string[] = []): Promise<WebSocket> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, [...protocols]);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => resolve(socket);
      socket.onerror = () => reject(new Error("it was not opened"));
    });

  const closed = (socket: WebSocket): Promise<Closed> =>
    new Promise((resolve) => {
      socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean });
    });

  const answer = (
    socket: WebSocket,
    message: string | Uint8Array<ArrayBuffer>,
  ): Promise<string | ArrayBuffer> =>
    new Promise((resolve, reject) => {
      socket.onmessage = ({ data }) => resolve(data as string | ArrayBuffer);
      socket.onclose = ({ code, reason }) => reject(new Error(`closed: ${code} ${reason}`));
      socket.send(message);
    });

  const sameBytes = async (socket: WebSocket, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> => {
    const back = new Uint8Array(await answer(socket, bytes) as ArrayBuffer);
    return back.length === bytes.length && back.every((byte, index) => byte === bytes[index]);
  };

  const randomBytes = (size: number): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65_536) {
      crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    }
    return bytes;
  };

  const page: typeof helpers = {
    open,
    async closedAfter(url, orders) {
      const socket = await open(url);
      for (const order of orders) socket.send(order);
      return closed(socket);
    },
    async close(url, code, reason) {
      const socket = await open(url);
      socket.close(code, reason);
      return closed(socket);
    },
    async echoes(url, size) {
      const socket = await open(url);
      // A character cut in half would come back as another one.
      const text = "grüße, 世界 👋 ".repeat(size / 12 + 1).slice(0, size).replace(
        /[\ud800-\udbff]$/,
        "",
      );
      const result = {
        random: await sameBytes(socket, randomBytes(size)),
        repetitive: await sameBytes(socket, new Uint8Array(size).map((_, index) => index % 251)),
        text: await answer(socket, text) === text,
      };
      socket.close();
      return result;
    },
    async echoesMany(url, count) {
      const socket = await open(url);
      const sent = Array.from(
        { length: count },
        (_, index) => JSON.stringify({ index, text: "again and ".repeat(index % 50) }),
      );
      const heard: unknown[] = [];
      const all = new Promise<void>((resolve) => {
        socket.onmessage = ({ data }) => {
          if (heard.push(data) === count) resolve();
        };
      });
      for (const message of sent) socket.send(message);
      await all;
      socket.close();
      return heard.every((message, index) => message === sent[index]);
    },
    async roundTripTime(url) {
      const socket = await open(url);
      for (;;) {
        const time = await answer(socket, "ping");
        if (time !== "") return Number(time);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async sendTooMuch(url, size) {
      const socket = await open(url);
      socket.send(new Uint8Array(size));
      return closed(socket);
    },
  };
  Object.assign(globalThis, { helpers: page });
}
