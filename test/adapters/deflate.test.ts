import { inflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { deflateCodec } from "../../adapters/deflate.ts";
import { concat, equalBytes } from "../../core/bytes.ts";
import { InflateLimitError } from "../../core/deflate/codec.ts";
import { FixedBlock } from "../vectors/deflate-bits.ts";
import {
  CORRUPT,
  fromHex,
  JSON_STREAM,
  windowContent,
  WINDOWS,
  ZEROS,
  ZEROS_SIZE,
} from "../vectors/deflate-bodies.ts";

const TAIL = Uint8Array.of(0, 0, 0xff, 0xff);
const MIB = 2 ** 20;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Bytes that do not compress, the same at every run. */
function noise(size: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 24;
  });
}

function json(index: number): string {
  const tags = ["red", "green", "blue"].slice(index % 3);
  return JSON.stringify({
    id: 1000 + index,
    user: `user${(index * 7919) % 997}`,
    tags,
    price: (index * 104729) % 10_007 / 100,
  });
}

/** Content of many kinds, in the order in which one connection might send it. */
const CONTENTS: readonly Uint8Array[] = [
  encode("a"),
  encode("abc"),
  encode("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
  encode("x".repeat(257)),
  encode("x".repeat(258)),
  encode("x".repeat(259)),
  encode("x".repeat(100_000)),
  encode(Array.from({ length: 40 }, (_, index) => json(index)).join("\n")),
  encode(Array.from({ length: 4000 }, (_, index) => json(index)).join("\n")),
  noise(1),
  noise(1000),
  noise(32 * 1024),
  noise(200_000),
  concat([noise(32 * 1024), noise(32 * 1024)]),
  concat([noise(32 * 1024 - 1, 7), noise(32 * 1024 - 1, 7)]),
  concat([noise(32 * 1024 + 1, 8), noise(32 * 1024 + 1, 8)]),
  Uint8Array.from({ length: 70_000 }, (_, index) => index * index >> 3),
  new Uint8Array(70_000),
  encode("a"),
];

describe("deflateCodec deflater", () => {
  const settings = [
    { level: 0, memLevel: 8, windowBits: 15 },
    { level: 1, memLevel: 8, windowBits: 15 },
    { level: 1, memLevel: 1, windowBits: 9 },
    { level: 1, memLevel: 9, windowBits: 12 },
    { level: 2, memLevel: 8, windowBits: 14 },
    { level: 3, memLevel: 7, windowBits: 13 },
    { level: 4, memLevel: 6, windowBits: 12 },
    { level: 5, memLevel: 5, windowBits: 11 },
    { level: 6, memLevel: 4, windowBits: 10 },
    { level: 7, memLevel: 9, windowBits: 9 },
    { level: 8, memLevel: 8, windowBits: 10 },
    { level: 9, memLevel: 9, windowBits: 15 },
  ];

  it.each(settings)("makes a stream that zlib inflates: %o", (options) => {
    const deflater = deflateCodec.createDeflater(options);
    const stream = concat(CONTENTS.map((content) => deflater.deflate(content)));
    const inflated = inflateRawSync(concat([stream, Uint8Array.of(3, 0)]), {
      windowBits: options.windowBits,
    });
    expect(equalBytes(inflated, concat(CONTENTS))).toBe(true);
  });

  it.each(settings)(
    "makes a stream that our inflater inflates, message by message: %o",
    (options) => {
      const deflater = deflateCodec.createDeflater(options);
      const inflater = deflateCodec.createInflater(options);
      for (const content of CONTENTS) {
        expect(equalBytes(inflater.inflate(deflater.deflate(content), content.length), content))
          .toBe(true);
        expect(inflater.position).toBe("between");
      }
    },
  );

  it("makes the same of the same after a reset, whatever came before", () => {
    const options = { level: 6, memLevel: 8, windowBits: 12 };
    const deflater = deflateCodec.createDeflater(options);
    for (const content of CONTENTS) {
      const fresh = deflateCodec.createDeflater(options).deflate(content);
      expect(equalBytes(deflater.deflate(content), fresh)).toBe(true);
      deflater.deflate(encode("something else in between"));
      deflater.reset();
    }
  });

  it("compresses repeated JSON to a small part, more with a window than without", () => {
    const deflater = deflateCodec.createDeflater({ level: 1, memLevel: 8, windowBits: 15 });
    const text = CONTENTS[8]!;
    expect(deflater.deflate(text).length).toBeLessThan(text.length / 2);
    expect(deflater.deflate(encode(json(3999))).length).toBeLessThan(json(3999).length / 3);
  });

  it("adds next to nothing to what does not compress", () => {
    const deflater = deflateCodec.createDeflater({ level: 1, memLevel: 8, windowBits: 15 });
    for (let size = 1; size < 300_000; size = size * 3 + 1) {
      expect(deflater.deflate(noise(size, size)).length).toBeLessThan(size + 16 + size / 500);
    }
  });

  it("ends every call with a sync flush, however much it puts out", () => {
    const deflater = deflateCodec.createDeflater({ level: 0, memLevel: 8, windowBits: 15 });
    for (let size = 64 * 1024 - 40; size < 64 * 1024 + 10; size++) {
      expect([...deflater.deflate(noise(size)).subarray(-4)], `${size} bytes`).toEqual([...TAIL]);
    }
  });

  it("leaves its input alone", () => {
    const content = noise(5000);
    deflateCodec.createDeflater({ level: 9, memLevel: 9, windowBits: 9 }).deflate(content);
    expect(content).toEqual(noise(5000));
  });
});

describe("deflateCodec inflater", () => {
  it.each(WINDOWS)("reads zlib's window of $bits bits", ({ bits, body }) => {
    const inflater = deflateCodec.createInflater({ windowBits: bits });
    const content = inflater.inflate(concat([fromHex(body), TAIL]), 1e6);
    expect(decode(content)).toBe(windowContent(bits));
  });

  it.each([8, 9, 10, 11, 12, 13, 14, 15])(
    "reads a distance of the whole window of %d bits, across messages",
    (windowBits) => {
      const size = 2 ** windowBits;
      const inflater = deflateCodec.createInflater({ windowBits });
      const history = noise(size, windowBits);
      for (let start = 0; start < size; start += 97) {
        const part = history.subarray(start, start + 97);
        inflater.inflate(concat([Uint8Array.of(0, part.length, 0, ~part.length, 0xff), part]), 97);
      }
      const body = new FixedBlock().shortCopy(size).longCopy(size).body();
      const content = Uint8Array.from({ length: 261 }, (_, index) => history[index % size]!);
      expect(inflater.inflate(concat([body, TAIL]), 1000)).toEqual(content);
    },
  );

  it.each([8, 9, 10, 11, 12, 13, 14])(
    "refuses a distance past the window of %d bits, however it is cut",
    (windowBits) => {
      const size = 2 ** windowBits;
      const content = deflateCodec.createDeflater({ level: 1, memLevel: 8, windowBits: 15 })
        .deflate(noise(3 * size));
      for (const past of [0, 1]) {
        const body = new FixedBlock().shortCopy(size + past).body();
        const whole = concat([content, body, TAIL]);
        const ways = [[whole], [content, whole.subarray(content.length)], [
          whole.subarray(0, -4),
          TAIL,
        ]];
        for (const before of ["nothing", "a stream", "a reset"]) {
          for (const chunks of ways) {
            const inflater = deflateCodec.createInflater({ windowBits });
            if (before !== "nothing") inflater.inflate(fromHex("f348cdc9c90700"), 100);
            if (before === "a reset") inflater.reset();
            const read = (): void => chunks.forEach((chunk) => inflater.inflate(chunk, 1e6));
            if (past > 0) expect(read).toThrow();
            else expect(read).not.toThrow();
          }
        }
      }
    },
  );

  it("refuses a distance past what has come so far", () => {
    const inflater = deflateCodec.createInflater({ windowBits: 15 });
    expect(decode(inflater.inflate(new FixedBlock().literals(97, 98, 99).shortCopy(3).body(), 100)))
      .toBe("abcabc");
    inflater.inflate(TAIL, 0);
    expect(() => inflater.inflate(new FixedBlock().shortCopy(7).body(), 100)).toThrow();
  });

  it("copies what overlaps itself", () => {
    for (const distance of [1, 2, 3, 4, 5, 7, 30]) {
      const bytes = Array.from({ length: 30 }, (_, index) => 65 + index);
      const body = new FixedBlock().literals(...bytes).longCopy(distance).body();
      const content = deflateCodec.createInflater({ windowBits: 15 }).inflate(body, 1000);
      expect([...content]).toEqual([
        ...bytes,
        ...Array.from({ length: 258 }, (_, index) => bytes[30 - distance + index % distance]!),
      ]);
    }
  });

  it("keeps the window over the end of a stream within the data (BFINAL)", () => {
    const inflater = deflateCodec.createInflater({ windowBits: 15 });
    inflater.inflate(fromHex("f348cdc9c9070000 0000ffff"), 100);
    expect(decode(inflater.inflate(concat([new FixedBlock().shortCopy(5).body(), TAIL]), 100)))
      .toBe("Hel");
  });

  it("forgets the window at a reset, even inside of a block", () => {
    const inflater = deflateCodec.createInflater({ windowBits: 15 });
    inflater.inflate(fromHex("f248cd"), 100);
    expect(inflater.position).toBe("inside");
    inflater.reset();
    expect(inflater.position).toBe("start");
    expect(() => inflater.inflate(new FixedBlock().shortCopy(1).body(), 100)).toThrow();
    inflater.reset();
    expect(decode(inflater.inflate(fromHex("f248cdc9c90700"), 100))).toBe("Hello");
  });

  it("says where the data stands", () => {
    const inflater = deflateCodec.createInflater({ windowBits: 15 });
    expect(inflater.position).toBe("start");
    inflater.inflate(fromHex("f248cdc9c90700"), 100);
    expect(inflater.position).toBe("inside");
    inflater.inflate(TAIL, 100);
    expect(inflater.position).toBe("between");
    inflater.inflate(fromHex("f348cdc9c90700"), 100);
    expect(inflater.position).toBe("start");
  });

  it("says so where the output ends with its buffer", () => {
    for (let size = 64 * 1024 - 4; size < 64 * 1024 + 4; size++) {
      const inflater = deflateCodec.createInflater({ windowBits: 15 });
      const body = deflateCodec.createDeflater({ level: 0, memLevel: 8, windowBits: 15 }).deflate(
        noise(size),
      );
      expect(inflater.inflate(body, size).length).toBe(size);
      expect(inflater.position, `${size} bytes`).toBe("between");
    }
  });

  it("reads stream after stream that gives nothing", () => {
    const inflater = deflateCodec.createInflater({ windowBits: 15 });
    const empty = Uint8Array.of(3, 0);
    expect(inflater.inflate(concat(Array.from({ length: 2000 }, () => empty)), 0).length).toBe(0);
    expect(inflater.position).toBe("start");
    expect(decode(inflater.inflate(fromHex("f248cdc9c907000000ffff"), 5))).toBe("Hello");
  });

  it.each(CORRUPT.slice(0, 8))("throws for $why", ({ body }) => {
    const inflate = (): Uint8Array => {
      const inflater = deflateCodec.createInflater({ windowBits: 15 });
      inflater.inflate(fromHex(body), 1e6);
      return inflater.inflate(new Uint8Array(1000), 1e6);
    };
    expect(inflate).toThrow();
    expect(inflate).not.toThrow(InflateLimitError);
  });

  it("gives memory away that later calls do not change", () => {
    const inflater = deflateCodec.createInflater({ windowBits: 15 });
    const contents = JSON_STREAM.map(({ body }) =>
      inflater.inflate(concat([fromHex(body), TAIL]), 1e6)
    );
    expect(contents.map(decode)).toEqual(JSON_STREAM.map(({ content }) => content));
  });

  it("reads large content fed in pieces of any size", () => {
    const body = deflateCodec.createDeflater({ level: 6, memLevel: 8, windowBits: 15 }).deflate(
      concat(CONTENTS),
    );
    for (const size of [1, 3, 100, 5000, 1e6]) {
      const inflater = deflateCodec.createInflater({ windowBits: 15 });
      const parts: Uint8Array[] = [];
      for (let start = 0; start < body.length; start += size) {
        parts.push(inflater.inflate(body.subarray(start, start + size), 1e7));
      }
      expect(equalBytes(concat(parts), concat(CONTENTS)), `pieces of ${size}`).toBe(true);
    }
  });
});

describe("deflateCodec, many at once", () => {
  const texts = Array.from(
    { length: 40 },
    (_, index) => encode(Array.from({ length: 12 }, (_, at) => json(index * 12 + at)).join()),
  );

  it("keeps blocks apart that are read in turn, byte by byte", () => {
    const bodies = texts.map((text) =>
      deflateCodec.createDeflater({ level: 9, memLevel: 9, windowBits: 15 }).deflate(text)
    );
    const DYNAMIC = 2;
    expect(bodies.map(([first]) => (first! >> 1) & 3)).toContain(DYNAMIC);
    const inflaters = texts.map(() => deflateCodec.createInflater({ windowBits: 15 }));
    const parts: Uint8Array[][] = texts.map(() => []);
    for (let at = 0; bodies.some((body) => at < body.length); at++) {
      inflaters.forEach((inflater, index) =>
        parts[index]!.push(inflater.inflate(bodies[index]!.subarray(at, at + 1), 1e6))
      );
    }
    expect(parts.map((part) => decode(concat(part)))).toEqual(texts.map(decode));
  });

  it("keeps windows apart whose memory passes from one to the other", () => {
    const options = { level: 3, memLevel: 8, windowBits: 15 };
    const deflaters = texts.map(() => deflateCodec.createDeflater(options));
    const inflaters = texts.map(() => deflateCodec.createInflater(options));
    for (const [index, text] of [...texts, ...texts].entries()) {
      const [deflater, inflater] = [deflaters[index % 7]!, inflaters[index % 5]!];
      expect(decode(inflater.inflate(deflater.deflate(text), 1e6))).toBe(decode(text));
      deflater.reset();
      inflater.reset();
    }
    const fresh = deflateCodec.createDeflater(options).deflate(texts[0]!);
    expect(equalBytes(deflaters[0]!.deflate(texts[0]!), fresh)).toBe(true);
  });
});

describe("deflateCodec inflater, limit", () => {
  it("gives exactly as much as the limit, and throws at a byte more", () => {
    const body = fromHex(ZEROS.first);
    const open = (limit: number): Uint8Array =>
      deflateCodec.createInflater({ windowBits: 15 }).inflate(body, limit);
    expect(equalBytes(open(ZEROS_SIZE), new Uint8Array(ZEROS_SIZE))).toBe(true);
    expect(open(Infinity).length).toBe(ZEROS_SIZE);
    expect(() => open(ZEROS_SIZE - 1)).toThrow(InflateLimitError);
    expect(() => open(1)).toThrow(InflateLimitError);
    expect(() => open(0)).toThrow(InflateLimitError);
  });

  it("stops a bomb of 1 GiB at the limit, having read as little of it as that takes", () => {
    const count = 2 ** 30 / ZEROS_SIZE;
    const first = fromHex(ZEROS.first);
    const next = fromHex(ZEROS.next);
    const bomb = new Uint8Array(first.length + (count - 1) * next.length);
    bomb.set(first);
    for (let index = 1; index < count; index++) {
      bomb.set(next, first.length + (index - 1) * next.length);
    }
    const inflater = deflateCodec.createInflater({ windowBits: 15 });
    const started = performance.now();
    expect(() => inflater.inflate(bomb, MIB)).toThrow(InflateLimitError);
    // 1 GiB takes seconds; 1 MiB takes a few milliseconds.
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("goes on for as long as each piece is within its limit", () => {
    const inflater = deflateCodec.createInflater({ windowBits: 15 });
    let total = inflater.inflate(fromHex(ZEROS.first), ZEROS_SIZE).length;
    const next = fromHex(ZEROS.next);
    while (total < 64 * MIB) total += inflater.inflate(next, ZEROS_SIZE).length;
    expect(total).toBe(64 * MIB);
  });
});
