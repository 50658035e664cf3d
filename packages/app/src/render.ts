/** Objects as text: YAML documents for kubectl and for people, or one List as JSON. */
import type { KubeObject } from "@flotilla/objects";
import { annotation } from "./expand/context.ts";
import { yaml } from "./yaml.ts";

const first = ["apiVersion", "kind", "metadata"];
const last = ["status"];

/** apiVersion, kind and metadata first, as everybody is used to read them. */
function inReadingOrder(object: KubeObject): Record<string, unknown> {
  const { metadata, ...rest } = object;
  const { name, namespace, labels, annotations, ...others } = metadata;
  const named = {
    name,
    ...(namespace && { namespace }),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...others,
  };
  const all: Record<string, unknown> = { ...rest, metadata: named };
  const middle = Object.keys(all).filter((key) => !first.includes(key) && !last.includes(key));
  return Object.fromEntries(
    [...first, ...middle, ...last].flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]]])),
  );
}

/** What a reader should know of values that are not there. */
function noteOn(object: KubeObject): string | undefined {
  const keys = object.metadata.annotations?.[annotation.generate];
  if (object.kind !== "Secret" || keys === undefined) return undefined;
  return ` ${keys.split(",").join(", ")}: made once, with random values, by Flotilla; without it, add them as data.`;
}

export function renderYaml(objects: readonly KubeObject[]): string {
  const { Document } = yaml();
  return objects
    .map((object) => {
      const document = new Document(inReadingOrder(object), { aliasDuplicateObjects: false });
      const note = noteOn(object);
      if (note) document.commentBefore = note;
      return `---\n${document.toString({ lineWidth: 0 })}`;
    })
    .join("");
}

export const renderJson = (objects: readonly KubeObject[]): string =>
  `${JSON.stringify({ apiVersion: "v1", kind: "List", items: objects.map(inReadingOrder) }, null, 2)}\n`;
