// The answer of the opening handshake. As a server writes it: a switch, and a refusal. As a client
// reads it: every row of the table of answers, in every cut.

import { describe, expect, it } from "vitest";
import type { HandshakeFault } from "../../../core/faults.ts";
import type { ClientHandshake } from "../../../core/handshake/client.ts";
import { formatRefusal, formatSwitch } from "../../../core/handshake/response.ts";
import { answer, ANSWERS, type AnswerVector } from "../../vectors/handshake-answers.ts";
import { SAMPLE_ACCEPT } from "../../vectors/handshake-requests.ts";
import { cuts, receiveAll } from "../support.ts";
import {
  clientHandshake,
  failureOf,
  latin1,
  NO_CODEC,
  takeMessage,
  takeText,
  toLatin1,
} from "./support.ts";

const REST = "\x81\x05Hello\x81";

/** A handshake that has sent its request. */
function sentFor({ protocols, deflate, limits }: AnswerVector): ClientHandshake {
  const extension = deflate && { deflate: { codec: NO_CODEC } };
  const handshake = clientHandshake({ protocols, limits, ...extension });
  takeText(handshake);
  return handshake;
}

function answerOf({ head }: AnswerVector): Uint8Array {
  return latin1(head.replaceAll("ACCEPT", SAMPLE_ACCEPT) + REST);
}

describe("ClientHandshake, table of answers", () => {
  it.each(ANSWERS.filter(({ outcome }) => outcome === "opened"))(
    "opens once, at any cut: $name",
    (vector) => {
      const { protocol = "", extensions = "" } = vector;
      for (const { name, chunks } of cuts(answerOf(vector))) {
        const handshake = sentFor(vector);
        let at = 0;
        const opened = chunks.flatMap((chunk, index) => {
          const events = handshake.receive(chunk, 0);
          if (events.length > 0) at = index + 1;
          return events;
        });
        expect(opened, name).toMatchObject([{ type: "opened", protocol, extensions }]);
        const [event] = opened;
        const rest = event!.type === "opened" ? toLatin1(event!.rest) : "";
        expect(rest + chunks.slice(at).map(toLatin1).join(""), name).toBe(REST);
        const after = { outputEnded: false, expired: false, deadline: Infinity };
        expect(handshake, name).toMatchObject(after);
      }
    },
  );

  it.each(ANSWERS.filter(({ outcome }) => outcome !== "opened"))(
    "fails once, with $outcome, at any cut: $name",
    (vector) => {
      for (const { name, chunks } of cuts(answerOf(vector))) {
        const handshake = sentFor(vector);
        const wanted = { type: "failed", error: { fault: vector.outcome as HandshakeFault } };
        expect(receiveAll(handshake, chunks), name).toMatchObject([wanted]);
        const after = { outputEnded: true, expired: true, deadline: Infinity };
        expect(handshake, name).toMatchObject(after);
        expect(takeText(handshake), name).toBe("");
      }
    },
  );

  it("shows the answer that broke a rule", () => {
    const events = clientHandshake().receive(latin1(answer("Sec-WebSocket-Accept: abc")), 0);
    const shown = failureOf(events)!.answer!;
    expect(shown).toMatchObject({ status: 101, statusText: "Switching Protocols" });
    expect([...shown.headers]).toEqual([
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Accept", "abc"],
    ]);
    expect([shown.body, shown.text()]).toEqual([new Uint8Array(0), ""]);
  });
});

describe("formatSwitch", () => {
  it("writes the fields of the handshake in order, and the caller's behind them", () => {
    const message = takeMessage({
      takeOutput: () => [formatSwitch("abc=", "chat", "x; y=1", [["Date", "now"], ["A", "1"]])],
    });
    expect(message.firstLine).toBe("HTTP/1.1 101 Switching Protocols");
    expect(message.fields).toEqual([
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Accept", "abc="],
      ["Sec-WebSocket-Protocol", "chat"],
      ["Sec-WebSocket-Extensions", "x; y=1"],
      ["Date", "now"],
      ["A", "1"],
    ]);
  });

  it("writes no empty field", () => {
    expect(toLatin1(formatSwitch("abc=", "", "", []))).toBe(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: abc=\r\n\r\n",
    );
  });
});

describe("formatRefusal", () => {
  it.each<[string, number, string | Uint8Array, string]>([
    ["no body", 403, "", "Content-Length: 0\r\nConnection: close"],
    [
      "a text, in UTF-8",
      403,
      "é",
      "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\nConnection: close",
    ],
    ["bytes", 403, Uint8Array.of(1), "Content-Length: 1\r\nConnection: close"],
    ["204, which has no length", 204, "", "Connection: close"],
  ])("writes the head of %s", (_, status, body, fields) => {
    const [head, bytes] = formatRefusal(status, [["A", "1"]], body);
    expect(toLatin1(head)).toMatch(/^HTTP\/1\.1 \d{3} [\w ]+\r\nA: 1\r\n/);
    expect(toLatin1(head).split("A: 1\r\n")[1]).toBe(`${fields}\r\n\r\n`);
    expect(bytes).toEqual(typeof body === "string" ? new TextEncoder().encode(body) : body);
  });
});
