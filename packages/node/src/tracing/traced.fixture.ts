/** Runs a program as a container would be, and gathers the spans that it sends. */
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";

interface Attribute {
  readonly key: string;
  readonly value: Record<string, unknown>;
}

export interface SeenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer";
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
  readonly status: { readonly code?: number; readonly message?: string };
}

export interface Seen {
  readonly spans: readonly SeenSpan[];
  readonly requests: readonly {
    readonly url: string;
    readonly headers: IncomingMessage["headers"];
    readonly body: Buffer;
  }[];
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

export interface Program {
  readonly code: string;
  readonly type?: "module" | "commonjs";
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** How the receiver answers; default: 200. Undefined: never. */
  readonly answers?: () => number | undefined;
}

const container = join(import.meta.dirname, "../preload/container.cjs");
/** Where the packages that programs import are found. */
const root = resolve(import.meta.dirname, "../../../..");

export async function traced({
  code,
  type = "module",
  env = {},
  args = [],
  answers = () => 200,
}: Program): Promise<Seen> {
  const requests: { url: string; headers: IncomingMessage["headers"]; body: Buffer }[] = [];
  const receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    requests.push({ url: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks) });
    const status = answers();
    if (status !== undefined) response.writeHead(status).end();
  });
  const open = new Set<Socket>();
  receiver.on("connection", (socket) => open.add(socket));
  const port = await listening(receiver);
  const child = spawn(process.execPath, ["--require", container, ...args, `--input-type=${type}`, "-e", code], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    // None is left behind when one does not end.
    timeout: 40_000,
    killSignal: "SIGKILL",
    env: {
      PATH: process.env.PATH,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      ...env,
    },
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  // Not by closing the receiver: what was sent at the very end may still be on its way.
  await Promise.all(
    [...open].map((socket) => socket.closed || new Promise((resolve) => socket.once("close", resolve))),
  );
  await new Promise((resolve) => receiver.close(resolve));
  const traces = requests.filter(
    ({ url, headers }) => url === "/v1/traces" && headers["content-type"]?.includes("json"),
  );
  return { spans: traces.flatMap(({ body }) => spansOf(body)), requests, stdout, stderr, code: exitCode };
}

const listening = (server: Server) =>
  new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)),
  );

const kinds = ["internal", "internal", "server", "client", "producer", "consumer"] as const;

interface SentSpan extends Omit<SeenSpan, "kind" | "attributes" | "events" | "resource"> {
  readonly kind: number;
  readonly attributes: readonly Attribute[];
  readonly events: readonly { readonly name: string }[];
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

function spansOf(body: Buffer): SeenSpan[] {
  const { resourceSpans } = JSON.parse(body.toString()) as Sent;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        kind: kinds[span.kind] ?? "internal",
        attributes: valuesOf(span.attributes),
        resource: valuesOf(resource.attributes),
        events: span.events.map(({ name }) => name),
      })),
    ),
  );
}

const valuesOf = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** The spans of each trace as a tree, one line a span, children after and below their parents: "client GET", "  server GET". */
export function drawn(spans: readonly SeenSpan[]): string[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const below = (parent: string | undefined, depth: number): string[] =>
    spans
      .filter(({ parentSpanId }) => (parent === undefined ? !ids.has(parentSpanId ?? "") : parentSpanId === parent))
      .flatMap(({ kind, name, spanId }) => [`${"  ".repeat(depth)}${kind} ${name}`, ...below(spanId, depth + 1)]);
  return below(undefined, 0);
}
