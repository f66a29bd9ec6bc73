// examples/chat.ts as a process: what people say to it and hear from it. Its page is tested in
// test/browser.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { Said, Told } from "../../examples/chat/protocol.ts";
import { sleep } from "../contract/waiting.ts";
import { hasSignals, RUNTIMES } from "../processes.ts";
import { startProgram } from "../programs.ts";
import { Client } from "./client.ts";
import { listen, type Listening } from "./programs.ts";

const FILE = "examples/chat.ts";

type ToldAs<Type extends Told["type"]> = Extract<Told, { type: Type; }>;

/** Somebody in the chat. */
class Visitor {
  readonly client: Client;

  private constructor(client: Client) {
    this.client = client;
  }

  static async enter(host: string, query: Record<string, string> = {}): Promise<Visitor> {
    return new Visitor(await Client.connect(`ws://${host}/?${new URLSearchParams(query)}`));
  }

  say(said: Said): void {
    this.client.send(JSON.stringify(said));
  }

  /** The next message of that type; others are passed over. */
  async hear<Type extends Told["type"]>(type: Type): Promise<ToldAs<Type>> {
    for (;;) {
      const told = JSON.parse(String(await this.client.next())) as Told;
      if (told.type === type) return told as ToldAs<Type>;
    }
  }

  leave(): void {
    this.client.socket.terminate();
  }
}

const TIMESTAMP = "2026-11-22T20:40:00.000Z";

const message = (content: string): Said => ({ type: "message", content, timestamp: TIMESTAMP });

const REFUSED: readonly (readonly [code: string, data: string | Uint8Array])[] = [
  ["not-text", new Uint8Array([123, 125])],
  ["not-json", "{ \"type\": \"message\", "],
  ["not-json", ""],
  ["not-an-object", "null"],
  ["not-an-object", "[1]"],
  ["not-an-object", "\"message\""],
  ["type-unknown", "{}"],
  ["type-unknown", JSON.stringify({ type: "shout", content: "hello" })],
  ["type-unknown", JSON.stringify({ type: "constructor" })],
  ["type-unknown", JSON.stringify({ type: 1 })],
  ["content-missing", JSON.stringify({ type: "message", timestamp: TIMESTAMP })],
  ["content-not-text", JSON.stringify({ type: "message", content: { text: "hello" } })],
  ["content-not-text", JSON.stringify({ type: "message", content: null })],
  ["content-empty", JSON.stringify({ type: "message", content: "" })],
  ["content-empty", JSON.stringify({ type: "message", content: " \n\t" })],
  ["content-too-long", JSON.stringify({ type: "message", content: "x".repeat(2_001) })],
  [
    "timestamp-invalid",
    JSON.stringify({ type: "message", content: "hello", timestamp: "yesterday" }),
  ],
  [
    "timestamp-invalid",
    JSON.stringify({ type: "message", content: "hello", timestamp: "2026-13-01T00:00:00Z" }),
  ],
  [
    "timestamp-invalid",
    JSON.stringify({ type: "message", content: "hello", timestamp: 1_793_000_000_000 }),
  ],
  ["room-missing", JSON.stringify({ type: "join" })],
  ["room-invalid", JSON.stringify({ type: "join", room: "Not A Room" })],
  ["room-too-long", JSON.stringify({ type: "join", room: "r".repeat(25) })],
  ["name-empty", JSON.stringify({ type: "rename", name: "" })],
  ["name-invalid", "{ \"type\": \"rename\", \"name\": \"a\\u202eb\" }"],
  ["name-invalid", "{ \"type\": \"rename\", \"name\": \"a\\nb\" }"],
  ["name-too-long", JSON.stringify({ type: "rename", name: "n".repeat(25) })],
];

