/** What must hold for every value. */
import { typeTable } from "@flotilla/objects";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apply } from "./apply.ts";
import {
  difference,
  type FieldSet,
  fieldSet,
  intersection,
  members,
  recursiveDifference,
  showPath,
  sortedSet,
  union,
} from "./field-set.ts";
import { jsonPatch } from "./json-patch.ts";
import { unowned } from "./managed-fields.ts";
import { createMergePatch, mergePatch } from "./merge-patch.ts";
import { rootShape } from "./shape.ts";
import { createTwoWayStrategicMergePatch } from "./strategic-diff.ts";
import { strategicMergePatch } from "./strategic-merge-patch.ts";
import { toFieldSet } from "./to-field-set.ts";
import { updateManagedFields } from "./update-managed-fields.ts";

/** A change of the input would throw. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

const word = fc.constantFrom("a", "b", "c", "d", "constructor", "__proto__x");
const { json } = fc.letrec<{ json: unknown; leaf: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(word, tie("json"), { maxKeys: 4 }),
  ),
  leaf: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom("x", "y", ""), fc.boolean()),
}));
const anyObject = fc.dictionary(word, json, { maxKeys: 5 });

const table = typeTable();
const podSchema = { table, type: "core/v1.Pod" };
const text = fc.constantFrom("a", "b", "c");
const optional = { requiredKeys: [] as [] };
const labels = fc.dictionary(word, text, { maxKeys: 3 });
const port = fc.record({
  containerPort: fc.integer({ min: 80, max: 83 }),
  name: text,
  protocol: fc.constantFrom("TCP", "UDP"),
});
const named = <T>(item: fc.Arbitrary<T & { name: string }>) =>
  fc.uniqueArray(item, { selector: (one) => one.name, maxLength: 3 });
const container = fc.record(
  {
    name: text,
    image: text,
    args: fc.array(text, { maxLength: 3 }),
    env: named(fc.record({ name: text, value: text })),
    ports: fc.uniqueArray(port, { selector: (one) => one.containerPort, maxLength: 3 }),
    resources: fc.record({ limits: labels, requests: labels }, optional),
    tty: fc.boolean(),
  },
  { requiredKeys: ["name"] },
);
const pod = fc.record({
  apiVersion: fc.constant("v1"),
  kind: fc.constant("Pod"),
  metadata: fc.record(
    { name: fc.constant("p"), labels, annotations: labels, finalizers: fc.uniqueArray(text) },
    { requiredKeys: ["name"] },
  ),
  spec: fc.record({ containers: named(container), nodeSelector: labels, priority: fc.integer({ max: 3 }) }, optional),
});

describe("merge patch", () => {
  test("the patch of a difference gives the other", () => {
    fc.assert(
      fc.property(anyObject, anyObject, (from, to) => {
        expect(mergePatch(frozen(from), frozen(createMergePatch(from, frozen(to))))).toEqual(to);
      }),
    );
  });
});

describe("JSON patch", () => {
  test("add, test and remove of a member leave the object as it was", () => {
    fc.assert(
      fc.property(anyObject, json, (object, value) => {
        const added = jsonPatch(frozen(object), [
          { op: "add", path: "/new~1member", value: frozen(value) },
          { op: "test", path: "/new~1member", value },
        ]);
        expect(jsonPatch(frozen(added), [{ op: "remove", path: "/new~1member" }])).toEqual(object);
      }),
    );
  });
});

describe("strategic merge patch", () => {
  test("the two-way patch gives the other", () => {
    fc.assert(
      fc.property(pod, pod, (from, to) => {
        const patch = createTwoWayStrategicMergePatch(frozen(from), frozen(to), podSchema);
        expect(strategicMergePatch(from, frozen(patch), podSchema)).toEqual(to);
      }),
    );
  });

  test("without a schema it is a merge patch", () => {
    fc.assert(
      fc.property(anyObject, anyObject, (from, patch) => {
        const schema = { table, type: undefined };
        expect(strategicMergePatch(frozen(from), frozen(patch), schema)).toEqual(mergePatch(from, patch));
      }),
    );
  });
});

describe("server-side apply", () => {
  const now = new Date("2026-01-01T00:00:00Z");
  const later = new Date("2026-01-02T00:00:00Z");
  const options = { schema: podSchema, apiVersion: "v1", now, manager: "me", force: true };
  const fieldsOf = (object: object, manager: string): FieldSet | undefined => {
    const { managedFields = [] } = (
      object as { metadata: { managedFields?: { manager: string; fieldsV1: FieldSet }[] } }
    ).metadata;
    return managedFields.find((entry) => entry.manager === manager)?.fieldsV1;
  };

  test("twice is once", () => {
    fc.assert(
      fc.property(pod, pod, (live, config) => {
        const tracked = updateManagedFields<object>(undefined, frozen(live), { ...options, manager: "you" });
        const once = apply(frozen(tracked), frozen(config), options).object;
        const twice = apply(frozen(once), config, { ...options, now: later });
        expect(twice).toEqual({ object: once, changed: false });
      }),
    );
  });

  test("owns exactly the leaves of the configuration", () => {
    fc.assert(
      fc.property(pod, pod, (live, config) => {
        const { object } = apply<object>(live, config, options);
        const leaves = difference(toFieldSet(config, rootShape(podSchema)), unowned);
        expect(fieldsOf(object, "me") ?? {}).toEqual(sortedSet(leaves));
      }),
    );
  });

  test("the object holds what was applied", () => {
    fc.assert(
      fc.property(pod, pod, pod, (live, first, second) => {
        const once = apply<object>(live, first, options).object;
        const { object } = apply(once, second, { ...options, manager: "other" });
        const stated = [...members(toFieldSet(second, rootShape(podSchema)))];
        const isLeaf = (path: readonly string[]) => {
          const below = `${String(path)},`;
          return !stated.some((other) => String(other).startsWith(below)) && JSON.stringify(at(second, path)) !== "{}";
        };
        for (const path of stated.filter(isLeaf)) expect([path, at(object, path)]).toEqual([path, at(second, path)]);
      }),
    );
  });

  test("what only I stated goes when I state it no more", () => {
    fc.assert(
      fc.property(pod, pod, (first, second) => {
        const once = apply<object>(undefined, first, options).object;
        const twice = apply(once, second, options).object as { metadata: { managedFields?: unknown } };
        const { managedFields: _, ...metadata } = twice.metadata;
        expect(withoutEmpty({ ...twice, metadata })).toEqual(withoutEmpty(second));
      }),
    );
  });

  test("no field has an owner that is not there", () => {
    fc.assert(
      fc.property(fc.array(pod, { minLength: 1, maxLength: 5 }), (versions) => {
        let live: object | undefined;
        for (const [i, version] of versions.entries()) {
          const managed = { ...version, metadata: { ...version.metadata, uid: "u" } };
          live = updateManagedFields(live, frozen<object>(managed), { ...options, manager: `m${i}` });
        }
        const { metadata } = live as { metadata: { managedFields?: { fieldsV1: FieldSet }[] } };
        for (const { fieldsV1 } of metadata.managedFields ?? []) {
          for (const path of members(fieldsV1)) expect([showPath(path), at(live, path)]).not.toContain(undefined);
        }
      }),
    );
  });
});

/** What stands at a path, found without a schema; the protocol of a port is TCP if it says none. */
const at = (object: unknown, path: readonly string[]): unknown =>
  path.reduce((value: unknown, element) => {
    const content = element.slice(2);
    if (element.startsWith("f:")) return (value as Record<string, unknown>)[content];
    const wanted: unknown = JSON.parse(content);
    if (element.startsWith("v:")) return (value as unknown[]).find((item) => item === wanted);
    return (value as object[]).find((item) =>
      Object.entries(wanted as object).every(
        ([key, keyValue]) => (({ protocol: "TCP", ...item }) as Record<string, unknown>)[key] === keyValue,
      ),
    );
  }, object);

