/** What is left to apply of an object: most looks find nothing, and find so quickly. */
import { apiVersionOf, type KubeObject, type Resource, typeTable } from "@flotilla/objects";
import { apply } from "@flotilla/patch";
import { yielding } from "./yield.ts";

export interface Applying {
  readonly resource: Resource;
  readonly manager: string;
  /** Leave alone what others changed. */
  readonly yields: boolean;
  readonly now: Date;
}

/** Objects in a cache never change, and the expansion of a spec is kept: so an answer holds for as long as both are the same. */
const answers = new WeakMap<KubeObject, { object: KubeObject; config: KubeObject | undefined }>();

/**
 * The configuration to apply with force; undefined when that would change nothing. `object` is as the expansion has it,
 * `owned` the same with its owner.
 */
export function toApply(
  live: KubeObject | undefined,
  object: KubeObject,
  owned: KubeObject,
  applying: Applying,
): KubeObject | undefined {
  if (!live) return owned;
  const known = answers.get(live);
  if (known?.object === object) return known.config;
  const { resource, manager, yields, now } = applying;
  const config = yields ? yielding(live, owned, resource, manager, now) : owned;
  const answer = { object, config: changes(live, config, applying) ? config : undefined };
  answers.set(live, answer);
  return answer.config;
}

function changes(live: KubeObject, config: KubeObject, { resource, manager, now }: Applying): boolean {
  const schema = { table: typeTable(), type: resource.type };
  return apply(live, config, { manager, force: true, now, schema, apiVersion: apiVersionOf(resource) }).changed;
}
