/** What tests of the registry are written with: a control plane on a simulated clock whose promises settle by themselves. */
import { type Simulation, simulation } from "@flotilla/ambient";
import { type KubeObject, kindOf, type Resource, StatusError } from "@flotilla/objects";
import { type ControlPlane, type ControlPlaneOptions, createControlPlane } from "../control-plane.ts";
import type { Registry, RequestContext } from "../registry.ts";
import { memoryPersistence } from "../store/memory-persistence.ts";

export interface World extends Simulation {
  readonly plane: ControlPlane;
  readonly registry: Registry;
  readonly warnings: string[];
  readonly context: RequestContext;
  /** Runs it to its end, commits included. */
  done<T>(promise: Promise<T>): Promise<T>;
  /** Creates an object of a kind of the table. */
  create<T extends KubeObject>(object: Sketch<T>, context?: Partial<RequestContext>): Promise<T>;
  patch<T extends KubeObject>(resource: Resource<T>, name: string, body: unknown, subresource?: string): Promise<T>;
  refusal(promise: Promise<unknown>): Promise<StatusError>;
}

/** As much of an object as a test wants to say. */
export type Sketch<T> = { apiVersion: string; kind: string } & (T extends KubeObject ? Record<string, unknown> : never);

type Given = Partial<Pick<ControlPlaneOptions, "persistence" | "tokens" | "certificateAuthority">> & { seed?: number };

export async function world(options: Given = {}): Promise<World> {
  const simulated = simulation(options.seed ?? 1);
  const { clock, random, settle } = simulated;
  const done = async <T>(promise: Promise<T>): Promise<T> => {
    // Looked at at once, so that a refusal is not taken for one that nobody handles.
    const outcome = promise.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    await settle();
    const settled = await outcome;
    if ("error" in settled) throw settled.error;
    return settled.value;
  };
  const persistence = options.persistence ?? memoryPersistence();
  const plane = await done(createControlPlaneSettled());
  const { registry } = plane;
  const warnings: string[] = [];
  const context: RequestContext = {
    user: { username: "jane", groups: ["dev"] },
    fieldManager: "test",
    dryRun: false,
    fieldValidation: "Strict",
    warn: (message) => void warnings.push(message),
  };

  return {
    ...simulated,
    plane,
    registry,
    warnings,
    context,
    done,
    create<T extends KubeObject>(sketch: Sketch<T>, more: Partial<RequestContext> = {}) {
      const object = { metadata: {}, ...sketch } as unknown as T;
      const [group = "", version = ""] = sketch.apiVersion.includes("/")
        ? sketch.apiVersion.split("/")
        : ["", sketch.apiVersion];
      const resource =
        kindOf(sketch.apiVersion, sketch.kind) ??
        registry
          .resources()
          .find((each) => each.group === group && each.version === version && each.kind === sketch.kind);
      if (!resource) throw new Error(`no kind ${sketch.kind}`);
      const namespace = resource.namespaced ? (object.metadata.namespace ?? "default") : undefined;
      return done(registry.create({ resource, namespace }, object, { ...context, ...more })) as Promise<T>;
    },
    async patch<T extends KubeObject>(resource: Resource<T>, name: string, body: unknown, subresource?: string) {
      const namespace = resource.namespaced ? "default" : undefined;
      const target = { resource, namespace, name, subresource };
      return (await done(registry.patch(target, { type: "merge", body }, context))).object as T;
    },
    async refusal(promise) {
      const outcome = await done(promise).then(
        (value) => new Error(`not refused: ${JSON.stringify(value)}`),
        (error: unknown) => error,
      );
      if (outcome instanceof StatusError) return outcome;
      throw outcome;
    },
  };

  /** Starting takes several turns of the simulated clock. */
  async function createControlPlaneSettled(): Promise<ControlPlane> {
    let started: ControlPlane | undefined;
    let failure: unknown;
    createControlPlane({ ...options, clock, random, persistence }).then(
      (plane) => {
        started = plane;
      },
      (error: unknown) => {
        failure = error;
      },
    );
    while (!started) {
      await settle();
      if (failure) throw failure;
    }
    return started;
  }
}

export const pod = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec: { containers: [{ name: "main", image: "example/main:1" }], ...spec },
});

export const service = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80, protocol: "TCP" }], ...spec },
});