/** Empty maps and lists say nothing that an owner could hold. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, withoutEmpty(item)]);
  const isEmpty = (item: unknown) => typeof item === "object" && item !== null && Object.keys(item).length === 0;
  return Object.fromEntries(entries.filter(([, item]) => !isEmpty(item)));
}

describe("field sets", () => {
  const element = fc.constantFrom("f:a", "f:b", 'k:{"n":1}', 'v:"x"', "i:0");
  const paths = fc.array(fc.array(element, { minLength: 1, maxLength: 4 }), { maxLength: 8 });
  const listed = (set: FieldSet) => [...members(set)].map(String).sort();
  const unique = (all: string[]) => [...new Set(all)].sort();

  test("are the sets of their paths", () => {
    fc.assert(
      fc.property(paths, paths, (left, right) => {
        const [a, b] = [frozen(fieldSet(left)), frozen(fieldSet(right))];
        const [as, bs] = [left.map(String), right.map(String)];
        expect(listed(a)).toEqual(unique(as));
        expect(listed(union(a, b))).toEqual(unique([...as, ...bs]));
        expect(listed(difference(a, b))).toEqual(unique(as.filter((path) => !bs.includes(path))));
        expect(listed(intersection(a, b))).toEqual(unique(as.filter((path) => bs.includes(path))));
        const under = (path: string) => bs.some((top) => path === top || path.startsWith(`${top},`));
        expect(listed(recursiveDifference(a, b))).toEqual(unique(as.filter((path) => !under(path))));
        expect(sortedSet(union(a, b))).toEqual(sortedSet(union(b, a)));
      }),
    );
  });
});
