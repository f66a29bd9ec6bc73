// Every row of the table of requests, in every cut: what it is, what it says, and what a refused
// one is answered.

import { describe, expect, it } from "vitest";
import { HANDSHAKE_FAULTS } from "../../../core/handshake/faults.ts";
import { ServerHandshake } from "../../../core/handshake/server.ts";
import { HeaderFields } from "../../../core/http/fields.ts";
import { HeadReader, parseRequestHead } from "../../../core/http/head.ts";
import { DEFAULT_LIMITS } from "../../../core/limits.ts";
import type { RequestVector } from "../../vectors/handshake-requests.ts";
import { request, REQUESTS, SAMPLE_ACCEPT } from "../../vectors/handshake-requests.ts";
import { cuts, join } from "../support.ts";
import { field, latin1, takeMessage, takeText, toLatin1 } from "./support.ts";

const WITH_REST = "\x81\x80\0\0\0\0GET /";

// RFC 9110 §15.5.6, §15.5.22, RFC 6455 §4.4.
const NAMED_BY_STATUS: Readonly<Record<number, readonly string[]>> = {
  405: ["Allow"],
  426: ["Upgrade", "Sec-WebSocket-Version"],
};

function upgrades(): readonly RequestVector[] {
  return REQUESTS.filter(({ outcome }) => outcome === "upgrade");
}

function refusals(): readonly RequestVector[] {
  return REQUESTS.filter(({ outcome }) => outcome !== "upgrade" && outcome !== "plain");
}

describe("ServerHandshake, table of requests", () => {
  it.each(upgrades())(
    "returns an upgrade request once, at any cut: $name",
    async ({ head, limits, says }) => {
      for (const { name, chunks } of cuts(latin1(head + WITH_REST))) {
        const handshake = new ServerHandshake({ limits }, 0);
        const requests = chunks.map((chunk) => handshake.receive(chunk, 0)).filter((received) =>
          received !== undefined
        );
        expect(requests, name).toHaveLength(1);
        expect(requests[0], name).toMatchObject({ method: "GET", ...says });
        expect(handshake.request, name).toBe(requests[0]);
        const opened = await handshake.accept();
        expect(toLatin1(opened.rest), name).toBe(WITH_REST);
        expect(field(takeMessage(handshake), "Sec-WebSocket-Accept"), name).toBe(SAMPLE_ACCEPT);
      }
    },
  );

  it.each(REQUESTS.filter(({ outcome }) => outcome === "plain"))(
    "leaves a plain request to the host, at any cut: $name",
    ({ head, limits }) => {
      for (const { name, chunks } of cuts(latin1(head + WITH_REST))) {
        const handshake = new ServerHandshake({ limits }, 0);
        for (const chunk of chunks) expect(handshake.receive(chunk, 0), name).toBeUndefined();
        expect(handshake.plainRequest?.target, name).toBe(head.split(" ")[1]);
        expect(toLatin1(handshake.takeRest()), name).toBe(WITH_REST);
        expect(handshake, name).toMatchObject({
          failure: undefined,
          outputEnded: false,
          deadline: Infinity,
        });
        expect(takeText(handshake), name).toBe("");
      }
    },
  );

  it.each(refusals())("refuses with $outcome, at any cut: $name", ({ head, limits, outcome }) => {
    const answers = new Set<string>();
    for (const { name, chunks } of cuts(latin1(head + WITH_REST))) {
      const handshake = new ServerHandshake({ limits }, 0);
      for (const chunk of chunks) expect(handshake.receive(chunk, 0), name).toBeUndefined();
      expect(handshake.failure?.fault, name).toBe(outcome);
      expect(handshake, name).toMatchObject({
        request: undefined,
        outputEnded: true,
        deadline: Infinity,
      });
      answers.add(takeText(handshake));
    }
    expect(answers.size).toBe(1);
  });

  it.each(refusals())(
    "answers $outcome with its status, and closes: $name",
    ({ head, limits, outcome }) => {
      const handshake = new ServerHandshake({ limits }, 0);
      handshake.receive(latin1(head), 0);
      const rule = HANDSHAKE_FAULTS[outcome as keyof typeof HANDSHAKE_FAULTS];
      const answer = takeMessage(handshake);
      expect(answer.firstLine).toMatch(new RegExp(`^HTTP/1\\.1 ${rule.status} [A-Z]`));
      const own = ["Content-Type", "Content-Length", "Connection"];
      expect(answer.fields.map(([name]) => name)).toEqual([
        ...NAMED_BY_STATUS[rule.status!] ?? [],
        ...own,
      ]);
      expect(field(answer, "Connection")).toMatch(/^close(, Upgrade)?$/);
      expect(field(answer, "Content-Length")).toBe(String(answer.body.length));
      expect(field(answer, "Content-Type")).toBe("text/plain; charset=utf-8");
      expect(answer.body).toContain(rule.message);
      expect(handshake.failure?.message).toContain(rule.section);
    },
  );

  it("names the methods in a 405, and the protocol and its version in a 426", () => {
    const wrongMethod = answerTo(request("POST / HTTP/1.1"));
    expect(field(wrongMethod, "Allow")).toBe("GET");
    for (const head of [request("Sec-WebSocket-Version: 8"), request("-Upgrade")]) {
      const answer = answerTo(head);
      expect(field(answer, "Sec-WebSocket-Version")).toBe("13");
      expect(field(answer, "Upgrade")).toBe("websocket");
      // RFC 9110 §7.8: who sends Upgrade lists it in Connection.
      expect(field(answer, "Connection")).toBe("close, Upgrade");
    }
  });

  it("repeats nothing of the request in an answer", () => {
    const { body, fields } = answerTo(request("Sec-WebSocket-Version: <script>"));
    expect(JSON.stringify([body, fields])).not.toContain("script");
  });

  it("stops at the limit of fields, however many come", () => {
    const handshake = new ServerHandshake({ limits: { maxHeadSize: Infinity } }, 0);
    const lines = latin1("X: y\r\n".repeat(1_000_000));
    handshake.receive(join([latin1("GET / HTTP/1.1\r\n"), lines]), 0);
    expect(handshake.failure?.fault).toBe("too-many-fields");
  });

  it("stops at the limit of the head, however long it goes on", () => {
    const handshake = new ServerHandshake({}, 0);
    handshake.receive(latin1("GET / HTTP/1.1\r\n"), 0);
    let sent = 16;
    for (; handshake.failure === undefined; sent += 1000) {
      handshake.receive(latin1("X: " + "y".repeat(995) + "\r\n"), 0);
    }
    expect(handshake.failure.fault).toBe("head-too-large");
    expect(sent).toBeLessThan(DEFAULT_LIMITS.maxHeadSize + 2000);
  });

  function answerTo(head: string): ReturnType<typeof takeMessage> {
    const handshake = new ServerHandshake({}, 0);
    handshake.receive(latin1(head), 0);
    return takeMessage(handshake);
  }
});

