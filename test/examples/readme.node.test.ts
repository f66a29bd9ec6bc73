// README.md does what it says: every block of code in it runs on each runtime, and is type-checked.

import { execFileSync } from "node:child_process";
import { serve, type ServeOptions, type Socket } from "sansws/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { startHttpProxy } from "../client/proxy-servers.ts";
import { hasOpenssl, makeCertificates } from "../contract/certificates.ts";
import { COMMANDS, root, RUNTIMES } from "../processes.ts";
import { startProgram } from "../programs.ts";
import { outputs, readBlocks, type Stage, stageFor, writeProgram } from "./readme.ts";

const certificates = hasOpenssl ? makeCertificates() : undefined;

// --- The servers that README leaves to its reader ---

async function start(options: ServeOptions): Promise<string> {
  const server = await serve({ port: 0, hostname: "127.0.0.1", ...options });
  onTestFinished(() => server.close({ deadline: 0 }));
  return `127.0.0.1:${server.address.port}`;
}

/** Echoes one message, and is done. */
const echoOnce: ServeOptions = {
  protocols: ["chat.v2"],
  message: (socket, data) => {
    socket.send(data);
    socket.close(1000, "done");
  },
};

/** Says something, and is done when it is answered. */
const greet: ServeOptions = {
  protocols: ["chat.v2"],
  open: (socket: Socket) => void socket.send("hello"),
  message: (socket, data) => socket.close(1000, String(data)),
};

// --- The stages ---

const CONNECT = `import { connect as reach } from "sansws";
const visitor = await reach(\`ws://127.0.0.1:\${server.address.port}/ann\`);
visitor.send("hi");
for await (const message of visitor) {
  console.log("heard", message);
  break;
}
`;

const SERVER = `const other = await reach(\`ws://127.0.0.1:\${server.address.port}\`);
other.send("to the room");
console.log((await visitor.messages().next()).value);
await server.close();
`;

const WHOLE_SERVER =
  `console.log(await (await fetch(\`http://127.0.0.1:\${server.address.port}/page\`)).text());
await server.close({ code: 1001 });
`;

const ATTACHED = `await new Promise((resolve) => httpServer.once("listening", resolve));
const server = { address: httpServer.address() as { port: number; } };
${CONNECT}const page = \`http://127.0.0.1:\${server.address.port}\`;
console.log(await (await fetch(page, { method: "POST", body: "posted" })).text());
await sockets.close();
httpServer.close();
httpServer.closeAllConnections();
`;

const CORE = `const now = (): number => performance.now();
const chunk = Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 104, 105);
const handle = (event: object): void => console.log(JSON.stringify(event));
const write = (bytes: Uint8Array): void => console.log(bytes.length);
const endWriting = (): void => console.log("end");
const dropTransport = (): void => console.log("drop");
const wakeUpAt = (deadline: number): void => console.log(deadline > now());
`;

async function stages(): Promise<Stage[]> {
  const secure = certificates && await start({ ...echoOnce, tls: certificates.server });
  const proxy = await startHttpProxy({ credentials: "me:word" });
  const echo = await start(echoOnce);
  const refusing = await start({ upgrade: () => ({ status: 403, body: "no" }) });
  const greeting = await start(greet);
  return [
    {
      has: "message: (socket, data) => socket.publish(\"room\", data)",
      replace: { "port: 8080": "port: 0" },
      after: CONNECT.replace(/visitor\.send[^]*/, "") + SERVER,
      prints: /to the room/,
    },
    {
      has: "await connect(\"ws://127.0.0.1:8080\")",
      replace: { "127.0.0.1:8080": echo },
      prints: /^hello$/m,
    },
    {
      has: "const sameOrigin = allowOrigins(",
      replace: { "port: 8080": "port: 0" },
      after: CONNECT + WHOLE_SERVER,
      prints: /^heard hi\nhello \/page\nann 1001 {2}local\n$/,
    },
    {
      has: "const sockets = attach(",
      replace: { "listen(8080)": "listen(0)" },
      after: ATTACHED,
      prints: /^heard hi\nposted\n$/,
    },
    {
      has: "proxy: \"http://me:word@proxy.example:3128\"",
      before: `import process from "node:process";\nconst ca = process.env.README_CA!;`,
      replace: {
        "proxy.example:3128": `127.0.0.1:${proxy.port}`,
        "example.com": `server.test:${secure?.split(":")[1]}`,
      },
      prints: certificates && /^hello\n$/,
    },
    {
      has: "if (error instanceof HandshakeError)",
      replace: { "wss://example.com": `ws://${refusing}` },
      prints: /^403 text\/plain; charset=utf-8 no\n$/,
    },
    {
      has: "import { reconnecting } from \"sansws\"",
      before: "const freshToken = (): string => \"token\";",
      replace: { "wss://example.com": `ws://${echo}` },
      prints: /^connecting\nopen\nwaits in a bounded queue until there is a connection\nclosed\n$/,
    },
    {
      has: "import { WebSocket } from \"sansws\"",
      replace: { "wss://example.com": `ws://${echo}` },
      after: "await new Promise((resolve) => socket.addEventListener(\"close\", resolve));",
      prints: /^hello\n1000 done true\n$/,
    },
    {
      has: "new WebSocketStream(",
      replace: { "wss://example.com": `ws://${greeting}` },
      prints: /closeCode: 1000,\s+reason: "?'?HELLO/,
    },
    { has: "await pair()", prints: /^you said hello\n$/ },
    { has: "new Connection(", before: CORE, prints: /^\{"type":"text","data":"hi"\}\ntrue\n$/ },
  ];
}

describe.each(RUNTIMES)("the code in README.md on %s", (runtime) => {
  it("runs, prints what it says, and ends", async () => {
    const all = await stages();
    const file = writeProgram(runtime, all);
    const program = startProgram(runtime, file, [], { README_CA: certificates?.ca ?? "" });
    expect(await program.exited, program.output).toBe(0);
    const printed = outputs(program.output);
    for (const block of readBlocks()) {
      const { has, prints } = stageFor(block, all);
      if (prints !== undefined) expect(printed.get(has), has).toMatch(prints);
    }
  });
});

it("the code in README.md is type-checked", async () => {
  const file = writeProgram("types", await stages());
  const [deno] = COMMANDS.Deno;
  execFileSync(deno, ["check", "--quiet", file], { cwd: root, stdio: "pipe" });
});
