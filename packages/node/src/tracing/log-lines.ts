/**
 * Gives lines that the program prints the ids of the trace and span that it works for. JSON objects get fields; other text gets
 * ` trace_id=... span_id=...` at the end of its first line, so that what follows (a stack, say) still belongs to it. Not on terminals.
 */
import { isatty } from "node:tty";
import { type SpanContext, TraceFlags, trace } from "@opentelemetry/api";
import type { Contexts } from "./context.ts";
import { guarded, listen } from "./guard.ts";

/** Characters; longer text is data, not a line for people. */
const longest = 100_000;

/** The streams are looked at when the program first uses them: to make them takes time. */
export function annotateLines(contexts: Contexts): (() => void)[] {
  return (["stdout", "stderr"] as const).map((name) => {
    const described = Object.getOwnPropertyDescriptor(process, name);
    if (!described?.get || !described.configurable) return () => {};
    const { get } = described;
    let restore = () => {};
    const once = (): NodeJS.WriteStream => {
      const stream = get.call(process) as NodeJS.WriteStream;
      Object.defineProperty(process, name, described);
      if (!stream.isTTY) restore = annotate(stream, contexts);
      return stream;
    };
    Object.defineProperty(process, name, { ...described, get: once });
    return () => {
      if (Object.getOwnPropertyDescriptor(process, name)?.get === once) Object.defineProperty(process, name, described);
      restore();
    };
  });
}

type Write = (this: unknown, ...args: unknown[]) => unknown;

function annotate(stream: NodeJS.WriteStream, contexts: Contexts): () => void {
  const { write } = stream;
  let active = true;
  const annotated = annotating(write as Write, contexts, () => active);
  stream.write = annotated as typeof write;
  return () => {
    active = false;
    if (stream.write === annotated) stream.write = write;
  };
}

const annotating = (write: Write, contexts: Contexts, isActive: (self: unknown) => boolean): Write =>
  function (...args) {
    const [chunk] = args;
    if (typeof chunk === "string" && isActive(this)) {
      const context = trace.getSpanContext(contexts.active());
      // Of what is not sampled there is nothing to be found by its id.
      if (context && context.traceFlags & TraceFlags.SAMPLED) args[0] = guarded(() => withIds(chunk, context)) ?? chunk;
    }
    return write.apply(this, args);
  };

/** pino writes by the package sonic-boom, past the streams. Each of its instances gets a function of its own to write with. */
export function annotatePino(contexts: Contexts): (() => void)[] {
  let active = true;
  const isActive = (self: unknown) => {
    const { fd } = self as { fd?: unknown };
    return active && (fd === 1 || fd === 2) && !isatty(fd);
  };
  const stop = listen(
    "tracing:module.require:end",
    ({ id, result }: { id: string; result?: { prototype?: object } }) => {
      if (id !== "sonic-boom" || !result?.prototype || Object.hasOwn(result.prototype, "write")) return;
      Object.defineProperty(result.prototype, "write", {
        configurable: true,
        get: () => undefined,
        set(write: Write) {
          const value = typeof write === "function" ? annotating(write, contexts, isActive) : write;
          Object.defineProperty(this, "write", { value, configurable: true, enumerable: true, writable: true });
        },
      });
    },
  );
  const deactivate = () => {
    active = false;
  };
  return [stop, deactivate];
}

/** What is no whole line, or says its trace already, stays as it is. */
export function withIds(text: string, { traceId, spanId }: SpanContext): string {
  const end = text.indexOf("\n");
  if (end < 0 || text.length > longest || !text.endsWith("\n") || /trace_?id/i.test(text)) return text;
  if (end === text.length - 1 && isObject(text.slice(0, end))) {
    const close = text.lastIndexOf("}");
    const comma = /^\{\s*\}/.test(text) ? "" : ",";
    return `${text.slice(0, close)}${comma}"trace_id":"${traceId}","span_id":"${spanId}"}\n`;
  }
  const line = text.slice(0, end);
  return /\S/.test(line) ? `${line} trace_id=${traceId} span_id=${spanId}${text.slice(end)}` : text;
}

function isObject(line: string): boolean {
  if (!/^\{\s*["}]/.test(line)) return false;
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
