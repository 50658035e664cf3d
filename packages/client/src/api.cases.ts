/** What holds for every `Api`: the one over HTTP, the one in the same process, the simulated one. Source: Kubernetes' API conventions. */
import {
  ConfigMaps,
  Deployments,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isInvalid,
  isNotFound,
  Namespaces,
  newObject,
  type Pod,
  Pods,
  ServiceAccounts,
} from "@flotilla/objects";
import { describe, expect } from "vitest";
import type { Api } from "./api.ts";
import {
  type ApiUnderTest,
  binding,
  checkWith,
  configMap,
  createConfigMaps as create,
  deployment,
  events,
  namespace,
  pod,
  refusal,
} from "./api-cases.fixture.ts";
import { watchCases } from "./api-watch.cases.ts";

export function apiCases(make: () => Promise<ApiUnderTest>): void {
  const check = checkWith(make);

  describe("create", () => {
    check("answers with what the server has filled in", async (api) => {
      const made = await api.write({ verb: "create", resource: ConfigMaps, object: configMap("a", { k: "v" }) });
      expect(made).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { k: "v" } });
      expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(made.metadata.resourceVersion).toMatch(/^[1-9]\d*$/);
      expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(await api.get(ConfigMaps, { namespace, name: "a" })).toEqual(made);
    });
    check("refuses a name that is taken", async (api) => {
      await create(api, "a");
      const error = await refusal(api.write({ verb: "create", resource: ConfigMaps, object: configMap("a") }));
      expect(isAlreadyExists(error)).toBe(true);
      expect(error.message).toBe('configmaps "a" already exists');
    });
    check("of two at once, one succeeds", async (api) => {
      const outcomes = await Promise.allSettled([create(api, "a"), create(api, "a")]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    });
    check("makes names from generateName", async (api) => {
      const object = { ...configMap(""), metadata: { generateName: "a-", namespace } as Pod["metadata"] };
      const made = await Promise.all([1, 2, 3].map(() => api.write({ verb: "create", resource: ConfigMaps, object })));
      for (const { metadata } of made) expect(metadata.name).toMatch(/^a-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      expect(new Set(made.map(({ metadata }) => metadata.name)).size).toBe(3);
    });
    check("refuses a bad name and says what is wrong with it", async (api) => {
      const error = await refusal(api.write({ verb: "create", resource: ConfigMaps, object: configMap("Not_Good") }));
      expect(isInvalid(error)).toBe(true);
      expect(error.message).toContain('ConfigMap "Not_Good" is invalid: metadata.name: Invalid value: "Not_Good": ');
      expect(error.status.details?.causes?.[0]).toMatchObject({ reason: "FieldValueInvalid", field: "metadata.name" });
    });
    check("needs a name", async (api) => {
      const error = await refusal(api.write({ verb: "create", resource: ConfigMaps, object: configMap("") }));
      expect(error.message).toContain("name or generateName is required");
    });
    check("needs the namespace", async (api) => {
      const object = { ...configMap("a"), metadata: { name: "a", namespace: "nowhere" } };
      const error = await refusal(api.write({ verb: "create", resource: ConfigMaps, object }));
      expect(isNotFound(error)).toBe(true);
      expect(error.message).toBe('namespaces "nowhere" not found');
    });
    check("refuses what is of another kind", async (api) => {
      const object = { ...configMap("a"), kind: "Secret" };
      expect((await refusal(api.write({ verb: "create", resource: ConfigMaps, object }))).code).toBe(400);
    });
    check("changes nothing in a dry run", async (api) => {
      const made = await api.write({ verb: "create", resource: ConfigMaps, object: configMap("a"), dryRun: true });
      expect(made.metadata.uid).toBeDefined();
      expect(isNotFound(await refusal(api.get(ConfigMaps, { namespace, name: "a" })))).toBe(true);
    });
    check("gives a new namespace its account and its certificate authority", async (api) => {
      await api.write({
        verb: "create",
        resource: Namespaces,
        object: newObject(Namespaces, { metadata: { name: "n" }, spec: {} }),
      });
      const account = events(api, ServiceAccounts, { namespace: "n", fieldSelector: "metadata.name=default" }, 1);
      expect(await account).toEqual(["ADDED default"]);
      const authority = events(api, ConfigMaps, { namespace: "n", fieldSelector: "metadata.name=kube-root-ca.crt" }, 1);
      expect(await authority).toEqual(["ADDED kube-root-ca.crt"]);
    });
  });

  describe("get and list", () => {
    check("says what was not found", async (api) => {
      const error = await refusal(api.get(Deployments, { namespace, name: "a" }));
      expect(error.status).toMatchObject({ code: 404, reason: "NotFound", message: 'deployments.apps "a" not found' });
    });
    check("lists in order of the names, one namespace or all", async (api) => {
      await create(api, "c", "a", "b");
      const list = await api.list(ConfigMaps, { namespace });
      expect(list).toMatchObject({ apiVersion: "v1", kind: "ConfigMapList" });
      expect(list.items.map(({ metadata }) => metadata.name)).toEqual(["a", "b", "c", "kube-root-ca.crt"]);
      expect((await api.list(ConfigMaps)).items.length).toBeGreaterThan(list.items.length);
    });
    check("selects by labels", async (api) => {
      const labels: Record<string, string>[] = [{ tier: "web", app: "a" }, { tier: "db", app: "a" }, { tier: "web" }];
      for (const [index, each] of labels.entries())
        await api.write({ verb: "create", resource: ConfigMaps, object: configMap(`m${index}`, {}, each) });
      const names = async (labelSelector: string) =>
        (await api.list(ConfigMaps, { namespace, labelSelector })).items.map(({ metadata }) => metadata.name);
      expect(await names("tier=web")).toEqual(["m0", "m2"]);
      expect(await names("tier in (web,db),app")).toEqual(["m0", "m1"]);
      expect(await names("tier,!app")).toEqual(["m2"]);
    });
    check("selects by fields", async (api) => {
      await create(api, "a", "b");
      const list = await api.list(ConfigMaps, { fieldSelector: "metadata.name=b,metadata.namespace=default" });
      expect(list.items.map(({ metadata }) => metadata.name)).toEqual(["b"]);
    });
    check("refuses selectors that it does not understand", async (api) => {
      expect((await refusal(api.list(ConfigMaps, { labelSelector: "a in (" }))).code).toBe(400);
      const error = await refusal(api.list(ConfigMaps, { fieldSelector: "data.k=v" }));
      expect(error.code).toBe(400);
      expect(error.message).toContain("field label not supported: data.k");
    });
    check("pages show one moment, whatever changes meanwhile", async (api) => {
      await create(api, "a", "b", "c", "d");
      const first = await api.list(ConfigMaps, { namespace, limit: 2 });
      expect(first.items.map(({ metadata }) => metadata.name)).toEqual(["a", "b"]);
      expect(first.metadata.remainingItemCount).toBe(3);
      await api.write({ verb: "delete", resource: ConfigMaps, namespace, name: "c" });
      await create(api, "bb");
      const rest = await api.list(ConfigMaps, { namespace, limit: 10, continue: first.metadata.continue });
      expect(rest.items.map(({ metadata }) => metadata.name)).toEqual(["c", "d", "kube-root-ca.crt"]);
      expect(rest.metadata.continue).toBeUndefined();
      expect(rest.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    });
    check("refuses a continue token that it did not make", async (api) => {
      expect((await refusal(api.list(ConfigMaps, { continue: "nonsense" }))).code).toBe(400);
    });
  });

  describe("update", () => {
    check("replaces the object and moves its version on", async (api) => {
      const [before] = await create(api, "a");
      const object = { ...configMap("a", { k: "w" }), metadata: before?.metadata ?? { name: "a" } };
      const after = await api.write({ verb: "update", resource: ConfigMaps, object });
      expect(after.data).toEqual({ k: "w" });
      expect(Number(after.metadata.resourceVersion)).toBeGreaterThan(Number(before?.metadata.resourceVersion));
      expect(after.metadata.uid).toBe(before?.metadata.uid);
    });
    check("refuses what was read before somebody else's write", async (api) => {
      const [stale] = await create(api, "a");
      await api.write({ verb: "update", resource: ConfigMaps, object: configMap("a", { k: "1" }) });
      const object = { ...configMap("a", { k: "2" }), metadata: stale?.metadata ?? { name: "a" } };
      const error = await refusal(api.write({ verb: "update", resource: ConfigMaps, object }));
      expect(isConflict(error)).toBe(true);
      expect(error.message).toBe(
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      );
    });
    check("refuses another object of the same name", async (api) => {
      await create(api, "a");
      const object = {
        ...configMap("a"),
        metadata: { name: "a", namespace, uid: "0b2f5b8e-0000-4000-8000-000000000000" },
      };
      expect(isConflict(await refusal(api.write({ verb: "update", resource: ConfigMaps, object })))).toBe(true);
    });
    check("does not create", async (api) => {
      const error = await refusal(api.write({ verb: "update", resource: ConfigMaps, object: configMap("a") }));
      expect(isNotFound(error)).toBe(true);
    });
    check("writes nothing when nothing changes", async (api) => {
      const [before] = await create(api, "a");
      const after = await api.write({ verb: "update", resource: ConfigMaps, object: before ?? configMap("a") });
      expect(after).toEqual(before);
    });
    check("of the spec leaves the status, of the status leaves the spec", async (api) => {
      const made = await api.write({ verb: "create", resource: Deployments, object: deployment("d") });
      const claimed = { ...made, spec: { ...made.spec, replicas: 3 }, status: { replicas: 7 } };
      const scaled = await api.write({ verb: "update", resource: Deployments, object: claimed });
      expect(scaled.spec.replicas).toBe(3);
      expect(scaled.status?.replicas).toBeUndefined();
      const observed = {
        ...scaled,
        spec: { ...scaled.spec, replicas: 9 },
        status: { replicas: 2, observedGeneration: 2 },
      };
      const reported = await api.write({
        verb: "update",
        resource: Deployments,
        object: observed,
        subresource: "status",
      });
      expect(reported.spec.replicas).toBe(3);
      expect(reported.status).toMatchObject({ replicas: 2 });
    });
    check("counts generations of the spec alone", async (api) => {
      const made = await api.write({ verb: "create", resource: Deployments, object: deployment("d") });
      expect(made.metadata.generation).toBe(1);
      const patch = (body: unknown, subresource?: string) =>
        api.write({
          verb: "patch",
          type: "merge",
          resource: Deployments,
          namespace,
          name: "d",
          patch: body,
          subresource,
        });
      expect((await patch({ metadata: { labels: { a: "b" } } })).metadata.generation).toBe(1);
      expect((await patch({ spec: { replicas: 2 } })).metadata.generation).toBe(2);
      expect((await patch({ status: { observedGeneration: 2 } }, "status")).metadata.generation).toBe(2);
    });
  });

  describe("patch", () => {
    const patch = (api: Api, type: "json" | "merge" | "strategic", name: string, body: unknown) =>
      api.write({ verb: "patch", type, resource: ConfigMaps, namespace, name, patch: body });

    check("merges, and removes what is null", async (api) => {
      await api.write({ verb: "create", resource: ConfigMaps, object: configMap("a", { k: "1", l: "2" }) });
      expect((await patch(api, "merge", "a", { data: { k: null, m: "3" } })).data).toEqual({ l: "2", m: "3" });
    });
    check("follows JSON patch operations", async (api) => {
      await api.write({ verb: "create", resource: ConfigMaps, object: configMap("a", { k: "1" }) });
      const operations = [
        { op: "test", path: "/data/k", value: "1" },
        { op: "add", path: "/data/l", value: "2" },
      ];
      expect((await patch(api, "json", "a", operations)).data).toEqual({ k: "1", l: "2" });
    });
    check("leaves all as it is when a test fails", async (api) => {
      const made = await api.write({ verb: "create", resource: ConfigMaps, object: configMap("a", { k: "1" }) });
      const operations = [
        { op: "replace", path: "/data/k", value: "2" },
        { op: "test", path: "/data/k", value: "1" },
      ];
      expect((await refusal(patch(api, "json", "a", operations))).code).toBe(422);
      expect(await api.get(ConfigMaps, { namespace, name: "a" })).toEqual(made);
    });
    check("merges lists by their keys in a strategic merge", async (api) => {
      await api.write({ verb: "create", resource: Deployments, object: deployment("d") });
      const body = { spec: { template: { spec: { containers: [{ name: "side", image: "example/side:1" }] } } } };
      const write = { verb: "patch", resource: Deployments, namespace, name: "d" } as const;
      const after = await api.write({ ...write, type: "strategic", patch: body });
      expect(after.spec.template.spec?.containers.map(({ name }) => name).sort()).toEqual(["main", "side"]);
    });
    check("lets all of many writers through", async (api) => {
      await create(api, "a");
      await Promise.all(["k", "l", "m", "n"].map((key) => patch(api, "merge", "a", { data: { [key]: "1" } })));
      const { data } = await api.get(ConfigMaps, { namespace, name: "a" });
      expect(Object.keys(data ?? {}).sort()).toEqual(["k", "l", "m", "n"]);
    });
    check("holds to a version that it names", async (api) => {
      const [before] = await create(api, "a");
      await patch(api, "merge", "a", { data: { k: "1" } });
      const stale = { metadata: { resourceVersion: before?.metadata.resourceVersion }, data: { k: "2" } };
      expect(isConflict(await refusal(patch(api, "merge", "a", stale)))).toBe(true);
    });
    check("refuses to patch what is not there", async (api) => {
      expect(isNotFound(await refusal(patch(api, "merge", "a", {})))).toBe(true);
    });
    check("sets replicas through scale", async (api) => {
      await api.write({ verb: "create", resource: Deployments, object: deployment("d") });
      const write = { verb: "patch", type: "merge", resource: Deployments, namespace, name: "d" } as const;
      const scale = await api.write({ ...write, patch: { spec: { replicas: 4 } }, subresource: "scale" });
      expect(scale).toMatchObject({ kind: "Scale", apiVersion: "autoscaling/v1", spec: { replicas: 4 } });
      expect((await api.get(Deployments, { namespace, name: "d" })).spec.replicas).toBe(4);
    });
  });

  describe("apply", () => {
    const apply = (api: Api, data: Record<string, string>, fieldManager: string, force = false) =>
      api.write({
        verb: "patch",
        type: "apply",
        resource: ConfigMaps,
        namespace,
        name: "a",
        patch: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace }, data },
        fieldManager,
        force,
      });

    check("creates", async (api) => {
      const made = await apply(api, { k: "1" }, "one");
      expect(made.data).toEqual({ k: "1" });
      expect(made.metadata.managedFields).toMatchObject([{ manager: "one", operation: "Apply" }]);
    });
    check("writes nothing when nothing changes", async (api) => {
      const made = await apply(api, { k: "1" }, "one");
      expect(await apply(api, { k: "1" }, "one")).toEqual(made);
    });
    check("removes what its manager no longer states, and only that", async (api) => {
      await apply(api, { k: "1", l: "2" }, "one");
      await apply(api, { m: "3" }, "two");
      expect((await apply(api, { k: "1" }, "one")).data).toEqual({ k: "1", m: "3" });
    });
    check("refuses to take what another manages, unless forced", async (api) => {
      await apply(api, { k: "1" }, "one");
      const error = await refusal(apply(api, { k: "2" }, "two"));
      expect(error.code).toBe(409);
      expect(error.message).toContain('conflict with "one"');
      expect((await apply(api, { k: "2" }, "two", true)).data).toEqual({ k: "2" });
    });
  });

  describe("delete", () => {
    const remove = (api: Api, name: string, options: object = {}) =>
      api.write({ verb: "delete", resource: ConfigMaps, namespace, name, ...options });

    check("removes, once", async (api) => {
      await create(api, "a");
      await remove(api, "a");
      expect(isNotFound(await refusal(api.get(ConfigMaps, { namespace, name: "a" })))).toBe(true);
      expect(isNotFound(await refusal(remove(api, "a")))).toBe(true);
    });
    check("holds to its preconditions", async (api) => {
      const [made] = await create(api, "a");
      expect(isConflict(await refusal(remove(api, "a", { preconditions: { uid: "other" } })))).toBe(true);
      expect(isConflict(await refusal(remove(api, "a", { preconditions: { resourceVersion: "1" } })))).toBe(true);
      await remove(api, "a", { preconditions: { uid: made?.metadata.uid } });
    });
    check("waits for finalizers", async (api) => {
      const object = { ...configMap("a"), metadata: { name: "a", namespace, finalizers: ["example.com/wait"] } };
      await api.write({ verb: "create", resource: ConfigMaps, object });
      const terminating = await remove(api, "a");
      expect(terminating.metadata.deletionTimestamp).toBeDefined();
      const patch = { metadata: { finalizers: null } };
      await api.write({ verb: "patch", type: "merge", resource: ConfigMaps, namespace, name: "a", patch });
      expect(isNotFound(await refusal(api.get(ConfigMaps, { namespace, name: "a" })))).toBe(true);
    });
    check("asks the garbage collector by finalizers", async (api) => {
      await create(api, "a", "b");
      expect((await remove(api, "a", { propagationPolicy: "Foreground" })).metadata.finalizers).toEqual([
        "foregroundDeletion",
      ]);
      expect((await remove(api, "b", { propagationPolicy: "Orphan" })).metadata.finalizers).toEqual(["orphan"]);
    });
    check("ends a pod that has no node at once, and gives others time", async (api) => {
      for (const name of ["free", "bound"]) await api.write({ verb: "create", resource: Pods, object: pod(name) });
      await api.write({ verb: "create", resource: Pods, object: binding("bound", "node-1"), subresource: "binding" });
      const end = (name: string, gracePeriodSeconds?: number) =>
        api.write({ verb: "delete", resource: Pods, namespace, name, gracePeriodSeconds });
      await end("free");
      expect(isNotFound(await refusal(api.get(Pods, { namespace, name: "free" })))).toBe(true);
      expect((await end("bound")).metadata.deletionGracePeriodSeconds).toBe(20);
      expect((await end("bound", 50)).metadata.deletionGracePeriodSeconds).toBe(20);
      expect((await end("bound", 5)).metadata.deletionGracePeriodSeconds).toBe(5);
      await end("bound", 0);
      expect(isNotFound(await refusal(api.get(Pods, { namespace, name: "bound" })))).toBe(true);
    });
    check("begins the end of a namespace, which then takes nothing new", async (api) => {
      const object = newObject(Namespaces, { metadata: { name: "n" }, spec: {} });
      await api.write({ verb: "create", resource: Namespaces, object });
      const keep = { ...configMap("keep"), metadata: { name: "keep", namespace: "n" } };
      await api.write({ verb: "create", resource: ConfigMaps, object: keep });
      const ending = await api.write({ verb: "delete", resource: Namespaces, name: "n" });
      expect(ending.status?.phase).toBe("Terminating");
      const late = { ...configMap("late"), metadata: { name: "late", namespace: "n" } };
      const error = await refusal(api.write({ verb: "create", resource: ConfigMaps, object: late }));
      expect(isForbidden(error)).toBe(true);
      expect(error.message).toBe(
        'configmaps "late" is forbidden: unable to create new content in namespace n because it is being terminated',
      );
    });
    check("spares the namespaces that must stay", async (api) => {
      const error = await refusal(api.write({ verb: "delete", resource: Namespaces, name: "kube-system" }));
      expect(error.message).toBe('namespaces "kube-system" is forbidden: this namespace may not be deleted');
    });
  });

  describe("binding", () => {
    check("gives a pod its node, once", async (api) => {
      await api.write({ verb: "create", resource: Pods, object: pod("p") });
      await api.write({ verb: "create", resource: Pods, object: binding("p", "node-1"), subresource: "binding" });
      const bound = await api.get(Pods, { namespace, name: "p" });
      expect(bound.spec.nodeName).toBe("node-1");
      expect(bound.status?.conditions).toMatchObject([{ type: "PodScheduled", status: "True" }]);
      const again = api.write({
        verb: "create",
        resource: Pods,
        object: binding("p", "node-2"),
        subresource: "binding",
      });
      expect(isConflict(await refusal(again))).toBe(true);
    });
  });

  describe("watch", () => watchCases(check));
}
