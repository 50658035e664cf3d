// Asks a real Prometheus what testdata/expressions.txt asks, over the samples of testdata/samples.txt, and keeps the answers:
//
//     apt install prometheus && node packages/telemetry/scripts/record-promql.ts
//
// The samples are written by remote write, which is the way in for staleness markers and native histograms.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startPrometheus } from "../src/promql/prometheus.fixture.ts";
import { parseQuestions, parseSamples, recordedStart } from "../src/promql/samples.fixture.ts";

const testdata = join(import.meta.dirname, "../src/promql/testdata");
const read = (name: string) => readFileSync(join(testdata, name), "utf8");

const prometheus = await startPrometheus();
try {
  await prometheus.write(parseSamples(read("samples.txt"), recordedStart));
  const lines: string[] = [];
  for (const question of parseQuestions(read("expressions.txt")))
    lines.push(JSON.stringify(await prometheus.ask(question)));
  writeFileSync(join(testdata, "results.jsonl"), `${lines.join("\n")}\n`);
  console.log(`${lines.length} answers of ${prometheus.version}`);
} finally {
  await prometheus.stop();
}
