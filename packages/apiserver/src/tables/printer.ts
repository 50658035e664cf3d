/** What a printer is: the columns of one kind, each with the cell that it makes of an object. Building blocks only. */
import type { KubeObject } from "@flotilla/objects";

export type Cell = string | number | boolean | null | undefined;

export interface Column<T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  readonly format?: string;
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority: number;
  readonly description?: string;
  // A method, so that a Column<Pod> is a Column.
  cell(object: T, now: number): Cell;
}

export interface RowCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface Printer<T extends KubeObject = KubeObject> {
  readonly columns: readonly Column<T>[];
  conditions?(object: T): RowCondition[] | undefined;
}

type MakeCell<T> = (object: T, now: number) => Cell;

export const text = <T extends KubeObject>(name: string, cell: MakeCell<T>): Column<T> => ({
  name,
  type: "string",
  priority: 0,
  cell,
});

export const integer = <T extends KubeObject>(name: string, cell: MakeCell<T>): Column<T> => ({
  name,
  type: "integer",
  priority: 0,
  cell,
});

export const yesNo = <T extends KubeObject>(name: string, cell: MakeCell<T>): Column<T> => ({
  name,
  type: "boolean",
  priority: 0,
  cell,
});

/** Shown with `-o wide` only. */
export const wide = <T extends KubeObject>(name: string, cell: MakeCell<T>): Column<T> => ({
  ...text(name, cell),
  priority: 1,
});

export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  priority: 0,
  cell: (object) => object.metadata.name,
};

export const ageColumn: Column = text("Age", (object, now) => since(object.metadata.creationTimestamp, now));

/** A printer that starts with Name. */
export const printer = <T extends KubeObject>(...columns: NoInfer<Column<T>>[]): Printer<T> => ({
  columns: [nameColumn, ...columns],
});

/** The time that has passed since `timestamp`, as people say it. */
export const since = (timestamp: string | undefined | null, now: number): string =>
  timestamp ? humanDuration(now - Date.parse(timestamp)) : "<unknown>";

/**
 * Two or three significant figures of a duration in milliseconds.
 *
 * Source: kubernetes apimachinery pkg/util/duration.
 */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (Number.isNaN(seconds) || seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 24 * 8) return two(days, "d", hours % 24, "h");
  if (days < 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  return days < 365 * 8 ? two(years, "y", days % 365, "d") : `${years}y`;
}

const two = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
