// The client that walks the conformance suite's fuzzing server: it asks how many cases there are,
// echoes through each of them, and asks for the report. The same file runs on Node, Deno and Bun.
//
//   node --import tsx test/autobahn/client.ts ws://127.0.0.1:9001 AGENT

import process from "node:process";
import { connect } from "sansws";

const [url = "ws://127.0.0.1:9001", agent = "sansws"] = process.argv.slice(2);

/** The suite says a number, in a message of its own. */
async function askForCount(): Promise<number> {
  const socket = await connect(`${url}/getCaseCount`);
  for await (const message of socket) return Number(message);
  throw new Error("the fuzzing server did not say how many cases there are");
}

/** Whatever happens in a case is the case's affair: the suite judges it. */
async function runCase(number: number): Promise<void> {
  const socket = await connect(`${url}/runCase?case=${number}&agent=${encodeURIComponent(agent)}`, {
    deflate: true,
    limits: { maxMessageSize: 64 * 1024 * 1024 },
    backpressure: { maxBufferedAmount: Infinity },
    message: (socket, data) => socket.send(data),
  });
  await socket.closed;
}

const count = await askForCount();
for (let number = 1; number <= count; number++) {
  if (number % 50 === 1) console.log(`${agent}: case ${number} of ${count}`);
  await runCase(number).catch((error: unknown) => console.error(`case ${number}:`, error));
}

const report = await connect(`${url}/updateReports?agent=${encodeURIComponent(agent)}`);
await report.closed;
console.log(`${agent}: ${count} cases done`);
