/** Python's published SDK sends, and what arrives at the sink is what was sent, field by field. */
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Signal, UnavailableError } from "../sink.ts";
import { decode, decodeLogs, decodeMetrics, decodeTraces, encode } from "./codec.ts";
import { arbitrary } from "./data.fixture.ts";
import { parseJson } from "./json.ts";
import { kept, lastOf, logsOf, spansOf } from "./kept.fixture.ts";
import { type Python, pythonSdk } from "./python.fixture.ts";
import { type Receiving, receiving } from "./receiver.fixture.ts";
import { messageNamed } from "./schema.ts";

let python: Python | string;
let receiver: Receiving;
beforeAll(async () => {
  python = await pythonSdk();
  receiver = await receiving();
}, 300_000);
afterAll(() => receiver?.close());
beforeEach(() => {
  receiver.sink.requests.length = 0;
});

const whenInstalled = (name: string, run: (python: Python) => Promise<void>) =>
  test(name, { timeout: 120_000 }, async ({ skip }) => {
    if (typeof python === "string") skip(python);
    else await run(python);
  });

interface Sent {
  results: string[];
  traces: object;
  metrics: object;
  logs: object;
}

const endpointOf = (protocol: string): string =>
  `http://127.0.0.1:${protocol === "grpc" ? receiver.grpc.port : receiver.http.port}`;
const arrived = (signal: Signal): Uint8Array =>
  receiver.sink.requests.find((request) => request.signal === signal)?.request ?? new Uint8Array();

for (const protocol of ["http", "grpc"])
  for (const compression of ["none", "gzip"])
    whenInstalled(`${protocol}, compression ${compression}: all three signals`, async (python) => {
      const output = await python("send.py", [protocol, endpointOf(protocol), compression]);
      const sent = JSON.parse(output) as Sent;
      expect(sent.results).toEqual(["SUCCESS", "SUCCESS", "SUCCESS"]);
      expect(receiver.sink.requests.length).toBe(3);
      expect(decodeTraces(arrived("traces"))).toEqual(parseJson("traces", JSON.stringify(sent.traces)));
      expect(decodeMetrics(arrived("metrics"))).toEqual(parseJson("metrics", JSON.stringify(sent.metrics)));
      expect(decodeLogs(arrived("logs"))).toEqual(parseJson("logs", JSON.stringify(sent.logs)));
    });

whenInstalled("what is read out of the stores, after a restart, is what was sent", async (python) => {
  const sent = JSON.parse(await python("send.py", ["grpc", endpointOf("grpc"), "none"])) as Sent;
  const found = await kept(receiver.sink.requests, Date.now());
  expect(found.losses).toEqual([]);
  expect(spansOf(...found.traces)).toEqual(spansOf(parseJson("traces", JSON.stringify(sent.traces))));
  expect(found.logs.map(({ id, ...log }) => log)).toEqual(logsOf(parseJson("logs", JSON.stringify(sent.logs))));
  expect(lastOf(found.series)).toMatchObject({
    requests_total: [2 ** 60, 0],
    bytes: [-0.5],
    level: [-1.5],
    duration_seconds_bucket: [4, 2, 3],
    duration_seconds_count: [4],
    duration_seconds_sum: [100.05],
    size_bytes: [{ count: 4, sum: 100.05, zeroCount: 1 }],
  });
});

for (const protocol of ["http", "grpc"])
  whenInstalled(`${protocol}: an exporter that is told to try again does`, async (python) => {
    let refusals = 0;
    receiver.sink.answer = () => {
      if (refusals++ === 0) throw new UnavailableError("busy", 10);
      return { taken: 0, rejected: 0 };
    };
    const { results } = JSON.parse(await python("send.py", [protocol, endpointOf(protocol), "none"])) as Sent;
    expect(results).toEqual(["SUCCESS", "SUCCESS", "SUCCESS"]);
    expect(refusals).toBe(4);
  });

whenInstalled("protobuf's own library writes the same bytes as we do, and reads the same from ours", async (python) => {
  const messages = ["TracesData", "MetricsData", "LogsData"].flatMap((name) =>
    fc.sample(arbitrary(name), 100).map((value) => ({ name, value, bytes: encode(messageNamed(name), value) })),
  );
  const lines = messages.map(({ name, bytes }) => `${name} ${Buffer.from(bytes).toString("hex")}\n`);
  const again = (await python("again.py", [], lines.join(""))).split("\n").slice(0, -1);
  expect(again.length).toBe(messages.length);
  for (const [i, { name, value, bytes }] of messages.entries()) {
    expect(again[i]).toBe(Buffer.from(bytes).toString("hex"));
    expect(decode(messageNamed(name), Buffer.from(again[i] ?? "", "hex"))).toEqual(value);
  }
});
