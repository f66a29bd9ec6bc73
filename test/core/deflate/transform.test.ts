import { describe, expect, it } from "vitest";
import { deflateCodec } from "../../../adapters/deflate.ts";
import { concat } from "../../../core/bytes.ts";
import type { DeflateCodec } from "../../../core/deflate/codec.ts";
import type { DeflateOptions, DeflateParams } from "../../../core/deflate/negotiate.ts";
import { resolveDeflate } from "../../../core/deflate/negotiate.ts";
import { MessageDeflate } from "../../../core/deflate/transform.ts";
import { ProtocolError } from "../../../core/errors.ts";
import type { BodyRow } from "../../vectors/deflate-bodies.ts";
import {
  CORRUPT,
  fromHex,
  JSON_STREAM,
  RFC_BODIES,
  RFC_SHARED_WINDOW,
  SHAPES,
} from "../../vectors/deflate-bodies.ts";

const BARE: DeflateParams = {
  windowBits: 15,
  takeover: true,
  peerWindowBits: 15,
  peerTakeover: true,
};
const NO_TAKEOVER: DeflateParams = { ...BARE, takeover: false, peerTakeover: false };

function create(
  params: Partial<DeflateParams> = {},
  options: Partial<DeflateOptions> = {},
): MessageDeflate {
  return new MessageDeflate(
    { ...BARE, ...params },
    resolveDeflate({ codec: deflateCodec, ...options }),
  );
}

function inflateMessage(
  deflate: MessageDeflate,
  pieces: readonly Uint8Array[],
  limit = 1e6,
): string {
  const parts = pieces.map((piece) => deflate.inflate(piece, limit));
  return new TextDecoder().decode(concat([...parts, deflate.finish(limit)]));
}

function compressText(deflate: MessageDeflate, text: string): Uint8Array {
  return deflate.compress(new TextEncoder().encode(text), true);
}

function violation(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.violation;
    throw error;
  }
  return "none";
}

describe("MessageDeflate.inflate", () => {
  it.each([...RFC_BODIES, ...SHAPES])("reads $why", ({ body, content }) => {
    expect(inflateMessage(create(), [fromHex(body)])).toBe(content);
  });

  it.each([["RFC 7692 §7.2.3.2", RFC_SHARED_WINDOW], ["zlib's JSON", JSON_STREAM]] as const)(
    "keeps the window between messages: %s",
    (_, stream) => {
      const deflate = create();
      for (const { body, content } of stream) {
        expect(inflateMessage(deflate, [fromHex(body)])).toBe(content);
      }
    },
  );

  it("reads each body cut at every byte", () => {
    for (const { body, content } of [...RFC_BODIES, ...SHAPES, JSON_STREAM[0]!]) {
      const bytes = fromHex(body);
      for (let cut = 0; cut <= bytes.length; cut++) {
        expect(
          inflateMessage(create(), [bytes.subarray(0, cut), bytes.subarray(cut)]),
          `${body} at ${cut}`,
        ).toBe(
          content,
        );
      }
      expect(inflateMessage(create(), Array.from(bytes, (byte) => Uint8Array.of(byte)))).toBe(
        content,
      );
    }
  });

  it("reads every shape after every other, over one window", () => {
    const rows: readonly BodyRow[] = [...RFC_BODIES, ...SHAPES];
    const deflate = create();
    for (const one of rows) {
      for (const other of rows) {
        expect(inflateMessage(deflate, [fromHex(one.body)])).toBe(one.content);
        expect(inflateMessage(deflate, [fromHex(other.body)]), `${one.body} ${other.body}`).toBe(
          other.content,
        );
      }
    }
  });

  it.each(CORRUPT)("fails $why", ({ body }) => {
    expect(violation(() => inflateMessage(create(), [fromHex(body)]))).toBe("deflate-corrupt");
    expect(
      violation(() =>
        inflateMessage(create(), Array.from(fromHex(body), (byte) => Uint8Array.of(byte)))
      ),
    ).toBe(
      "deflate-corrupt",
    );
  });

  it("takes a message without any body for empty, wherever the stream stands", () => {
    const deflate = create();
    for (const before of ["00", "f248cdc9c90700", "f348cdc9c90700", "f348cdc9c9070000"]) {
      expect(inflateMessage(deflate, [])).toBe("");
      expect(inflateMessage(deflate, [new Uint8Array(0)])).toBe("");
      expect(inflateMessage(deflate, [fromHex(before)])).toBe(before === "00" ? "" : "Hello");
    }
    expect(inflateMessage(deflate, [])).toBe("");
  });

  it("refuses a reference to an earlier message of a peer that said it makes none", () => {
    const deflate = create({ peerTakeover: false });
    const [first, second] = RFC_SHARED_WINDOW;
    expect(inflateMessage(deflate, [fromHex(first!.body)])).toBe("Hello");
    expect(violation(() => inflateMessage(deflate, [fromHex(second!.body)]))).toBe(
      "deflate-corrupt",
    );
  });

  it("takes content of exactly the limit, and nothing above", () => {
    const body = fromHex(RFC_BODIES[0]!.body);
    expect(inflateMessage(create(), [body], 5)).toBe("Hello");
    expect(violation(() => inflateMessage(create(), [body], 4))).toBe("message-too-big");
  });

  it("applies the limit to what the end of the message gives", () => {
    const deflate = create();
    deflate.inflate(Uint8Array.of(0xf2), 0);
    expect(violation(() => deflate.inflate(fromHex("48cd"), 0))).toBe("message-too-big");
  });
});

