/** `patches`: strategic merge patches of produced objects. */
import { type KubeObject, kindOf, typeTable } from "@flotilla/objects";
import { strategicMergePatch } from "@flotilla/patch";
import type { App, ObjectPatch } from "../model/model.ts";
import type { Step } from "./plan.ts";

/** A patch, where it stands in the model ("services.web.patches[0]"), and whose objects it may change. */
export interface PlacedPatch {
  readonly path: string;
  readonly patch: ObjectPatch;
  /** Undefined: all. */
  readonly part: string | undefined;
}

export interface Patched {
  readonly steps: Step[];
  /** Patches that met no object, or that are none. */
  readonly mistakes: { readonly path: string; readonly message: string; readonly remedy: string }[];
  /** The last patch that changed each object. */
  readonly by: ReadonlyMap<KubeObject, string>;
}

/** Those of services and jobs, then the app's own, which so have the last word. */
export function patchesOf(app: App): PlacedPatch[] {
  const placed = (path: string, part: string | undefined, patches: readonly ObjectPatch[] = []) =>
    patches.map((patch, i) => ({ path: `${path}patches[${i}]`, patch, part }));
  return [
    ...Object.entries(app.services).flatMap(([name, service]) => placed(`services.${name}.`, name, service.patches)),
    ...Object.entries(app.jobs ?? {}).flatMap(([name, job]) => placed(`jobs.${name}.`, name, job.patches)),
    ...placed("", undefined, app.patches),
  ];
}

const nameIn = (patch: ObjectPatch): string | undefined =>
  typeof patch.metadata?.name === "string" ? patch.metadata.name : undefined;

const concerns = ({ patch, part }: PlacedPatch, step: Step): boolean =>
  (part === undefined || part === step.part) &&
  patch.kind === step.object.kind &&
  (patch.apiVersion === undefined || patch.apiVersion === step.object.apiVersion) &&
  (nameIn(patch) === undefined || nameIn(patch) === step.object.metadata.name);

/** What identifies an object stays as it is. */
function changed(object: KubeObject, patch: ObjectPatch): KubeObject {
  const schema = { table: typeTable(), type: kindOf(object.apiVersion, object.kind)?.type };
  const result = strategicMergePatch(object, patch, schema) as KubeObject;
  const { apiVersion, kind, metadata } = object;
  return {
    ...result,
    apiVersion,
    kind,
    metadata: { ...result.metadata, name: metadata.name, namespace: metadata.namespace },
  };
}

/** Each patch changes every object that it concerns. */
export function applyPatches(steps: readonly Step[], patches: readonly PlacedPatch[]): Patched {
  const mistakes: Patched["mistakes"] = [];
  const by = new Map<KubeObject, string>();
  let patched = [...steps];
  for (const placed of patches) {
    const { path, patch, part } = placed;
    let met = false;
    patched = patched.map((step) => {
      if (!concerns(placed, step)) return step;
      met = true;
      try {
        const object = changed(step.object, patch);
        by.set(object, path);
        return { ...step, object };
      } catch (error) {
        mistakes.push({ path, message: (error as Error).message, remedy: "write a strategic merge patch" });
        return step;
      }
    });
    if (met) continue;
    const wanted = nameIn(patch) ? `${patch.kind} ${nameIn(patch)}` : patch.kind;
    const there = steps.filter((step) => part === undefined || step.part === part);
    const known = [...new Set(there.map(({ object }) => `${object.kind} ${object.metadata.name}`))].sort();
    mistakes.push({ path, message: `there is no ${wanted} to patch`, remedy: `there are ${known.join(", ")}` });
  }
  return { steps: patched, mistakes, by };
}
