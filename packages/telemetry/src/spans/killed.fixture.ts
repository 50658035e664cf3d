/** A process that keeps a span, says so once it must have reached the file, and then goes on for ever, to be killed. */
import { sleep, systemClock } from "@flotilla/ambient";
import { encodeTraces } from "../otlp/codec.ts";
import { Losses } from "../sink.ts";
import { SpanStore } from "./span-store.ts";

const [folder = "", traceId = ""] = process.argv.slice(2);
const store = SpanStore.open({ folder, clock: systemClock, losses: new Losses() });
const spans = [{ traceId, spanId: "00000000000000aa", name: "kept", startTimeUnixNano: `${systemClock.now()}000000` }];
store.add(encodeTraces({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
await sleep(systemClock, 400);
console.log("kept");
for (;;) {
  store.add(encodeTraces({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
  await sleep(systemClock, 1);
}
