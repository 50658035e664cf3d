// A real Prometheus for tests and for recording: started in a folder of its own, filled by remote write, gone afterwards.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NativeHistogram } from "../metrics/series.ts";
import { type Question, recordedStart, type TestSeries } from "./samples.fixture.ts";

const binary = "/usr/bin/prometheus";

export const hasPrometheus = existsSync(binary);

/** Answers as they are kept: `data` of a success, or the error. */
export type Answer = { readonly data: unknown } | { readonly errorType: string; readonly error: string };

export interface Prometheus {
  readonly url: string;
  readonly version: string;
  write(series: readonly TestSeries[]): Promise<void>;
  ask(question: Question): Promise<Answer>;
  stop(): Promise<void>;
}

export async function startPrometheus(): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "prometheus-"));
  const port = await freePort();
  const config = join(folder, "prometheus.yml");
  writeFileSync(config, "scrape_configs: []\n");
  const server = spawn(
    binary,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--web.enable-remote-write-receiver",
      "--enable-feature=native-histograms",
      "--storage.tsdb.retention.time=100y",
      "--log.level=error",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  server.stderr.on("data", (text) => {
    said += text;
  });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    server.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const version = await untilReady(url, () => (server.exitCode === null ? undefined : said));
    return { url, version, write: (series) => remoteWrite(url, series), ask: (question) => ask(url, question), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilReady(url: string, failed: () => string | undefined): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    const reason = failed();
    if (reason !== undefined) throw new Error(`prometheus ended: ${reason}`);
    try {
      const ready = await fetch(`${url}/-/ready`);
      await ready.text();
      if (ready.ok) {
        const info = (await (await fetch(`${url}/api/v1/status/buildinfo`)).json()) as { data: { version: string } };
        return info.data.version;
      }
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("prometheus did not become ready");
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

export async function ask(url: string, question: Question): Promise<Answer> {
  const seconds = (offset: number) => String(recordedStart / 1000 + offset);
  const isInstant = "at" in question;
  const parameters = new URLSearchParams(
    isInstant
      ? { query: question.query, time: seconds(question.at) }
      : {
          query: question.query,
          start: seconds(question.from),
          end: seconds(question.to),
          step: String(question.step),
        },
  );
  const response = await fetch(`${url}/api/v1/${isInstant ? "query" : "query_range"}`, {
    method: "POST",
    body: parameters,
  });
  const body = (await response.json()) as { status: string; data: unknown; errorType: string; error: string };
  return body.status === "success" ? { data: body.data } : { errorType: body.errorType, error: body.error };
}

/** In the order of time, since a series begun an hour before what is already there would be too old. */
async function remoteWrite(url: string, series: readonly TestSeries[]): Promise<void> {
  const times = [...new Set(series.flatMap(({ points }) => points.map(({ time }) => time)))].sort((a, b) => a - b);
  for (let at = 0; at < times.length; at += 20) {
    const batch = new Set(times.slice(at, at + 20));
    const body = Buffer.concat(
      series.map(({ labels, points }) =>
        field(
          1,
          Buffer.concat([
            ...Object.entries(labels)
              .filter(([, value]) => value !== "")
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, value]) =>
                field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))])),
              ),
            ...points.filter(({ time }) => batch.has(time)).map(sample),
          ]),
        ),
      ),
    );
    const response = await fetch(`${url}/api/v1/write`, {
      method: "POST",
      headers: { "Content-Encoding": "snappy", "Content-Type": "application/x-protobuf" },
      body: snappy(body),
    });
    if (!response.ok) throw new Error(`remote write: ${response.status} ${await response.text()}`);
  }
}

/** Source: prometheus 2.42 prompb/types.proto. */
function sample({ time, value }: TestSeries["points"][number]): Buffer {
  if (typeof value === "object") return field(4, histogram(value, time));
  return field(2, Buffer.concat([value === "stale" ? stale : double(1, value), number(2, time)]));
}

/** The NaN that marks the end of a series. Source: prometheus model/value. */
const stale = Buffer.concat([tag(1, 1), Buffer.from("020000000000f07f", "hex")]);

function histogram(value: NativeHistogram, time: number): Buffer {
  const side = (run: NativeHistogram["positive"], spans: number, deltas: number): Buffer[] => {
    if (run.counts.length === 0) return [];
    const counts = Array.from(run.counts);
    return [
      field(spans, Buffer.concat([number(1, zigzag(run.offset)), number(2, counts.length)])),
      field(deltas, Buffer.concat(counts.map((count, index) => varint(zigzag(count - (counts[index - 1] ?? 0)))))),
    ];
  };
  return Buffer.concat([
    number(1, value.count),
    double(3, value.sum),
    number(4, zigzag(value.schema)),
    double(5, value.zeroThreshold),
    number(6, value.zeroCount),
    ...side(value.negative, 8, 9),
    ...side(value.positive, 11, 12),
    number(15, time),
  ]);
}

function tag(id: number, type: number): Buffer {
  return varint(id * 8 + type);
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const field = (id: number, bytes: Buffer): Buffer => Buffer.concat([tag(id, 2), varint(bytes.length), bytes]);
const number = (id: number, value: number): Buffer => Buffer.concat([tag(id, 0), varint(value)]);

function double(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(id, 1), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** Snappy that compresses nothing: one literal after another. Source: google/snappy format_description.txt. */
function snappy(bytes: Buffer): Buffer {
  const parts = [varint(bytes.length)];
  for (let at = 0; at < bytes.length; at += 65_536) {
    const part = bytes.subarray(at, at + 65_536);
    const length = Buffer.alloc(3);
    length.writeUInt8(61 << 2);
    length.writeUInt16LE(part.length - 1, 1);
    parts.push(length, part);
  }
  return Buffer.concat(parts);
}