describe("MessageDeflate.compress", () => {
  const texts = [
    "",
    "Hello",
    "Hello",
    "{}",
    "x".repeat(70_000),
    "Grüße",
    "",
    JSON_STREAM[0]!.content,
    JSON_STREAM[1]!.content,
  ];

  it.each([["takeover", BARE], ["no takeover", NO_TAKEOVER]] as const)(
    "makes what inflates again: %s",
    (_, params) => {
      const [sender, receiver] = [create(params), create(params)];
      for (const text of [...texts, ...texts]) {
        expect(
          inflateMessage(receiver, [compressText(sender, text)]),
        ).toBe(text);
      }
    },
  );

  it("makes an empty message of one zero byte (§7.2.3.6)", () => {
    expect([...create().compress(new Uint8Array(0), true)]).toEqual([0]);
    expect([...create(NO_TAKEOVER).compress(new Uint8Array(0), true)]).toEqual([0]);
  });

  it("refers to earlier messages with takeover only", () => {
    const [shared, single] = [create(), create(NO_TAKEOVER)];
    const [first, again] = [
      compressText(shared, JSON_STREAM[0]!.content),
      compressText(shared, JSON_STREAM[0]!.content),
    ];
    expect(again.length).toBeLessThan(first.length / 2);
    expect(compressText(single, JSON_STREAM[0]!.content)).toEqual(
      compressText(single, JSON_STREAM[0]!.content),
    );
  });

  it("compresses a message in two fragments, cut anywhere", () => {
    const bytes = new TextEncoder().encode(JSON_STREAM[0]!.content.repeat(2));
    for (const params of [BARE, NO_TAKEOVER]) {
      const [sender, receiver] = [create(params), create(params)];
      for (let cut = 0; cut <= bytes.length; cut++) {
        const bodies = [
          sender.compress(bytes.subarray(0, cut), false),
          sender.compress(bytes.subarray(cut), true),
        ];
        expect(inflateMessage(receiver, bodies)).toBe(JSON_STREAM[0]!.content.repeat(2));
      }
    }
  });

  it("delivers each fragment as soon as it has come", () => {
    const [sender, receiver] = [create(), create()];
    for (const text of ["one, ", "two, ", "three"]) {
      const body = sender.compress(new TextEncoder().encode(text), false);
      expect(new TextDecoder().decode(receiver.inflate(body, 100))).toBe(text);
    }
    expect(inflateMessage(receiver, [sender.compress(new Uint8Array(0), true)])).toBe("");
  });

  it("stores what must be compressed under a window of 8 bits, and advises against it", () => {
    const sender = create({ windowBits: 8 });
    const receiver = create({ peerWindowBits: 8 });
    const text = "0123456789".repeat(1000);
    expect(sender.threshold).toBe(Infinity);
    expect(sender.shareKey).toBeUndefined();
    expect(inflateMessage(receiver, [compressText(sender, text)])).toBe(text);
  });

  it("keeps the threshold of the options otherwise", () => {
    expect(create({}, { threshold: 17 }).threshold).toBe(17);
  });

  it("gives away memory that a later message does not change", () => {
    const sender = create();
    const body = compressText(sender, "Hello");
    const copy = body.slice();
    compressText(sender, "something else entirely");
    expect(body).toEqual(copy);
  });
});

