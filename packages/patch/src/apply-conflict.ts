/** The error of an apply that would change fields of others. */
import { applyConflict, StatusError } from "@flotilla/objects";
import { members, showPath } from "./field-set.ts";
import { byText } from "./json.ts";
import type { OwnerEntry } from "./managed-fields.ts";
import type { Owners } from "./ownership.ts";

export interface ApplyConflict {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource?: string;
  /** ".spec.replicas". */
  readonly field: string;
}

/** Answered as a 409 Conflict with one cause for each field. */
export class ApplyConflictError extends StatusError {
  readonly conflicts: readonly ApplyConflict[];

  constructor(conflicts: readonly ApplyConflict[]) {
    const causes = conflicts.map((conflict) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${show(conflict)}`,
      field: conflict.field,
    }));
    super(applyConflict(causes, messageOf(conflicts)).status);
    this.name = "ApplyConflictError";
    this.conflicts = conflicts;
  }
}

/** Sorted by manager, and by path as managedFields are. */
export function conflictsOf(owners: Owners, entries: ReadonlyMap<string, OwnerEntry>): ApplyConflict[] {
  const conflicts: ApplyConflict[] = [];
  for (const [id, set] of [...owners].sort(([left], [right]) => byText(left, right))) {
    const { manager = "", operation = "Update", apiVersion = "", subresource } = entries.get(id) ?? {};
    for (const path of members(set)) {
      conflicts.push({ manager, operation, apiVersion, ...(subresource && { subresource }), field: showPath(path) });
    }
  }
  return conflicts.sort((left, right) => byText(left.manager, right.manager));
}

function show({ manager, operation, apiVersion, subresource }: ApplyConflict): string {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : "");
  return operation === "Update" ? `${name} using ${apiVersion}` : name;
}

/** Source: apimachinery pkg/util/managedfields/internal (conflict.go). */
function messageOf(conflicts: readonly ApplyConflict[]): string {
  const [first] = conflicts;
  if (first && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${show(first)}: ${first.field}`;
  }
  const lines: string[] = [];
  for (const [manager, theirs] of Map.groupBy(conflicts, show)) {
    lines.push(`conflicts with ${manager}:`, ...theirs.map(({ field }) => `- ${field}`));
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}
