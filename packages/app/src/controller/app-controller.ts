/**
 * The controller of the kind App: applies what an App becomes, in order and no sooner than what it waits for, removes what it no
 * longer becomes, and says how far it is. It leaves running to the controllers of the native kinds.
 */
import {
  applyObject,
  type Controller,
  type Decision,
  type Failure,
  type Index,
  type Key,
  remove,
  status,
  type Together,
  together,
  type Write,
  watch,
  watchMapped,
} from "@flotilla/client";
import {
  type App,
  Apps,
  isDeleted,
  isTrue,
  type Job,
  type KubeObject,
  ownerReference,
  type Pod,
  Pods,
  type Resource,
  type Secret,
} from "@flotilla/objects";
import { fromAppObject } from "../app-object.ts";
import { check, nameOf } from "../check/check.ts";
import { formatMistake } from "../check/mistake.ts";
import { local } from "../environment.ts";
import { type Plan, plan, type Step } from "../expand/plan.ts";
import { missingKeys } from "../expand/secret.ts";
import { appStatus, invalidStatus } from "./app-status.ts";
import type { GenerateSecret } from "./generate-secret.ts";
import { isKept, isWorkload, producedKinds, resourceFor } from "./kinds.ts";
import { failsIn, type PartStatus, partStatus } from "./part-status.ts";
import { toApply } from "./to-apply.ts";

const manager = "flotilla-app";
const partOf = "app.kubernetes.io/part-of";
const byApp: Index = { name: "app", values: (object) => [object.metadata.labels?.[partOf] ?? ""] };

const appOf = (object: KubeObject): Key[] => {
  const name = object.metadata.labels?.[partOf];
  return name === undefined ? [] : [{ namespace: object.metadata.namespace, name }];
};
const managed = { labelSelector: "app.kubernetes.io/managed-by=flotilla", indexes: [byApp] };

/** What an App's spec becomes, or why it becomes nothing. */
type Expanded = { readonly plan: Plan; readonly environment: string } | { readonly mistakes: readonly string[] };

interface Observed {
  readonly app: App;
  readonly expanded: Expanded;
  /** All objects of the app, by kind and name. */
  readonly live: ReadonlyMap<string, KubeObject>;
  readonly pods: readonly Pod[];
}

const keyOf = (object: KubeObject) =>
  `${object.apiVersion} ${object.kind} ${object.metadata.namespace ?? ""}/${object.metadata.name}`;

/** Of each App, by its place: every change of a status brings a new object with the same spec. */
const expansions = new Map<string, { readonly text: string; readonly expanded: Expanded }>();

function expandedSpec(app: App): Expanded {
  const place = `${app.metadata.namespace}/${app.metadata.name}`;
  const text = JSON.stringify(app.spec);
  const known = expansions.get(place);
  if (known?.text === text) return known.expanded;
  const { app: model, files, versions, environment } = fromAppObject(app);
  const mistakes = check(model, { files, environment, sources: false });
  const expanded: Expanded =
    mistakes.length > 0
      ? { mistakes: mistakes.map((mistake) => formatMistake(nameOf(model), mistake)) }
      : {
          plan: plan(model, {
            files,
            versions,
            environment,
            target: environment === local ? "local" : "cluster",
            namespace: app.metadata.namespace,
          }),
          environment,
        };
  expansions.set(place, { text, expanded });
  return expanded;
}

export const appController: Controller<Observed> = {
  name: "app",
  watches: [
    watch(Apps as Resource),
    ...producedKinds.map((resource) => watchMapped(resource, appOf, managed)),
    watchMapped(Pods, appOf, managed),
  ],

  observe(key, cache) {
    const app = cache.get(Apps, key);
    if (!app || isDeleted(app)) {
      expansions.delete(`${key.namespace}/${key.name}`);
      return undefined;
    }
    const query = { namespace: key.namespace, index: { by: byApp, value: key.name } };
    const live = new Map<string, KubeObject>();
    for (const resource of producedKinds)
      for (const object of cache.list(resource, query)) live.set(keyOf(object), object);
    return { app, expanded: expandedSpec(app), live, pods: cache.list(Pods, query) };
  },

  decide(observed, { now, failures }) {
    const { app, expanded } = observed;
    if ("mistakes" in expanded) return { writes: [status(app, invalidStatus(app, expanded.mistakes, now), Apps)] };
    return new Round(observed, expanded, now, failures).decision();
  },
};

