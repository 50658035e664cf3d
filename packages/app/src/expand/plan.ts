/** The whole expansion: every object, with what it is of and what it waits for. Pure. */
import type { KubeObject } from "@flotilla/objects";
import { isOpenSlo } from "@flotilla/telemetry/objectives";
import { inEnvironment } from "../environment.ts";
import type { App } from "../model/model.ts";
import { applyOrder } from "./apply-order.ts";
import { databasePart, postgres } from "./backing/postgres.ts";
import { type ExpandOptions, type Expansion, expansionOf, imageOf, type Part } from "./context.ts";
import { usedNames } from "./environment-variables.ts";
import { httpRoutes } from "./http-route.ts";
import { identityOf } from "./identity.ts";
import { job, runOf } from "./job.ts";
import { isObject, placed, readManifests } from "./manifests.ts";
import { migration } from "./migration.ts";
import { networkPolicyOfService } from "./network-policy.ts";
import { isObjective, objectivesOfService, withReceivers } from "./objectives.ts";
import { openSloIn } from "./open-slo.ts";
import { applyPatches, type Patched, patchesOf } from "./patches.ts";
import { podTemplate } from "./pod-template.ts";
import { rulesOf } from "./rules.ts";
import { autoscaler, disruptionBudget } from "./scaling.ts";
import { secretsOf } from "./secret.ts";
import { services } from "./service.ts";
import { workload } from "./workload.ts";

export interface Step {
  readonly object: KubeObject;
  /** Name of the service, database, job or migration that it is of; undefined for what is the app's. */
  readonly part: string | undefined;
  /** Names of Jobs that must be complete first. */
  readonly after: readonly string[];
  /** Only when every service of this release is ready. */
  readonly last?: boolean;
  /** The file that it was read from. */
  readonly file?: string;
}

export interface Plan {
  readonly expansion: Expansion;
  /** In the order in which they are applied. */
  readonly steps: readonly Step[];
  /** Of patches and manifests. */
  readonly mistakes: Patched["mistakes"];
  readonly patchedBy: Patched["by"];
}

const workloadKinds = new Set(["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"]);

const stepsOf = (part: string | undefined, objects: readonly KubeObject[], after: readonly string[] = []): Step[] =>
  objects.map((object) => ({ object, part, after: workloadKinds.has(object.kind) ? after : [] }));

function forService(expansion: Expansion, name: string): KubeObject[] {
  const service = expansion.app.services[name];
  if (!service) return [];
  const part: Part = { name, component: "service", version: imageOf(expansion, name, service).short };
  const template = podTemplate(expansion, part, service, service.kind ?? "Deployment");
  return [
    ...identityOf(expansion, part, service),
    ...template.reads,
    ...services(expansion, part, service),
    networkPolicyOfService(expansion, part, service),
    workload(expansion, part, service, template),
    ...autoscaler(expansion, part, service),
    ...disruptionBudget(expansion, part, service),
    ...httpRoutes(
      expansion,
      part,
      name,
      (service.routes ?? []).map((route) => ({ ...route, backends: [{ service: name }] })),
    ),
  ];
}

function forBacking(expansion: Expansion): { steps: Step[]; gates: Map<string, string> } {
  const steps: Step[] = [];
  const gates = new Map<string, string>();
  for (const [name, backing] of Object.entries(expansion.app.backing ?? {})) {
    steps.push(...stepsOf(databasePart(name, backing).name, postgres(expansion, name, backing)));
    const migrated = migration(expansion, name, backing);
    if (!migrated) continue;
    gates.set(name, migrated.job.metadata.name);
    steps.push(...stepsOf(`${name}-migrate`, [...migrated.objects, migrated.job]));
  }
  return { steps, gates };
}

/** Objectives where somebody evaluates them; rules of Prometheus in their place elsewhere. */
function judging(expansion: Expansion, steps: readonly Step[]): Step[] {
  const own = Object.entries(expansion.app.services).flatMap(([name, service]) =>
    stepsOf(name, objectivesOfService(expansion, name, service)),
  );
  const all = [...steps, ...own].map((step) =>
    isObjective(step.object) ? { ...step, object: withReceivers(expansion, step.object) } : step,
  );
  if (expansion.target === "local") return all;
  const objectives = all.flatMap(({ object }) => (isObjective(object) ? [object] : []));
  return [...all.filter(({ object }) => !isObjective(object)), ...stepsOf(undefined, rulesOf(expansion, objectives))];
}

/** `app` as authored: the environment is applied here. */
export function plan(app: App, options: ExpandOptions): Plan {
  const { environment } = expansionOf(app, app, options);
  const expansion = expansionOf(app, inEnvironment(app, environment), options);
  const { steps, gates } = forBacking(expansion);
  const migrations = (program: Parameters<typeof usedNames>[0]) =>
    usedNames(program).flatMap((name) => gates.get(name) ?? []);

  steps.push(...stepsOf(undefined, secretsOf(expansion)));
  const before: string[] = [];
  for (const [name, stated] of Object.entries(expansion.app.jobs ?? {})) {
    const expanded = job(expansion, name, stated);
    const after = migrations(stated);
    steps.push(...stepsOf(name, expanded.objects, after));
    if (!expanded.job) continue;
    const last = runOf(stated) === "afterRelease";
    if (!last) before.push(expanded.job.metadata.name);
    steps.push({ object: expanded.job, part: name, after, last });
  }
  for (const [name, service] of Object.entries(expansion.app.services))
    steps.push(...stepsOf(name, forService(expansion, name), [...migrations(service), ...before]));

  const whole: Part = { name: expansion.app.name, component: "service" };
  steps.push(...stepsOf(undefined, httpRoutes(expansion, whole, `${whole.name}-routes`, expansion.app.routes ?? [])));
  const { manifests, mistakes } = readManifests(expansion.files, expansion.app.objects ?? []);
  for (const { file, value } of manifests)
    if (isObject(value) && !isOpenSlo(value))
      steps.push({ object: placed(expansion, value), part: undefined, after: [], file });
  const promised = openSloIn(manifests);
  for (const { file, object } of promised.objectives)
    steps.push({ object: placed(expansion, object), part: undefined, after: [], file });
  const judged = judging(expansion, steps);

  const patched = applyPatches(applyOrder(judged), patchesOf(expansion.app));
  const inFiles = [...mistakes, ...promised.mistakes].map(({ file, ...mistake }) => ({
    path: `objects (${file})`,
    ...mistake,
  }));
  return { expansion, steps: patched.steps, mistakes: [...inFiles, ...patched.mistakes], patchedBy: patched.by };
}

/** The objects of the app in an environment, in the order in which they are applied. The same input gives the same objects. */
export const expand = (app: App, options: ExpandOptions): KubeObject[] =>
  plan(app, options).steps.map((step) => step.object);
