/** Runs the cases of structured-merge-diff: steps of several managers, then the object and who owns what. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkShape } from "./check-shape.ts";
import { compare } from "./compare.ts";
import { emptySet, type FieldSet, isEmpty, sortedSet, union } from "./field-set.ts";
import { applyAs, type Owners, OwnershipConflict, ownersAfterUpdate, without } from "./ownership.ts";
import type { ListShape, MapShape, ScalarKind, Shape } from "./shape.ts";

/** Source: sigs.k8s.io/structured-merge-diff/v6 schema (elements.go). */
interface Atom {
  scalar?: "numeric" | "string" | "boolean" | "untyped";
  list?: { elementType: Ref; elementRelationship?: "atomic" | "associative"; keys?: string[] };
  map?: {
    fields?: { name: string; type: Ref; default?: unknown }[];
    elementType?: Ref;
    elementRelationship?: "atomic" | "separable" | "associative";
  };
}
type Ref = Atom & { namedType?: string; elementRelationship?: "atomic" | "associative" };
interface SchemaFact {
  schema: { types: (Atom & { name: string })[] };
  typeRef: Ref;
}

interface Case {
  name: string;
  schema: number;
  steps: {
    verb: "apply" | "force" | "update";
    manager: string;
    apiVersion: string;
    object: unknown;
    conflicts?: { manager: string; fields: FieldSet }[];
  }[];
  object?: unknown;
  managed?: Record<string, { apiVersion: string; fields: FieldSet }>;
  ignored?: Record<string, FieldSet>;
  failed?: string;
}

const { schemas, cases } = JSON.parse(
  readFileSync(new URL("./testdata/apply-cases.json", import.meta.url), "utf8"),
) as {
  schemas: SchemaFact[];
  cases: Case[];
};

const scalars: Record<NonNullable<Atom["scalar"]>, ScalarKind> = {
  numeric: "numeric",
  string: "string",
  boolean: "boolean",
  untyped: "any",
};

function shapeOf({ schema, typeRef }: SchemaFact): Shape {
  const types = new Map(schema.types.map((type) => [type.name, type]));
  const known = new Map<Ref, Shape>();
  const resolve = (ref: Ref): Shape => {
    const shape = known.get(ref) ?? build(ref);
    known.set(ref, shape);
    return shape;
  };
  const build = (ref: Ref): Shape => {
    const atom: Atom | undefined = ref.namedType === undefined ? ref : types.get(ref.namedType);
    if (!atom) throw new Error(`no type ${ref.namedType}`);
    return {
      scalar: atom.scalar && scalars[atom.scalar],
      list: atom.list && listOf(atom.list, ref.elementRelationship),
      map: atom.map && mapOf(atom.map, ref.elementRelationship),
    };
  };
  const listOf = (list: NonNullable<Atom["list"]>, override?: string): ListShape => {
    const keys = [...(list.keys ?? [])].sort();
    const relation = (override ?? list.elementRelationship) !== "associative" ? "atomic" : keys.length ? "map" : "set";
    const keyDefault = (key: string) => {
      const { elementType: item } = list;
      const map = (item.namedType === undefined ? item : types.get(item.namedType))?.map;
      return map?.fields?.find((field) => field.name === key)?.default;
    };
    return { relation, keys, item: () => resolve(list.elementType), keyDefault };
  };
  const mapOf = (map: NonNullable<Atom["map"]>, override?: string): MapShape => {
    const { elementType } = map;
    return {
      atomic: (override ?? map.elementRelationship) === "atomic",
      field: (name) => {
        const field = map.fields?.find((one) => one.name === name);
        return field && resolve(field.type);
      },
      values: elementType && (() => resolve(elementType)),
      always: () => false,
    };
  };
  return resolve(typeRef);
}

interface State {
  live: unknown;
  owners: Owners;
}

function run(entry: Case): State {
  const shape = shapeOf(schemas[entry.schema] as SchemaFact);
  let state: State = { live: null, owners: new Map() };
  for (const step of entry.steps) {
    const ignored = entry.ignored?.[step.apiVersion] ?? emptySet;
    if (step.verb === "update") {
      const changes = without(compare(state.live, step.object, shape), ignored);
      state = { live: step.object, owners: ownersAfterUpdate(state.owners, step.manager, changes) };
      continue;
    }
    checkShape(step.object, shape);
    const force = step.verb === "force";
    try {
      const { value, owners } = applyAs(state.live, step.object, state.owners, step.manager, { shape, force, ignored });
      state = { live: value, owners };
      expect(step.conflicts).toBeUndefined();
    } catch (error) {
      if (!(error instanceof OwnershipConflict) || !step.conflicts) throw error;
      expect(conflictsByManager(step.conflicts)).toEqual(Object.fromEntries(error.conflicts));
    }
  }
  return state;
}

function conflictsByManager(conflicts: { manager: string; fields: FieldSet }[]): Record<string, FieldSet> {
  const sets: Record<string, FieldSet> = {};
  for (const { manager, fields } of conflicts) sets[manager] = union(sets[manager] ?? emptySet, fields);
  return sets;
}

test("all recorded cases are here", () => expect(cases.length).toBe(89));

describe("structured-merge-diff", () => {
  test.each(cases.map((entry): [string, Case] => [entry.name, entry]))("%s", (_, entry) => {
    if (entry.failed !== undefined) {
      expect(() => run(entry)).toThrow();
      return;
    }
    const { live, owners } = run(entry);
    if (entry.object !== undefined) expect(live).toEqual(entry.object);
    for (const set of owners.values()) expect(isEmpty(set)).toBe(false);
    if (entry.managed) {
      const expected = Object.entries(entry.managed).map(([manager, { fields }]) => [manager, sortedSet(fields)]);
      expect(Object.fromEntries(owners)).toEqual(Object.fromEntries(expected));
    }
  });
});