/** One look at one App. */
class Round {
  readonly #observed: Observed;
  readonly #steps: readonly Step[];
  readonly #local: boolean;
  readonly #now: Date;
  readonly #failures: readonly Failure[];
  readonly #unbuilt: ReadonlySet<string>;
  readonly #leftOut: ReadonlySet<string>;
  readonly #before: Readonly<Record<string, PartStatus>>;

  constructor(
    observed: Observed,
    expanded: { plan: Plan; environment: string },
    now: Date,
    failures: readonly Failure[],
  ) {
    this.#observed = observed;
    this.#steps = expanded.plan.steps;
    this.#local = expanded.environment === local;
    this.#now = now;
    this.#failures = failures;
    const { spec, status: known } = observed.app;
    this.#before = (known?.services ?? {}) as Record<string, PartStatus>;
    const { services, jobs } = expanded.plan.expansion.app;
    const built = Object.entries({ ...services, ...jobs }).filter(([, program]) => program.source !== undefined);
    this.#unbuilt = new Set(built.flatMap(([name]) => (spec.versions?.[name] ? [] : [name])));
    this.#leftOut = new Set([...this.#unbuilt].filter((name) => known?.builds?.[name]?.state === "left out"));
  }

  decision(): Decision {
    const { app } = this.#observed;
    const parts = this.#parts();
    const settled = Object.values(parts).every(({ state }) => ["ready", "left out", "done"].includes(state));
    const toApply = this.#steps.filter(
      (step) => this.#held(step) === undefined && (!step.last || settled || this.#live(step.object)),
    );
    const newStatus = status(app, appStatus(app, parts, this.#now), Apps);
    const writes = [...this.#inTurn(toApply), ...this.#surplus()];
    // What fails is told at once; else what was asked for is there before it is told.
    return {
      writes: this.#failures.length > 0 ? [newStatus, ...writes] : [...writes, newStatus],
      effects: this.#secretsToFill().map((secret) => ({ to: "generate-secret", do: secret })),
      lookAgainIn: failsIn(this.#observed.pods, this.#now),
    };
  }

  #live(object: KubeObject): KubeObject | undefined {
    return this.#observed.live.get(keyOf(object));
  }

  #secretsToFill(): GenerateSecret[] {
    return this.#steps.flatMap(({ object }) => {
      if (object.kind !== "Secret" || missingKeys(object as Secret).length === 0) return [];
      const live = this.#live(object) as Secret | undefined;
      const missing = missingKeys({ metadata: object.metadata, data: live?.data });
      return missing.length > 0 ? [{ namespace: object.metadata.namespace ?? "", name: object.metadata.name }] : [];
    });
  }

  /** Why a step must wait; undefined: it need not. */
  #held(step: Step): { state: PartStatus["state"]; message?: string } | undefined {
    const { object, part } = step;
    if (part !== undefined && this.#leftOut.has(part)) return { state: "left out" };
    // Everything but what runs the image may be there before it.
    const runs =
      isWorkload(object) || object.kind === "HorizontalPodAutoscaler" || object.kind === "PodDisruptionBudget";
    if (!runs) return undefined;
    if (part !== undefined && this.#unbuilt.has(part)) return { state: "building" };
    if (this.#secretsToFill().length > 0) return { state: "waiting", message: "waits for its secrets" };
    const waits = step.after.filter((name) => !this.#isComplete(name)).map((name) => this.#jobStep(name)?.part ?? name);
    return waits.length > 0 ? { state: "waiting", message: `waits for ${waits.join(", ")}` } : undefined;
  }

  #jobStep(job: string): Step | undefined {
    return this.#steps.find(({ object }) => object.kind === "Job" && object.metadata.name === job);
  }

  #isComplete(job: string): boolean {
    const step = this.#jobStep(job);
    const live = step && (this.#live(step.object) as Job | undefined);
    return isTrue(live?.status?.conditions, "Complete");
  }

  /** Applies in order, those of a kind at once; what failed at the last look comes last, so that it keeps nothing else from being applied. */
  #inTurn(steps: readonly Step[]): (Write | Together)[] {
    const failed = new Set(this.#failures.map(({ write }) => failedKey(write)));
    const kinds = new Map<string, Write[]>();
    const again: Write[] = [];
    for (const { object } of steps) {
      const write = this.#apply(object);
      if (!write) continue;
      if (failed.has(failedKey(write))) again.push(write);
      else kinds.set(object.kind, [...(kinds.get(object.kind) ?? []), write]);
    }
    return [...[...kinds.values()].map(together), ...again];
  }

  #apply(object: KubeObject): Write | undefined {
    const resource = resourceFor(object, this.#steps);
    if (!resource) return undefined;
    const applying = { resource, manager, yields: this.#local, now: this.#now };
    const config = toApply(this.#live(object), object, this.#owned(object, resource), applying);
    return config && applyObject(resource, config, manager);
  }

  #owned(object: KubeObject, resource: Resource): KubeObject {
    const { app } = this.#observed;
    if (isKept(object) || !resource.namespaced || object.metadata.namespace !== app.metadata.namespace) return object;
    return { ...object, metadata: { ...object.metadata, ownerReferences: [ownerReference(app, Apps)] } };
  }

  /** What the App owns and no longer becomes. */
  #surplus(): Write[] {
    const wanted = new Set(
      this.#steps
        .filter(({ part }) => part === undefined || !this.#leftOut.has(part))
        .map(({ object }) => keyOf(object)),
    );
    const { uid } = this.#observed.app.metadata;
    return [...this.#observed.live].flatMap(([key, object]) => {
      const owner = object.metadata.ownerReferences?.find((reference) => reference.controller);
      if (wanted.has(key) || owner?.uid !== uid || isKept(object) || isDeleted(object)) return [];
      return [remove(object, { propagationPolicy: "Background" })];
    });
  }

  /** Every part that has something to run, in the order of the model. */
  #parts(): Record<string, PartStatus> {
    const parts: Record<string, PartStatus> = {};
    for (const name of this.#leftOut) parts[name] = { state: "left out" };
    for (const step of this.#steps) {
      const { object, part } = step;
      if (part === undefined || !isWorkload(object)) continue;
      parts[part] = this.#part(step, part);
    }
    return parts;
  }

  #part(step: Step, part: string): PartStatus {
    const { object } = step;
    const version = object.metadata.labels?.["app.kubernetes.io/version"];
    const named = version === undefined ? {} : { version };
    const failure = this.#failures.find(({ write }) => failedKey(write) === `${object.kind} ${object.metadata.name}`);
    if (failure) return { ...named, state: "failing", message: failure.error.message };
    const live = this.#live(object);
    const now = partStatus(live, this.#podsOf(part), this.#now);
    const held = this.#held(step);
    // What runs already is worth more to know than that something newer waits.
    if (held) return { ...named, ...(live ? numbers(now) : {}), ...held };
    // Before the first look at what is asked for now, nothing can be said to be ready that is only being applied.
    const { metadata, status: known } = this.#observed.app;
    const looked = known?.observedGeneration === metadata.generation && this.#before[part]?.state !== "waiting";
    const early = now.state === "ready" && !looked && live?.kind !== "CronJob" && this.#apply(object) !== undefined;
    return { ...named, ...now, ...(early && { state: "starting" as const }) };
  }

  #podsOf(part: string): Pod[] {
    return this.#observed.pods.filter((pod) => pod.metadata.labels?.["app.kubernetes.io/name"] === part);
  }
}

const numbers = ({ ready, desired, updated }: PartStatus) => ({ ready, desired, updated });

const failedKey = (write: Write): string =>
  `${write.resource.kind} ${"object" in write ? write.object.metadata.name : write.name}`;

/** All controllers of this package. Their effect "generate-secret" goes to `generateSecret`. */
export const appControllers = (): Controller[] => [appController as Controller];
