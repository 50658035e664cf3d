/**
 * Gives lines that the program prints the ids of the trace and span that it works for. JSON objects get fields; other text gets
 * ` trace_id=... span_id=...` at the end of its first line, so that what follows (a stack, say) still belongs to it. Not on terminals.
 */
import { type SpanContext, TraceFlags, trace } from "@opentelemetry/api";
import type { Contexts } from "./context.ts";
import { guarded } from "./guard.ts";

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

function annotate(stream: NodeJS.WriteStream, contexts: Contexts): () => void {
  const { write } = stream;
  let active = true;
  const annotated = function (this: unknown, ...args: Parameters<typeof write>): boolean {
    const [chunk] = args as [unknown];
    if (active && typeof chunk === "string") {
      const context = trace.getSpanContext(contexts.active());
      // Of what is not sampled there is nothing to be found by its id.
      if (context && context.traceFlags & TraceFlags.SAMPLED) args[0] = guarded(() => withIds(chunk, context)) ?? chunk;
    }
    return write.apply(this, args);
  };
  stream.write = annotated as typeof write;
  return () => {
    active = false;
    if (stream.write === annotated) stream.write = write;
  };
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
