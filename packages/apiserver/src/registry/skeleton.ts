/** An object of a kind with nothing in it but its structs, so that a kind's rules can be asked for the names of its fields. */
import { apiVersionOf, type KubeObject, type Resource, type TypeSchema, typeNamed, typeOf } from "@flotilla/objects";

const skeletonDepth = 2;

export function skeleton(resource: Resource): KubeObject {
  const type = typeOf(resource);
  const structs = type ? structsOf(type, skeletonDepth) : {};
  return { ...structs, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name: "" } };
}

function structsOf(type: TypeSchema, depth: number): Record<string, unknown> {
  const structs: Record<string, unknown> = {};
  for (const [name, { type: field }] of Object.entries(type.fields))
    if (typeof field === "object" && "ref" in field)
      structs[name] = depth > 1 ? structsOf(typeNamed(field.ref), depth - 1) : {};
  return structs;
}
