// Every row of the table of answers, in every cut; and what a client keeps of an answer that is no
// 101.

import { describe, expect, it } from "vitest";
import { acceptKey } from "../../../core/handshake/accept.ts";
import { ClientHandshake, type ClientHandshakeOptions } from "../../../core/handshake/client.ts";
import { answer, ANSWERS, type AnswerVector } from "../../vectors/handshake-answers.ts";
import { chop, cuts, frame, pattern, readFrames, takeBytes } from "../support.ts";
import { field, latin1, NO_CODEC, takeMessage, takeText, toLatin1, URL_PARTS } from "./support.ts";

const REST = "\x81\x05Hello\x81";
const DEADLINE = 10_000;

/** A handshake whose request was sent, and the accept value that answers it. */
async function sent(
  options: ClientHandshakeOptions = {},
): Promise<[handshake: ClientHandshake, accept: string]> {
  const handshake = await ClientHandshake.create(URL_PARTS, options, 0);
  return [handshake, await acceptKey(field(takeMessage(handshake), "Sec-WebSocket-Key")!)];
}

function sentFor({ protocols, deflate, limits }: AnswerVector): Promise<[ClientHandshake, string]> {
  return sent({ protocols, limits, ...(deflate && { deflate: { codec: NO_CODEC } }) });
}

describe("ClientHandshake, table of answers", () => {
  it.each(ANSWERS.filter(({ outcome }) => outcome === "opened"))(
    "opens once, at any cut: $name",
    async (vector) => {
      for (
        const { name, chunks } of cuts(
          latin1(vector.head.replaceAll("ACCEPT", "a".repeat(28)) + REST),
        )
      ) {
        const [handshake, accept] = await sentFor(vector);
        const head = latin1(vector.head.replaceAll("ACCEPT", accept) + REST);
        const sizes = chunks.map((chunk) => chunk.length);
        let at = 0;
        let rest = "";
        const opened = sizes.flatMap((size) => {
          const result = handshake.receive(head.slice(at, at += size), 0);
          if (result !== undefined) rest = toLatin1(result.rest) + toLatin1(head.slice(at));
          return result ?? [];
        });
        expect(opened, name).toHaveLength(1);
        expect(opened[0], name).toMatchObject({
          protocol: vector.protocol ?? "",
          extensions: vector.extensions ?? "",
        });
        expect(rest, name).toBe(REST);
        expect(handshake, name).toMatchObject({
          failure: undefined,
          outputEnded: false,
          deadline: Infinity,
        });
      }
    },
  );

  it.each(ANSWERS.filter(({ outcome }) => outcome !== "opened"))(
    "fails with $outcome, at any cut: $name",
    async (vector) => {
      for (
        const { name, chunks } of cuts(
          latin1(vector.head.replaceAll("ACCEPT", "a".repeat(28)) + REST),
        )
      ) {
        const [handshake, accept] = await sentFor(vector);
        const head = latin1(vector.head.replaceAll("ACCEPT", accept) + REST);
        let at = 0;
        for (const { length } of chunks) {
          expect(handshake.receive(head.slice(at, at += length), 0), name)
            .toBeUndefined();
        }
        expect(handshake.failure?.fault, name).toBe(vector.outcome);
        expect(handshake, name).toMatchObject({ outputEnded: true, deadline: Infinity });
        expect(takeText(handshake), name).toBe("");
      }
    },
  );

  it("shows the answer that broke a rule", async () => {
    const [handshake] = await sent();
    handshake.receive(latin1(answer("Sec-WebSocket-Accept: abc")), 0);
    expect(handshake.failure?.answer).toEqual({
      status: 101,
      statusText: "Switching Protocols",
      headers: [["Upgrade", "websocket"], ["Connection", "Upgrade"], [
        "Sec-WebSocket-Accept",
        "abc",
      ]],
      body: new Uint8Array(0),
    });
  });

  it("opens a client's connection, with the options of the handshake", async () => {
    const [handshake, accept] = await sent({
      limits: { maxMessageSize: 4 },
      timeouts: { pingInterval: 100 },
      text: "bytes",
    });
    const { connection } = handshake.receive(
      latin1(answer(`Sec-WebSocket-Accept: ${accept}`)),
      500,
    )!;
    expect(connection.deadline).toBe(600);
    connection.sendText("masked");
    expect(readFrames(takeBytes(connection))).toMatchObject([{
      masked: true,
      payload: latin1("masked"),
    }]);
    expect(connection.receive(frame("server", 0x81, "four"), 500)).toEqual([{
      type: "utf8",
      data: latin1("four"),
    }]);
    connection.receive(frame("server", 0x82, pattern(5)), 500);
    expect(connection.closeSent?.code).toBe(1009);
  });
});

