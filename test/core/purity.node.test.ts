// The core is pure: it runs in a bare V8 context that has nothing but a text encoder, a text decoder
// and Web Crypto. No file of it imports from outside, names what belongs to a runtime, or waits.

import { build } from "esbuild";
import { webcrypto } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import ts from "typescript";
import { beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CORE = join(ROOT, "core");
const FILES = readdirSync(CORE, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".ts")
);

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(
    file,
    readFileSync(join(CORE, file), "utf8"),
    ts.ScriptTarget.ES2023,
    true,
  );
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** Every module that the file names: imports, re-exports, types and dynamic imports. */
function importsOf(source: ts.SourceFile): string[] {
  const specifiers: string[] = [];
  walk(source, (node) => {
    const named = ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
      ? node.moduleSpecifier
      : undefined;
    const called = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
      ? node.arguments[0]
      : undefined;
    const typed = ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
      ? node.argument.literal
      : undefined;
    const specifier = named ?? called ?? typed;
    if (specifier !== undefined) {
      specifiers.push(ts.isStringLiteral(specifier) ? specifier.text : "(computed)");
    }
  });
  return specifiers;
}

const FORBIDDEN = [
  ...[
    "Buffer",
    "process",
    "require",
    "global",
    "Deno",
    "Bun",
    "window",
    "self",
    "document",
    "navigator",
  ],
  ...[
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "setImmediate",
    "queueMicrotask",
    "requestAnimationFrame",
  ],
  ...[
    "Date",
    "performance",
    "fetch",
    "WebSocket",
    "URL",
    "URLSearchParams",
    "console",
    "eval",
    "Function",
  ],
  ...[
    "structuredClone",
    "AbortController",
    "EventTarget",
    "Blob",
    "TextEncoder",
    "TextDecoder",
    "crypto",
    "Atomics",
  ],
];

/** The names that only platform.ts may have: it types what the core asks of its host. */
const PLATFORM = ["globalThis", "TextEncoder", "TextDecoder", "crypto"];

/** Forbidden names and `Math.random` in the code of the file; comments do not count. */
function forbiddenIn(source: ts.SourceFile): string[] {
  const found: string[] = [];
  walk(source, (node) => {
    if (ts.isPropertyAccessExpression(node) && node.getText() === "Math.random") {
      found.push("Math.random");
    }
    if (!ts.isIdentifier(node) || ![...FORBIDDEN, "globalThis"].includes(node.text)) return;
    if (source.fileName === "platform.ts" && PLATFORM.includes(node.text)) return;
    // A property of that name, such as `failure.process`, is the core's own.
    const { parent } = node;
    if (ts.isPropertyAccessExpression(parent) && parent.name === node) return;
    found.push(node.text);
  });
  return found;
}

/** Functions, types and expressions of the file that have to do with promises, by function. */
function asyncIn(source: ts.SourceFile): string[] {
  const found = new Set<string>();
  walk(source, (node) => {
    const isPromise = ts.isIdentifier(node) && ["Promise", "then"].includes(node.text);
    const isAsync = node.kind === ts.SyntaxKind.AsyncKeyword
      || node.kind === ts.SyntaxKind.AwaitKeyword || ts.isAwaitExpression(node)
      || ts.isForOfStatement(node) && node.awaitModifier !== undefined;
    if (!isPromise && !isAsync) return;
    const owner = ts.findAncestor(
      node,
      (parent) => ts.isFunctionDeclaration(parent) || ts.isInterfaceDeclaration(parent),
    );
    const name = owner as ts.FunctionDeclaration | ts.InterfaceDeclaration | undefined;
    found.add(name?.name?.text ?? node.getText());
  });
  return [...found];
}

/** The digest of a key is Web Crypto's, which is asynchronous: see platform.ts and key.ts. */
const ASYNC: Readonly<Record<string, readonly string[]>> = {
  "platform.ts": ["Platform", "sha1"],
  [join("handshake", "key.ts")]: ["acceptKey"],
};