describe.each(RUNTIMES)("examples/chat.ts on %s", (runtime) => {
  let chat: Listening;
  let rooms = 0;

  beforeAll(async () => {
    chat = await listen(runtime, FILE);
  });

  afterAll(() => chat.program.kill());

  /** A room that no other test is in. */
  const newRoom = (): string => `room-${++rooms}`;
  const enter = (name: string, room: string): Promise<Visitor> =>
    Visitor.enter(chat.host, { name, room });

  it("tells a newcomer the room, the people in it and itself, and the people of the newcomer", async () => {
    const room = newRoom();
    const ada = await enter("Ada", room);
    const first = await ada.hear("joined");
    expect(first).toMatchObject({ room, you: { name: "Ada" }, people: [first.you], history: [] });
    expect(first.server.startsWith(runtime)).toBe(true);
    const grace = await enter("Grace", room);
    const second = await grace.hear("joined");
    expect(second.people).toEqual([first.you, second.you]);
    expect(await ada.hear("arrived")).toEqual({ type: "arrived", person: second.you });
    grace.leave();
    expect(await ada.hear("left")).toEqual({ type: "left", person: second.you });
    ada.leave();
  });

  it("needs neither a name nor a room", async () => {
    const visitor = await Visitor.enter(chat.host);
    const joined = await visitor.hear("joined");
    expect(joined.room).toBe("lobby");
    expect(joined.you.name).toMatch(/^Guest \d{4}$/);
    visitor.leave();
  });

  it("brings a message to everybody in the room, its sender too, and to nobody else", async () => {
    const [here, elsewhere] = [newRoom(), newRoom()];
    const [ada, grace, linus] = [
      await enter("Ada", here),
      await enter("Grace", here),
      await enter("Linus", elsewhere),
    ];
    const { you } = await ada.hear("joined");
    ada.say(message("Hello"));
    const heard = await grace.hear("message");
    expect(heard).toEqual({
      type: "message",
      id: heard.id,
      from: you,
      content: "Hello",
      timestamp: TIMESTAMP,
    });
    expect(await ada.hear("message")).toEqual(heard);
    linus.say(message("alone"));
    expect((await linus.hear("message")).content).toBe("alone");
    for (const visitor of [ada, grace, linus]) visitor.leave();
  });

  it("puts the time on a message without one", async () => {
    const ada = await enter("Ada", newRoom());
    ada.client.send(JSON.stringify({ type: "message", content: "  now  " }));
    const { content, timestamp } = await ada.hear("message");
    expect(content).toBe("now");
    expect(new Date(timestamp).toISOString()).toBe(timestamp);
    ada.leave();
  });

  it.each(REFUSED)("answers with the error %s to %j, and goes on", async (code, data) => {
    const ada = await enter("Ada", newRoom());
    ada.client.send(data);
    const error = await ada.hear("error");
    expect(error.code).toBe(code);
    expect(error.message).not.toBe("");
    ada.say(message("and now a good one"));
    expect((await ada.hear("message")).content).toBe("and now a good one");
    ada.leave();
  });

  it("tells only the sender of an error", async () => {
    const room = newRoom();
    const [ada, grace] = [await enter("Ada", room), await enter("Grace", room)];
    ada.client.send("what?");
    ada.say(message("sorry"));
    const heard: Told[] = [];
    do heard.push(JSON.parse(String(await grace.client.next())) as Told); while (
      heard.at(-1)?.type !== "message"
    );
    expect(heard.map(({ type }) => type)).not.toContain("error");
    ada.leave();
    grace.leave();
  });

  it("refuses what comes too fast, and takes more after a while", async () => {
    const ada = await enter("Ada", newRoom());
    for (let count = 0; count < 30; count++) ada.say(message(`number ${count}`));
    expect((await ada.hear("error")).code).toBe("too-fast");
    // By then two more may be said, and on a slow machine only more than that.
    await sleep(1_500);
    ada.say(message("patient"));
    expect((await ada.hear("message")).content).toBe("patient");
    ada.leave();
  });

  it("keeps the last fifty messages of a room for those who come later, when nobody is there too", async () => {
    const room = newRoom();
    for (let count = 0; count < 55; count += 5) {
      const visitor = await enter("Ada", room);
      for (let each = count; each < count + 5; each++) visitor.say(message(`number ${each}`));
      for (let each = 0; each < 5; each++) await visitor.hear("message");
      visitor.client.socket.close();
      await visitor.client.closed();
    }
    const grace = await enter("Grace", room);
    const { history } = await grace.hear("joined");
    expect(history.map(({ content }) => content)).toEqual(
      Array.from({ length: 50 }, (_, n) => `number ${n + 5}`),
    );
    grace.leave();
  });

  it("moves a visitor to another room, and lists the rooms", async () => {
    const [from, to] = [newRoom(), newRoom()];
    const [ada, grace] = [await enter("Ada", from), await enter("Grace", from)];
    const { you } = await ada.hear("joined");
    ada.say({ type: "join", room: to });
    expect(await ada.hear("joined")).toMatchObject({ room: to, you, people: [you] });
    expect(await grace.hear("left")).toEqual({ type: "left", person: you });
    for (;;) {
      const { rooms } = await grace.hear("rooms");
      expect(rooms.slice(0, 3).map(({ name }) => name)).toEqual(["lobby", "ideas", "random"]);
      if (rooms.some(({ name, people }) => name === to && people === 1)) break;
    }
    grace.say(message("are you there?"));
    await grace.hear("message");
    ada.say(message("not any more"));
    expect((await ada.hear("message")).content).toBe("not any more");
    ada.leave();
    grace.leave();
  });

  it("tells two of the same name apart, and renames", async () => {
    const room = newRoom();
    const [ada, other] = [await enter("Ada", room), await enter("Ada", room)];
    const { you } = await other.hear("joined");
    expect(you.name).toBe("Ada 2");
    other.say({ type: "rename", name: "Grace" });
    expect(await ada.hear("renamed")).toEqual({
      type: "renamed",
      person: { ...you, name: "Grace" },
    });
    ada.leave();
    other.leave();
  });

  it.each([
    ["403 to a page from elsewhere", "/", "http://evil.example", 403],
    ["403 to a page of another port", "/", "http://127.0.0.1:1", 403],
    ["400 to a name that is none", "/?name=%20", undefined, 400],
    ["400 to a room that is none", "/?room=A%2FB", undefined, 400],
  ])("answers with %s", async (_what, path, origin, status) => {
    const socket = new WebSocket(
      `ws://${chat.host}${path}`,
      origin === undefined ? {} : { origin },
    );
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      socket.on("unexpected-response", (_request, response) => resolve(response.statusCode));
      socket.on("open", () => reject(new Error("it was let in")));
      socket.on("error", reject);
    });
    expect(answer).toBe(status);
  });

  it.each(["127.0.0.1", "localhost"])("lets in its own page, opened at %s", async (name) => {
    const { port } = new URL(`ws://${chat.host}`);
    const client = await Client.connect(`ws://${chat.host}/`, `http://${name}:${port}`);
    client.socket.terminate();
  });

  it("serves the page, and nothing from elsewhere may be in it", async () => {
    const page = await fetch(`http://${chat.host}/`);
    const html = await page.text();
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
    const links = Array.from(html.matchAll(/(?:href|src)="([^"]+)"/g), ([, link]) => link);
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) {
      const { status } = await fetch(`http://${chat.host}${link}`);
      expect(status, link).toBe(200);
    }
  });

  it.each([["GET", "/secret", 404], ["GET", "/chat.ts", 404], ["POST", "/", 405], [
    "HEAD",
    "/",
    200,
  ]])(
    "answers %s %s with %i",
    async (method, path, status) => {
      expect((await fetch(`http://${chat.host}${path}`, { method })).status).toBe(status);
    },
  );

  it("says so when the port is in use", async () => {
    const { port } = new URL(`ws://${chat.host}`);
    const second = startProgram(runtime, FILE, [], { PORT: port });
    expect(await second.exited).toBe(1);
    expect(second.output).toMatch(
      /^cannot listen on http:\/\/127\.0\.0\.1:\d+: .+\nanother port: /,
    );
  });

  it.runIf(hasSignals).each(["SIGINT", "SIGTERM"] as const)(
    "closes with 1001 and exits 0 on %s",
    async (signal) => {
      const { program, host } = await listen(runtime, FILE);
      const visitor = await Visitor.enter(host);
      await visitor.hear("joined");
      const closed = visitor.client.closed();
      expect(await program.stop(signal), program.output).toBe(0);
      expect(await closed).toEqual({ code: 1001, reason: "the server is shutting down" });
    },
  );
});