describe("ClientHandshake, an answer that is no 101", () => {
  const ROWS = [
    ["a length", "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno!\n", "no!\n"],
    ["no body", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /\r\n\r\n", ""],
    [
      "chunks",
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n2;x\r\n!\n\r\n0\r\nA: 1\r\n\r\n",
      "no!\n",
    ],
    [
      "a fault in its chunks",
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nnope",
      "no",
    ],
    ["204", "HTTP/1.1 204 No Content\r\n\r\n", ""],
    [
      "informational answers before it",
      "HTTP/1.1 102 \r\n\r\nHTTP/1.1 500 \r\nContent-Length: 1\r\n\r\nx",
      "x",
    ],
  ] as const;

  it.each(ROWS)("fails with the whole of it, at any cut: %s", async (_, wire, body) => {
    const status = Number(wire.match(/HTTP\/1.1 ([2-5]\d\d)/)![1]);
    for (const { name, chunks } of cuts(latin1(wire))) {
      const [handshake] = await sent();
      for (const chunk of chunks) expect(handshake.receive(chunk, 0)).toBeUndefined();
      expect(handshake.failure?.fault, name).toBe("status-not-101");
      expect(handshake.failure?.answer?.status, name).toBe(status);
      expect(toLatin1(handshake.failure!.answer!.body), name).toBe(body);
      expect(handshake.outputEnded, name).toBe(true);
    }
  });

  it("says the status in the message where there is no phrase", async () => {
    const [handshake] = await sent();
    handshake.receive(latin1("HTTP/1.1 403 \r\nContent-Length: 0\r\n\r\n"), 0);
    expect(handshake.failure?.message).toMatch(/: 403 \(/);
  });

  it("says status and phrase in the message, and keeps the headers", async () => {
    const [handshake] = await sent();
    handshake.receive(
      latin1("HTTP/1.1 401 Who are you\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"),
      0,
    );
    expect(handshake.failure?.message).toContain("401 Who are you");
    expect(handshake.failure?.answer).toMatchObject({
      status: 401,
      statusText: "Who are you",
      headers: [["WWW-Authenticate", "Basic"], ["Content-Length", "0"]],
    });
  });

  it.each(["end", "deadline"])("fails with what there is of a body at the %s", async (by) => {
    const [handshake] = await sent();
    handshake.receive(latin1("HTTP/1.0 502 Bad Gateway\r\n\r\n<html>"), 0);
    expect(handshake).toMatchObject({ failure: undefined, outputEnded: false, deadline: DEADLINE });
    if (by === "end") handshake.receiveEnd(1);
    else handshake.tick(DEADLINE);
    expect(handshake.failure?.fault).toBe("status-not-101");
    expect(toLatin1(handshake.failure!.answer!.body)).toBe("<html>");
  });

  it.each([1000, 65_536, 1_000_000])(
    "keeps 64 KiB of a body without end, in chunks of %d",
    async (size) => {
      const [handshake] = await sent();
      const body = pattern(1_000_000);
      handshake.receive(latin1("HTTP/1.1 200 OK\r\n\r\n"), 0);
      for (const chunk of chop(body, size)) handshake.receive(chunk, 0);
      expect(handshake.failure?.answer?.body).toEqual(body.slice(0, 65_536));
    },
  );

  it("fails as soon as it has 64 KiB of a body", async () => {
    const [handshake] = await sent();
    handshake.receive(latin1("HTTP/1.1 200 OK\r\n\r\n"), 0);
    handshake.receive(pattern(65_535), 0);
    expect(handshake.failure).toBeUndefined();
    handshake.receive(pattern(1), 0);
    expect(handshake.failure?.fault).toBe("status-not-101");
  });

  it("takes a 101 that follows another final answer for nothing", async () => {
    const [handshake, accept] = await sent();
    const refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    expect(handshake.receive(latin1(refusal + answer(`Sec-WebSocket-Accept: ${accept}`)), 0))
      .toBeUndefined();
    expect(handshake.failure?.answer?.status).toBe(403);
  });
});

describe("ClientHandshake, time and the end of the transport", () => {
  it("has the deadline of the handshake, and acts on it when it has passed", async () => {
    const handshake = await ClientHandshake.create(
      URL_PARTS,
      { timeouts: { handshake: 50 } },
      1000,
    );
    expect(handshake.deadline).toBe(1050);
    handshake.tick(1049);
    expect(handshake.failure).toBeUndefined();
    handshake.tick(1050);
    expect(handshake.failure?.fault).toBe("answer-overdue");
    expect(handshake).toMatchObject({ outputEnded: true, deadline: Infinity });
  });

  it("counts the time for the answer from `begin`, where it is called", async () => {
    const handshake = await ClientHandshake.create(
      URL_PARTS,
      { timeouts: { handshake: 50 } },
      1000,
    );
    handshake.begin(1040);
    expect(handshake.deadline).toBe(1090);
    handshake.tick(1090);
    handshake.begin(1100);
    expect(handshake).toMatchObject({ failure: { fault: "answer-overdue" }, deadline: Infinity });
  });

  it.each(["", "HTTP/1.1 101 Switching Protocols\r\n"])(
    "fails at the end of the transport after %j",
    async (text) => {
      const [handshake] = await sent();
      handshake.receive(latin1(text), 0);
      handshake.receiveEnd(1);
      expect(handshake.failure?.fault).toBe("answer-incomplete");
    },
  );

  it("does nothing after its end, whatever comes", async () => {
    const [opened, accept] = await sent();
    opened.receive(latin1(answer(`Sec-WebSocket-Accept: ${accept}`)), 0);
    const [failed] = await sent();
    failed.receive(latin1("SSH"), 0);
    for (const handshake of [opened, failed]) {
      const { failure, outputEnded } = handshake;
      expect(handshake.receive(latin1(answer(`Sec-WebSocket-Accept: ${accept}`)), 1))
        .toBeUndefined();
      handshake.receiveEnd(2);
      handshake.tick(DEADLINE * 2);
      expect(handshake).toMatchObject({ failure, outputEnded, deadline: Infinity });
      expect(takeText(handshake)).toBe("");
    }
  });
});
