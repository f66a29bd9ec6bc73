// The interfaces of the WebSocket standard as Web IDL has a JavaScript engine expose them: what
// idlharness.any.js asks for, from a table of the standard's own definitions (WHATWG WebSockets
// §3.1, §5 and the WebSocketStream proposal).

import { CloseEvent, WebSocket, WebSocketError, WebSocketStream } from "sansws";
import { describe, expect, it } from "vitest";

interface Interface {
  readonly type: { readonly prototype: object; };
  readonly name: string;
  /** How many arguments of the constructor are not optional. */
  readonly length: number;
  readonly parent: object;
  readonly readOnly: readonly string[];
  readonly writable?: readonly string[];
  /** With how many arguments are not optional. */
  readonly methods?: Readonly<Record<string, number>>;
  readonly constants?: Readonly<Record<string, number>>;
}

const INTERFACES: readonly Interface[] = [
  {
    type: WebSocket,
    name: "WebSocket",
    length: 1,
    parent: EventTarget,
    readOnly: ["url", "readyState", "bufferedAmount", "extensions", "protocol"],
    writable: ["onopen", "onerror", "onclose", "onmessage", "binaryType"],
    methods: { close: 0, send: 1 },
    constants: { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 },
  },
  {
    type: WebSocketStream,
    name: "WebSocketStream",
    length: 1,
    parent: Function.prototype,
    readOnly: ["url", "opened", "closed"],
    methods: { close: 0 },
  },
  {
    type: WebSocketError,
    name: "WebSocketError",
    length: 0,
    parent: DOMException,
    readOnly: ["closeCode", "reason"],
  },
];

/** Attributes whose type is a promise: what is wrong with their receiver comes as a rejection. */
const PROMISES: readonly string[] = ["opened", "closed"];

function descriptor(target: object, name: string | symbol): PropertyDescriptor | undefined {
  return Object.getOwnPropertyDescriptor(target, name);
}

describe.each(INTERFACES)(
  "$name",
  ({ type, name, length, parent, readOnly, writable = [], methods = {}, constants = {} }) => {
    const { prototype } = type;

    it("is a class with its name, length and parent, and the class of its objects", () => {
      expect(descriptor(type, "name")).toEqual({
        value: name,
        writable: false,
        enumerable: false,
        configurable: true,
      });
      expect(descriptor(type, "length")).toEqual({
        value: length,
        writable: false,
        enumerable: false,
        configurable: true,
      });
      expect(descriptor(type, "prototype")).toMatchObject({
        writable: false,
        enumerable: false,
        configurable: false,
      });
      expect(Object.getPrototypeOf(type)).toBe(parent);
      expect(descriptor(prototype, "constructor")).toMatchObject({
        value: type,
        enumerable: false,
      });
      expect(descriptor(prototype, Symbol.toStringTag)).toEqual({
        value: name,
        writable: false,
        enumerable: false,
        configurable: true,
      });
    });

    it("has no other members than those of the standard", () => {
      const members = [
        ...readOnly,
        ...writable,
        ...Object.keys(methods),
        ...Object.keys(constants),
      ];
      expect(Object.keys(prototype).sort()).toEqual(members.sort());
      expect(Object.keys(type).sort()).toEqual(Object.keys(constants).sort());
    });

    it("has its attributes as accessors of its prototype", () => {
      for (const attribute of [...readOnly, ...writable]) {
        const { get, set, enumerable, configurable } = descriptor(prototype, attribute)!;
        expect([attribute, enumerable, configurable]).toEqual([attribute, true, true]);
        expect([get?.name, get?.length]).toEqual([`get ${attribute}`, 0]);
        expect([set?.name, set?.length]).toEqual(
          writable.includes(attribute) ? [`set ${attribute}`, 1] : [undefined, undefined],
        );
      }
    });

    it("has its methods on its prototype, replaceable", () => {
      for (const [method, count] of Object.entries(methods)) {
        const { value, ...flags } = descriptor(prototype, method)!;
        expect([value.name, value.length]).toEqual([method, count]);
        expect(flags).toEqual({ writable: true, enumerable: true, configurable: true });
      }
    });

    it("has its constants on both", () => {
      for (const [constant, value] of Object.entries(constants)) {
        const expected = { value, writable: false, enumerable: true, configurable: false };
        expect(descriptor(type, constant)).toEqual(expected);
        expect(descriptor(prototype, constant)).toEqual(expected);
      }
    });

    it("throws a TypeError for members of another object", async () => {
      for (const attribute of readOnly.filter((each) => !PROMISES.includes(each))) {
        expect(() => Reflect.get(prototype, attribute)).toThrow(TypeError);
      }
      for (const attribute of PROMISES.filter((each) => readOnly.includes(each))) {
        await expect(Reflect.get(prototype, attribute)).rejects.toThrow(TypeError);
      }
      for (const attribute of writable) {
        expect(() => descriptor(prototype, attribute)!.get!.call({})).toThrow(TypeError);
        expect(() => descriptor(prototype, attribute)!.set!.call({}, null)).toThrow(TypeError);
      }
      for (const method of Object.keys(methods)) {
        expect(() => descriptor(prototype, method)!.value.call({}, "x")).toThrow(TypeError);
      }
    });

    it("needs new", () => {
      expect(() => (type as unknown as (url: string) => void)("ws://127.0.0.1/")).toThrow(
        TypeError,
      );
    });
  },
);

// interfaces/CloseEvent
describe("CloseEvent", () => {
  const { CloseEvent: own } = globalThis as { readonly CloseEvent?: unknown; };

  it("takes what it is given, and has defaults", () => {
    expect(new CloseEvent("end")).toMatchObject({
      type: "end",
      wasClean: false,
      code: 0,
      reason: "",
    });
    const event = new CloseEvent("close", {
      wasClean: true,
      code: 4000,
      reason: "why",
      bubbles: true,
      cancelable: true,
    });
    expect(event).toMatchObject({
      wasClean: true,
      code: 4000,
      reason: "why",
      bubbles: true,
      cancelable: true,
    });
    expect(event).toBeInstanceOf(Event);
  });

  it.runIf(own !== undefined)(
    "is that of the runtime where it has one, so that instanceof holds",
    () => {
      expect(CloseEvent).toBe(own);
    },
  );

  // Node has none before 23. How well Deno and Bun have read Web IDL is their affair.
  describe.runIf(own === undefined)("where the runtime has none", () => {
    it("is an interface as Web IDL has it", () => {
      expect(Object.getPrototypeOf(CloseEvent)).toBe(Event);
      expect([CloseEvent.name, CloseEvent.length]).toEqual(["CloseEvent", 1]);
      expect(Object.keys(CloseEvent.prototype).sort()).toEqual(["code", "reason", "wasClean"]);
      expect(String(new CloseEvent("x"))).toBe("[object CloseEvent]");
      expect(() => new (CloseEvent as unknown as new() => object)()).toThrow(TypeError);
    });

    it.each([[-1, 65_535], [65_536 + 1000, 1000], [1000.9, 1000], ["3000", 3000], [NaN, 0]])(
      "reads its code %j as an unsigned short: %i",
      (code, expected) => {
        expect(new CloseEvent("x", { code: code as number }).code).toBe(expected);
      },
    );
  });
});