describe("core/", () => {
  it("is looked at whole", () => {
    expect(FILES.length).toBeGreaterThan(20);
    expect(FILES).toEqual(
      expect.arrayContaining([
        "connection.ts",
        join("frame", "decoder.ts"),
        join("handshake", "server.ts"),
      ]),
    );
  });

  it.each(FILES)("%s imports nothing from outside of core", (file) => {
    for (const specifier of importsOf(parse(file))) {
      expect(specifier).toMatch(/^\.\.?\/[\w./-]+\.ts$/);
      expect(relative(CORE, join(CORE, file, "..", specifier)).startsWith("..")).toBe(false);
    }
  });

  it.each(FILES)("%s names nothing that belongs to a runtime", (file) => {
    expect(forbiddenIn(parse(file))).toEqual([]);
  });

  it.each(FILES)("%s has nothing asynchronous but the digest of a key", (file) => {
    expect(asyncIn(parse(file))).toEqual(ASYNC[file] ?? []);
  });

  it("would find what is asynchronous", () => {
    const source = (text: string): ts.SourceFile =>
      ts.createSourceFile("a.ts", text, ts.ScriptTarget.ES2023, true);
    const texts = [
      "async function f() {}",
      "function f() { return g().then(h); }",
      "function f(): Promise<void> { g(); }",
      "function f() { return async () => 1; }",
      "async function f() { for await (const a of b) c(); }",
    ];
    for (const text of texts) expect(asyncIn(source(text)), text).toEqual(["f"]);
    expect(asyncIn(source("class A { async f() {} }"))).toEqual(["async"]);
    expect(asyncIn(source("function f() { return 1; }"))).toEqual([]);
  });
});

/**
 * Runs inside of the context, as the body of an async function: a client and a server shake hands,
 * talk and part.
 */
const CONVERSATION = `
  const { ClientHandshake, ServerHandshake, VIOLATIONS, acceptKey, createKey, prepareText } = core;
  const seen = [];
  const pump = (from, to) => {
    for (const chunk of from.takeOutput()) {
      for (const event of to.receive(chunk.slice(), 0)) {
        seen.push(event.type + " " + (event.data ?? event.code ?? ""));
        if (event.type === "opened") client = event.connection;
      }
    }
  };
  const key = createKey();
  const accept = await acceptKey(key);
  const url = { protocol: "ws:", host: "a", pathname: "/", search: "", hash: "" };
  let client = new ClientHandshake(url, { key, accept }, 0);
  const handshake = new ServerHandshake({}, 0);
  pump(client, handshake);
  const server = handshake.accept({}, accept).connection;
  pump(handshake, client);
  client.sendText("κόσμε");
  client.sendBinary(new Uint8Array(3));
  client.sendFragment("a".repeat(100), false);
  client.sendFragment("b", true);
  client.ping();
  pump(client, server);
  server.sendPrepared(prepareText("prepared"));
  pump(server, client);
  client.close(1000, "", 0);
  pump(client, server);
  pump(server, client);
  for (const end of [server, client]) for (const { type, clean } of end.receiveEnd(0)) seen.push(type + " " + clean);
  return { seen, accept: await acceptKey("dGhlIHNhbXBsZSBub25jZQ=="), rules: Object.keys(VIOLATIONS).length };
`;

describe("core/mod.ts, bundled, in a context with TextEncoder, TextDecoder and crypto alone,", () => {
  let bundle = "";

  beforeAll(async () => {
    const options = {
      bundle: true,
      format: "iife",
      globalName: "core",
      platform: "neutral",
      write: false,
    } as const;
    const { outputFiles } = await build({
      entryPoints: [join(CORE, "mod.ts")],
      target: "es2023",
      ...options,
    });
    bundle = outputFiles[0]!.text;
  });

  function context(given: object): object {
    return createContext(given, { codeGeneration: { strings: false, wasm: false } });
  }

  it("holds a conversation", async () => {
    const bare = context({ TextEncoder, TextDecoder, crypto: webcrypto });
    const script = `${bundle}; (async () => {${CONVERSATION}})()`;
    const { seen, accept, rules } = await runInContext(script, bare) as {
      seen: string[];
      accept: string;
      rules: number;
    };
    expect(Array.from(seen)).toEqual([
      "upgrade ",
      "opened ",
      "text κόσμε",
      "binary 0,0,0",
      `text ${"a".repeat(100)}b`,
      "ping ",
      "pong ",
      "text prepared",
      "closing 1000",
      "closed true",
      "closed true",
    ]);
    expect(accept).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    expect(rules).toBeGreaterThan(15);
  });

  it("adds nothing to the context but its own name", () => {
    const given = { TextEncoder, TextDecoder, crypto: webcrypto };
    runInContext(bundle, context(given));
    expect(Object.keys(given).sort()).toEqual(["TextDecoder", "TextEncoder", "core", "crypto"]);
  });

  it("cannot do without them, which shows that the context is bare", () => {
    expect(() => runInContext(bundle, context({}))).toThrow();
  });
});