describe("MessageDeflate.shareKey", () => {
  it("is equal exactly where a message compresses to the same body", () => {
    const key = create(NO_TAKEOVER).shareKey;
    expect(key).toBeTypeOf("string");
    expect(create({ ...NO_TAKEOVER, peerWindowBits: 9, peerTakeover: true }).shareKey).toBe(key);
    expect(create({ ...NO_TAKEOVER, windowBits: 10 }).shareKey).not.toBe(key);
    expect(create(NO_TAKEOVER, { level: 9 }).shareKey).not.toBe(key);
    expect(create(NO_TAKEOVER, { memLevel: 1 }).shareKey).not.toBe(key);
  });

  it("is none where earlier messages count", () => {
    expect(create().shareKey).toBeUndefined();
  });
});

describe("MessageDeflate and its codec", () => {
  function counting(): { codec: DeflateCodec; log: string[]; } {
    const log: string[] = [];
    const codec: DeflateCodec = {
      createDeflater: (options) => {
        const inner = deflateCodec.createDeflater(options);
        log.push(`deflater ${options.windowBits} ${options.level} ${options.memLevel}`);
        return {
          deflate: (bytes) => inner.deflate(bytes),
          reset: () => inner.reset(),
          close: () => log.push("deflater closed"),
        };
      },
      createInflater: (options) => {
        const inner = deflateCodec.createInflater(options);
        log.push(`inflater ${options.windowBits}`);
        return {
          get position() {
            return inner.position;
          },
          inflate: (bytes, limit) => inner.inflate(bytes, limit),
          reset: () => inner.reset(),
          close: () => log.push("inflater closed"),
        };
      },
    };
    return { codec, log };
  }

  it("creates each direction at its first message, by what was agreed on", () => {
    const { codec, log } = counting();
    const deflate = create({ windowBits: 10, peerWindowBits: 11 }, {
      codec,
      level: 3,
      memLevel: 5,
    });
    expect(log).toEqual([]);
    compressText(deflate, "Hello");
    compressText(deflate, "Hello");
    expect(log).toEqual(["deflater 10 3 5"]);
    inflateMessage(deflate, [fromHex("f248cdc9c90700")]);
    inflateMessage(deflate, [fromHex("f248cdc9c90700")]);
    expect(log).toEqual(["deflater 10 3 5", "inflater 11"]);
  });

  it("creates nothing for a message without any body", () => {
    const { codec, log } = counting();
    const deflate = create({}, { codec });
    expect(inflateMessage(deflate, [])).toBe("");
    expect(inflateMessage(deflate, [new Uint8Array(0)])).toBe("");
    expect(log).toEqual([]);
  });

  it("closes what it created, once", () => {
    const { codec, log } = counting();
    const deflate = create({}, { codec });
    compressText(deflate, "Hello");
    log.length = 0;
    deflate.close();
    deflate.close();
    expect(log).toEqual(["deflater closed"]);
  });

  it("takes any failure of the codec but the limit for corrupt data", () => {
    const codec: DeflateCodec = {
      ...deflateCodec,
      createInflater: () => ({
        position: "inside",
        inflate: () => {
          throw new RangeError("anything");
        },
        reset: () => undefined,
        close: () => undefined,
      }),
    };
    expect(violation(() => create({}, { codec }).inflate(Uint8Array.of(1), 1))).toBe(
      "deflate-corrupt",
    );
  });
});
