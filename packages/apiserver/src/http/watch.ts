/** Watches over HTTP: one JSON object a line, for as long as both sides want. Source: apiserver pkg/endpoints/handlers/watch.go. */
import type { WatchOptions } from "@flotilla/client";
import type { KubeObject, Resource } from "@flotilla/objects";
import type { Change, ChangeStream, WatchListener } from "../registry.ts";
import type { Form } from "./accept.ts";
import { statusOf, writeWarnings } from "./answer.ts";
import type { Exchange, Serving } from "./serving.ts";
import { includeObject, loadTables, printerFor, tableOf, withVersion } from "./transform.ts";

/** A consumer that has this much waiting for it, and does not empty it in `patience`, is cut off; it resumes by its resourceVersion. */
const backlogLimit = 8 * 1024 * 1024;
const patience = 10_000;
/** Whatever happens, no consumer holds more than this. */
const backlogMaximum = 128 * 1024 * 1024;

// Seconds. Source: apiserver pkg/endpoints/handlers/get.go (minRequestTimeout, doubled at random).
const leastTimeout = 1800;

/** Resolves when the watch has ended. Throws what the registry refuses before the first event. */
export async function serveWatch(
  serving: Serving,
  exchange: Exchange,
  resource: Resource,
  options: WatchOptions,
  form: Form,
): Promise<void> {
  const { response, request } = exchange;
  const encode = await encoder(serving, exchange, resource, form);
  const timeoutSeconds = options.timeoutSeconds || Math.ceil(leastTimeout * (1 + serving.random.next()));

  await new Promise<void>((resolve, reject) => {
    let stream: ChangeStream | undefined;
    let isOver = false;
    let cancelPatience: (() => void) | undefined;
    let isCorked = false;

    const begin = () => {
      if (response.headersSent) return;
      writeWarnings(exchange);
      response.writeHead(200, { "Content-Type": "application/json" });
    };
    const finish = () => {
      if (isOver) return;
      isOver = true;
      cancelPatience?.();
      forget();
      stream?.close();
      resolve();
    };
    const cutOff = () => {
      serving.log(`${request.method} ${exchange.path}: watch ended: its client does not keep up`);
      response.destroy();
      finish();
    };
    const write = (line: string) => {
      begin();
      // Events of one turn leave in one packet.
      if (!isCorked) {
        isCorked = true;
        response.cork();
        queueMicrotask(() => {
          isCorked = false;
          response.uncork();
        });
      }
      response.write(line);
      if (response.writableLength > backlogMaximum) cutOff();
      else if (response.writableLength > backlogLimit)
        cancelPatience ??= serving.clock.after(patience, cutOff, { background: true });
    };
    const end = () => {
      if (isOver) return;
      begin();
      response.end();
      finish();
    };
    const forget = serving.onClose(end);
    response.on("close", finish);
    response.on("drain", () => {
      cancelPatience?.();
      cancelPatience = undefined;
    });

    const listener: WatchListener = {
      next(change) {
        if (!isOver) write(encode(change));
      },
      end(error) {
        if (isOver) return;
        if (error) {
          const status = statusOf(error, serving, `${request.method} ${exchange.path}`);
          write(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
        }
        end();
      },
    };
    try {
      stream = serving.registry.watch(resource, { ...options, timeoutSeconds }, listener);
    } catch (error) {
      // Before `finish`, which settles a watch as ended well.
      reject(error);
      return finish();
    }
    if (isOver) return stream.close();
    begin();
    response.flushHeaders();
  });
}

type Encode = (change: Change) => string;

async function encoder(serving: Serving, exchange: Exchange, resource: Resource, form: Form): Promise<Encode> {
  if (form.as === undefined) return ({ type, object }) => `{"type":"${type}","object":${jsonOf(object)}}\n`;
  const tables = await loadTables();
  if (form.as !== "Table")
    return ({ type, object }) =>
      `${JSON.stringify({ type, object: withVersion(tables.partialMetadata(object), form) })}\n`;

  const include = includeObject(exchange);
  let isFirst = true;
  return ({ type, object }) => {
    const printer = printerFor(tables, serving, resource);
    const { resourceVersion } = object.metadata;
    const shown = type === "BOOKMARK" ? [] : [object];
    const table = tableOf(tables, form, printer, shown, include, serving.clock.now(), { resourceVersion });
    // A bookmark has nothing to print; it carries its metadata only.
    const rows =
      type === "BOOKMARK"
        ? [{ cells: printer.columns.map(() => null), object: withVersion(tables.partialMetadata(object), form) }]
        : table.rows;
    const columnDefinitions = isFirst ? table.columnDefinitions : undefined;
    isFirst = false;
    return `${JSON.stringify({ type, object: { ...table, columnDefinitions, rows } })}\n`;
  };
}

/** Texts of the objects that were sent last: many watchers of one kind get the same object at the same time. */
const recent = new Map<KubeObject, string>();
const recentLimit = 64;

function jsonOf(object: KubeObject): string {
  let text = recent.get(object);
  if (text === undefined) {
    text = JSON.stringify(object);
    recent.set(object, text);
    const [oldest] = recent.keys();
    if (recent.size > recentLimit && oldest) recent.delete(oldest);
  }
  return text;
}