describe("ServerHandshake.fromRequest, the same table", () => {
  // What a head reader refuses never comes from an HTTP server.
  const readable = REQUESTS.flatMap((vector) => {
    const bytes = new HeadReader("request", DEFAULT_LIMITS).receive(latin1(vector.head));
    const head = bytes instanceof Uint8Array ? parseRequestHead(bytes) : "";
    return typeof head === "string" || vector.limits !== undefined
      ? []
      : [{ ...vector, parsed: head }];
  });

  it.each(readable)("finds $outcome: $name", ({ parsed, outcome, says }) => {
    const handshake = ServerHandshake.fromRequest(parsed, {}, 0);
    if (outcome === "upgrade") expect(handshake.request).toMatchObject({ ...says });
    else if (outcome === "plain") expect(handshake.plainRequest).toBe(parsed);
    else expect(handshake.failure?.fault).toBe(outcome);
    expect(handshake.outputEnded).toBe(outcome !== "upgrade" && outcome !== "plain");
  });

  it("checks the target, which an HTTP server may have taken as it came", () => {
    const headers = new HeaderFields([["Host", "a"]]);
    const handshake = ServerHandshake.fromRequest({ method: "GET", target: "a b", headers }, {}, 0);
    expect(handshake.failure?.fault).toBe("target-invalid");
  });

  it("takes what came behind the head from receive", async () => {
    const bytes = new HeadReader("request", DEFAULT_LIMITS).receive(latin1(request()));
    const head = parseRequestHead(bytes as Uint8Array);
    const handshake = ServerHandshake.fromRequest(head as Exclude<typeof head, string>, {}, 0);
    expect(handshake.receive(latin1("abc"), 1)).toBeUndefined();
    expect(toLatin1((await handshake.accept()).rest)).toBe("abc");
  });
});
