/** A kind that a CustomResourceDefinition has brought: a Resource with its schema at hand. */
import {
  type CustomResourceDefinition,
  type FieldSchema,
  isTrue,
  type KubeObject,
  type Resource,
  type TypeSchema,
} from "@flotilla/objects";
import type { KindRules } from "../kind-rules.ts";
import { type StructuralSchema, setDefaults } from "./structural-schema.ts";
import { addTypes } from "./type-of-schema.ts";
import { schemaMistakes } from "./validate-schema.ts";

export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

export interface CustomResource extends Resource {
  readonly custom: {
    readonly schema: StructuralSchema;
    readonly rules: KindRules;
    readonly scale: ScalePaths | undefined;
    /** The apiVersion in which its objects are stored. */
    readonly storedAs: string;
    readonly typeName: string;
    readonly types: ReadonlyMap<string, TypeSchema>;
  };
}

export const isCustom = (resource: Resource): resource is CustomResource => "custom" in resource;

/** One for each served version; none before the definition is established. */
export function customResources(definition: CustomResourceDefinition): CustomResource[] {
  const { spec, status } = definition;
  if (!isTrue(status?.conditions as never, "Established")) return [];
  const { group, names, scope, versions } = spec;
  const stored = versions.find(({ storage }) => storage)?.name ?? versions[0]?.name;
  return versions
    .filter(({ served }) => served)
    .map((version) => {
      const schema = (version.schema?.openAPIV3Schema ?? {
        "x-kubernetes-preserve-unknown-fields": true,
      }) as StructuralSchema;
      const typeName = `custom:${group}/${version.name}.${names.kind}`;
      const types = new Map<string, TypeSchema>();
      addTypes(typeName, schema, (name, type) => types.set(name, type));
      const { scale } = version.subresources ?? {};
      return {
        group,
        version: version.name,
        kind: names.kind,
        plural: names.plural,
        singular: names.singular || names.kind.toLowerCase(),
        shortNames: names.shortNames ?? [],
        categories: names.categories ?? [],
        namespaced: scope === "Namespaced",
        subresources: [...(version.subresources?.status ? ["status"] : []), ...(scale ? ["scale"] : [])],
        schema: outline(schema),
        custom: {
          schema,
          rules: rulesBy(schema, version.selectableFields),
          scale: scale as ScalePaths | undefined,
          storedAs: `${group}/${stored}`,
          typeName,
          types,
        },
      };
    });
}

/** What discovery and the strict decoder of table kinds need to know: the fields at the top. */
function outline(schema: StructuralSchema): TypeSchema {
  const json: FieldSchema = { type: "json" };
  const fields = Object.fromEntries(Object.keys(schema.properties ?? {}).map((key) => [key, json]));
  return {
    fields: {
      ...fields,
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { type: { ref: "meta/v1.ObjectMeta" } },
    },
  };
}

function rulesBy(schema: StructuralSchema, selectable: readonly { jsonPath: string }[] = []): KindRules {
  const mistakes = (object: KubeObject) => schemaMistakes(schema, object);
  return {
    defaults: (object) => setDefaults(schema, object),
    validate: mistakes,
    validateStatus: mistakes,
    generation: "spec",
    fields: (object) =>
      Object.fromEntries(
        selectable.map(({ jsonPath }) => [jsonPath.slice(1), String(valueAt(object, jsonPath) ?? "")]),
      ),
  };
}

/** The value at a simple path such as ".spec.replicas". */
export function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const key of path.split(".").filter(Boolean)) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}

/** In place; the structs on the way are made where they are missing. */
export function setValueAt(object: object, path: string, value: unknown): void {
  const keys = path.split(".").filter(Boolean);
  let at = object as Record<string, unknown>;
  for (const key of keys.slice(0, -1)) {
    if (typeof at[key] !== "object" || at[key] === null) at[key] = {};
    at = at[key] as Record<string, unknown>;
  }
  at[keys.at(-1) as string] = value;
}
