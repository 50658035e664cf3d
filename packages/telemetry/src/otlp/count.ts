/** How many spans, data points or log records a request holds, without decoding it. */
import { MalformedError, type Signal } from "../sink.ts";
import { Reader, wire } from "./wire.ts";

/** Numbers of the fields that lead to a record; several where it may lie in one of several. */
type Path = readonly (readonly number[])[];

const paths: Readonly<Record<Signal, Path>> = {
  // resource_*, scope_*, records
  traces: [[1], [2], [2]],
  logs: [[1], [2], [2]],
  // and the metric's kind, its data points
  metrics: [[1], [2], [2], [5, 7, 9, 10, 11], [1]],
};

/** Malformed bytes are a `MalformedError`, as far as they are looked at. */
export function countRecords(signal: Signal, request: Uint8Array): number {
  const reader = new Reader(request);
  return count(reader, reader.length, paths[signal], 0);
}

function count(reader: Reader, end: number, path: Path, depth: number): number {
  let records = 0;
  while (reader.at < end) {
    const tag = reader.uint32();
    const type = tag & 7;
    if (type !== wire.bytes || !path[depth]?.includes(tag >>> 3)) {
      reader.skip(type, end);
    } else {
      const last = reader.endOfBytes(end);
      if (depth + 1 < path.length) records += count(reader, last, path, depth + 1);
      else records++;
      reader.at = last;
    }
  }
  if (reader.at !== end) throw new MalformedError("a value reaches beyond its message");
  return records;
}
