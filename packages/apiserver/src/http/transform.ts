/** Turns objects and lists into what the client asked to see of them: themselves, a Table, or metadata alone. */
import type { ObjectList } from "@flotilla/client";
import {
  badRequest,
  CustomResourceDefinitions,
  type KubeObject,
  parseApiVersion,
  type Resource,
  resourceName,
} from "@flotilla/objects";
import type { IncludeObject, Printer, Table } from "../tables/index.ts";
import type { Form } from "./accept.ts";
import type { Exchange, Serving } from "./serving.ts";

type Tables = typeof import("../tables/index.ts");

export const loadTables = (): Promise<Tables> => import("../tables/index.ts");

export function includeObject({ query }: Exchange): IncludeObject {
  const asked = query.get("includeObject") || "Metadata";
  if (asked === "None" || asked === "Metadata" || asked === "Object") return asked;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(asked)}`);
}

/** One object, in the asked form. */
export async function transformObject(
  serving: Serving,
  exchange: Exchange,
  form: Form,
  resource: Resource,
  object: KubeObject,
): Promise<unknown> {
  if (form.as === undefined) return object;
  const tables = await loadTables();
  if (form.as !== "Table") return withVersion(tables.partialMetadata(object), form);
  const printer = printerFor(tables, serving, resource, object);
  const { resourceVersion } = object.metadata;
  return tableOf(tables, form, printer, [object], includeObject(exchange), serving.clock.now(), { resourceVersion });
}

export async function transformList(
  serving: Serving,
  exchange: Exchange,
  form: Form,
  resource: Resource,
  list: ObjectList,
): Promise<unknown> {
  if (form.as === undefined) return list;
  const tables = await loadTables();
  if (form.as !== "Table")
    return {
      kind: "PartialObjectMetadataList",
      apiVersion: `meta.k8s.io/${form.version}`,
      metadata: list.metadata,
      items: list.items.map((item) => withVersion(tables.partialMetadata(item), form)),
    };
  const printer = printerFor(tables, serving, resource);
  return tableOf(tables, form, printer, list.items, includeObject(exchange), serving.clock.now(), list.metadata);
}

export const withVersion = (partial: object, form: Form): object => ({
  ...partial,
  apiVersion: `meta.k8s.io/${form.version}`,
});

export function tableOf(
  tables: Tables,
  form: Form,
  printer: Printer,
  objects: readonly KubeObject[],
  include: IncludeObject,
  now: number,
  metadata: object,
): Table {
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${form.version}`,
    metadata,
    columnDefinitions: tables.columnDefinitions(printer),
    rows: objects.map((object) => tables.row(printer, object, include, now)),
  };
}

// By the columns' list of the definition: a changed definition is another object.
const customPrinters = new WeakMap<object, Printer>();

/** The printer for what a resource answers with; a subresource such as scale answers with another kind. */
export function printerFor(tables: Tables, serving: Serving, resource: Resource, object?: KubeObject): Printer {
  if (object && object.kind !== resource.kind)
    return tables.printerOf({ ...parseApiVersion(object.apiVersion), kind: object.kind });
  if (resource.type !== undefined) return tables.printerOf(resource);
  const definition = serving.registry
    .list(CustomResourceDefinitions, { fieldSelector: `metadata.name=${resourceName(resource)}` })
    .items.at(0) as Definition | undefined;
  const version = definition?.spec.versions.find(({ name }) => name === resource.version);
  const columns = version?.additionalPrinterColumns;
  if (!columns) return tables.customPrinter(undefined);
  let printer = customPrinters.get(columns);
  if (!printer) {
    printer = tables.customPrinter(columns);
    customPrinters.set(columns, printer);
  }
  return printer;
}

type Definition = NonNullable<(typeof CustomResourceDefinitions)["~object"]>;
