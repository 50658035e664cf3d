/**
 * A span for each query that the package pg sends, and for a wait for a connection. Only as part of something: a query that
 * nothing traced has asked for is housekeeping.
 *
 * Source: opentelemetry.io/docs/specs/semconv/db/database-spans and .../db/postgresql.
 */
import { type Attributes, type Context, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { guarded, listen } from "./guard.ts";
import { errorType, type Instruments } from "./instruments.ts";
import { describeStatement, type Statement } from "./sql.ts";

type Callback = (this: unknown, error: Error | undefined, ...rest: unknown[]) => unknown;

interface Client {
  readonly database?: string;
  readonly host?: string;
  readonly port?: number;
}

interface ClientClass {
  prototype: Client & { query(this: Client, ...args: unknown[]): unknown };
}

interface PoolPrototype {
  connect(this: unknown, callback?: Callback): unknown;
}

/** Waits for a connection that are shorter are not worth a line. Milliseconds. */
const noticeable = 1;
/** Statements are few, unless a program writes values into them. */
const remembered = 500;

export function tracePostgres(instruments: Instruments): (() => void)[] {
  const undo: (() => void)[] = [];
  const known = new WeakSet<object>();
  // Node.js tells of each module that is loaded, also of those that an `import` of a CommonJS module loads.
  const stop = listen("tracing:module.require:end", ({ id, result }: { id: string; result?: unknown }) => {
    if (id !== "pg" && !/[\\/]pg[\\/]lib[\\/]index\.js$/.test(id)) return;
    const { Client, Pool } = (result ?? {}) as { Client?: ClientClass; Pool?: { prototype: object } };
    if (!Client || !Pool || known.has(Client)) return;
    known.add(Client);
    undo.push(patchClient(Client, instruments), patchPool(Pool, instruments));
  });
  const restore = () => {
    for (const each of undo.splice(0)) each();
  };
  return [stop, restore];
}

function patchClient({ prototype }: ClientClass, instruments: Instruments): () => void {
  const { query } = prototype;
  const statements = new Map<string, Statement>();
  const describe = (sql: string) => {
    const found = statements.get(sql) ?? describeStatement(sql);
    if (statements.size >= remembered) statements.clear();
    statements.set(sql, found);
    return found;
  };
  prototype.query = function (this: Client, ...args: unknown[]): unknown {
    const traced = guarded(() => startQuery(this, args[0], instruments, describe));
    if (!traced) return query.apply(this, args);
    const { span, context } = traced;
    const at = args.findIndex((arg) => typeof arg === "function");
    if (at >= 0) {
      const callback = args[at] as Callback;
      args[at] = instruments.contexts.bind(context, function (this: unknown, error, ...rest) {
        guarded(() => endQuery(span, error));
        return callback.call(this, error, ...rest);
      } satisfies Callback);
    }
    try {
      const result = query.apply(this, args);
      if (at < 0 && isPromise(result))
        // Not beside it: a rejection that nobody handles must stay one.
        return result.then(
          (value) => {
            guarded(() => endQuery(span));
            return value;
          },
          (error: unknown) => {
            guarded(() => endQuery(span, error));
            throw error;
          },
        );
      return result;
    } catch (error) {
      guarded(() => endQuery(span, error));
      throw error;
    }
  };
  return () => {
    prototype.query = query;
  };
}

/** Cursors, streams of rows and whatever brings its own way of being sent is left alone. */
function startQuery(
  client: Client,
  query: unknown,
  { tracer, contexts }: Instruments,
  describe: (sql: string) => Statement,
): { span: Span; context: Context } | undefined {
  const context = contexts.active();
  if (!trace.getSpan(context)?.isRecording()) return undefined;
  const { text, submit, callback } = (typeof query === "string" ? { text: query } : (query ?? {})) as Record<
    string,
    unknown
  >;
  if (typeof text !== "string" || typeof submit === "function" || typeof callback === "function") return undefined;
  const { text: shown, summary, operation, collection } = describe(text);
  const attributes: Attributes = {
    "db.query.text": shown,
    "db.query.summary": summary || undefined,
    "db.operation.name": operation,
    "db.collection.name": collection,
    ...clientAttributes(client),
  };
  const name = summary || client.database || "postgresql";
  return { context, span: tracer.startSpan(name, { kind: SpanKind.CLIENT }, context).setAttributes(attributes) };
}

const clientAttributes = ({ database, host, port }: Client): Attributes => ({
  "db.system.name": "postgresql",
  "db.namespace": database,
  "server.address": host,
  "server.port": port,
});

function endQuery(span: Span, error?: unknown): void {
  if (error) {
    const { code } = error as { code?: unknown };
    // PostgreSQL's own codes have five characters; those of the system (ECONNRESET) are longer.
    if (typeof code === "string" && code.length === 5) span.setAttribute("db.response.status_code", code);
    span.setAttribute("error.type", errorType(error));
    span.recordException(error as Error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
  }
  span.end();
}

/** A connection comes when somebody else gives it back: in the context of that one, unless told. */
function patchPool(pool: { prototype: object }, { tracer, contexts, now }: Instruments): () => void {
  let prototype = pool.prototype;
  while (!Object.hasOwn(prototype, "connect")) prototype = Object.getPrototypeOf(prototype) as object;
  const patched = prototype as PoolPrototype;
  const { connect } = patched;
  patched.connect = function (this: unknown, callback?: Callback): unknown {
    const context = contexts.active();
    if (!trace.getSpan(context)?.isRecording()) return connect.call(this, callback);
    const began = now();
    const arrived = () => {
      if (now() - began <= noticeable) return;
      const { options = {} } = this as { options?: Client };
      const attributes = clientAttributes(options);
      tracer.startSpan("pool.connect", { kind: SpanKind.INTERNAL, attributes, startTime: began }, context).end();
    };
    if (callback)
      return connect.call(
        this,
        contexts.bind(context, function (this: unknown, ...args) {
          guarded(arrived);
          return callback.apply(this, args);
        } satisfies Callback),
      );
    const result = connect.call(this);
    if (!isPromise(result)) return result;
    return result.then((client) => {
      guarded(arrived);
      return client;
    });
  };
  return () => {
    patched.connect = connect;
  };
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof (value as { then?: unknown } | undefined)?.then === "function";
