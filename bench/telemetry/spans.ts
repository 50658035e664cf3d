/**
 * Spans: taken in over OTLP/HTTP on one core, stored and searchable, beside the OpenTelemetry Collector on the same core, which
 * throws them away; bytes on disk; memory; what searches over ten million take. The sender has the other core.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { processorTime } from "../measure.ts";
import { Resources } from "../resources.ts";
import { type Figure, mib, ms, tableOf } from "../table.ts";
import { collectorBinary, collectorPort, startCollector } from "./collector.ts";
import { SpanRequest, spansOfRequest } from "./span-requests.ts";

const core = 0;
const connections = 4;
/** Milliseconds of sending. */
const warmUp = 3000;
const measured = 10_000;
const stored = Number(process.env.SPANS ?? 10_000_000);

interface Rate {
  /** Spans for each second of the receiver's processor time: what one core takes when it has nothing else to do. */
  readonly ofCore: number;
  /** Spans for each second that passed, with whatever else the machine did. */
  readonly wall: number;
}

/** Sends without a break, each connection its next request when the answer is there; until `run` has come to its end. */
async function sending<T>(port: number, run: (sent: () => number) => Promise<T>): Promise<T> {
  const requests = Array.from({ length: 64 }, (_, seed) => new SpanRequest(seed, Date.now()));
  const head = `POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: `;
  let [next, sent, stopped] = [0, 0, false];
  let begun = performance.now();
  const send = (socket: Socket) => {
    const round = Math.floor(next / requests.length);
    if (next % requests.length === 0) begun = performance.now();
    const request = requests[next++ % requests.length] as SpanRequest;
    const bytes = request.renew(round, round === 0 ? 0 : performance.now() - begun);
    socket.cork();
    socket.write(`${head}${bytes.length}\r\n\r\n`);
    // A copy: it is changed before all of it may have been sent.
    socket.write(Buffer.from(bytes));
    socket.uncork();
  };
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => send(socket));
      socket.setEncoding("latin1");
      let heard = "";
      socket.on("data", (text: string) => {
        heard += text;
        const length = /content-length: (\d+)/i.exec(heard)?.[1];
        const body = heard.indexOf("\r\n\r\n");
        if (body < 0 || heard.length < body + 4 + Number(length ?? 0)) return;
        if (!heard.startsWith("HTTP/1.1 200 ")) return reject(new Error(heard));
        heard = "";
        sent += spansOfRequest;
        if (!stopped) return send(socket);
        socket.end();
        resolve();
      });
      socket.on("error", reject);
    });
  const all = Promise.all(Array.from({ length: connections }, one));
  try {
    return await Promise.race([run(() => sent), all.then(() => Promise.reject(new Error("the sender stopped")))]);
  } finally {
    stopped = true;
    await all;
  }
}

const pause = (delay: number) => new Promise((resolve) => setTimeout(resolve, delay));

async function rateOf(pid: number, sent: () => number): Promise<Rate> {
  await pause(warmUp);
  const [spans, processor, begun] = [sent(), processorTime([pid]), performance.now()];
  await pause(measured);
  const more = sent() - spans;
  return {
    ofCore: (more * 1000) / (processorTime([pid]) - processor),
    wall: (more * 1000) / (performance.now() - begun),
  };
}

/** Our receiver and store in a process of its own. */
class Ours {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(folder: string) {
    const file = fileURLToPath(new URL("span-intake.ts", import.meta.url));
    const node = [process.execPath, "--max-semi-space-size=2", file, folder];
    this.#child = spawn("taskset", ["-c", String(core), ...node], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  async answer<T>(command?: string): Promise<T> {
    if (command) this.#child.stdin?.write(`${command}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the receiver ended");
    return JSON.parse(value) as T;
  }

  /** MiB, since its start. */
  get mostMemory(): number {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))?.[1]) / 1024;
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }
}

const perSecond = (spans: number): string => `${Math.round(spans / 1000)}k/s`;

export async function spans(): Promise<Figure[]> {
  const resources = new Resources();
  const folder = mkdtempSync(join(tmpdir(), "flotilla-bench-spans-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const ours = new Ours(folder);
    resources.defer(() => ours.end());
    const { port } = await ours.answer<{ port: number }>();
    const rate = await sending(port, (sent) => rateOf(ours.pid, sent));
    const whileTaking = ours.mostMemory;
    const peer = collectorBinary ? await collectorRate(resources) : undefined;
    const stats = await ours.answer<{ records: number; bytesOnDisk: number }>(`fill ${stored}`);
    const times = await ours.answer<Record<string, { ms: number; processor: number }>>("search");
    const figures: Figure[] = [
      {
        what: "spans taken in, one core",
        ours: perSecond(rate.ofCore),
        ...(peer && { peer: perSecond(peer.ofCore), ratio: `${(rate.ofCore / peer.ofCore).toFixed(2)} of it` }),
        aim: "the Collector's",
      },
      { what: "... by the clock", ours: perSecond(rate.wall), ...(peer && { peer: perSecond(peer.wall) }) },
      { what: "... memory meanwhile, at most", ours: mib(whileTaking), aim: "250 MiB" },
      { what: "on disk for a span", ours: `${(stats.bytesOnDisk / stats.records).toFixed(1)} bytes` },
    ];
    for (const [name, { ms: wall, processor }] of Object.entries(times))
      figures.push({
        what: `of ${Math.round(stats.records / 1e6)} million: ${name}`,
        ours: `${ms(wall)} (processor ${ms(processor)})`,
      });
    figures.push({ what: "... memory meanwhile, at most", ours: mib(ours.mostMemory), aim: "250 MiB" });
    return figures;
  } finally {
    await resources.release();
  }
}

async function collectorRate(resources: Resources): Promise<Rate> {
  const collector = await startCollector(core);
  resources.defer(() => collector.end());
  const rate = await sending(collectorPort, (sent) => rateOf(collector.pid, sent));
  await collector.end();
  return rate;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!collectorBinary) console.error("Without $OTELCOL: nothing to hold it against.");
  console.log(tableOf(await spans()));
}
