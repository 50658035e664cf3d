/** Ids of traces and spans. The SDK's own generator goes through a buffer, which takes longer than all else that starts a span. */
import type { Random } from "@flotilla/ambient";
import type { IdGenerator } from "@opentelemetry/sdk-trace-base";

export function idsFrom(random: Random): IdGenerator {
  /** Eight hexadecimal digits. */
  const word = () => (2 ** 32 + Math.floor(random.next() * 2 ** 32)).toString(16).slice(1);
  // All zeros mean that there is none. Source: w3.org/TR/trace-context, "trace-id".
  const nonZero = (id: string) => (/[^0]/.test(id) ? id : `${id.slice(1)}1`);
  return {
    generateTraceId: () => nonZero(word() + word() + word() + word()),
    generateSpanId: () => nonZero(word() + word()),
  };
}
