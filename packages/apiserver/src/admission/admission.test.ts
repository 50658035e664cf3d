import {
  type LimitRange,
  type Namespace,
  Namespaces,
  type Node,
  type PersistentVolumeClaim,
  type Pod,
  Pods,
  type ResourceQuota,
  ResourceQuotas,
  type Service,
  ServiceAccounts,
  Services,
} from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { pod, service, world } from "../registry/verbs.fixture.ts";
import { memoryPersistence } from "../store/memory-persistence.ts";

describe("service accounts", () => {
  test("pods get the default one and its token", async () => {
    const { create } = await world();
    const { spec } = await create<Pod>(pod("p"));
    expect(spec.serviceAccountName).toBe("default");
    const [volume] = spec.volumes ?? [];
    expect(volume?.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(volume?.projected?.sources).toHaveLength(3);
    expect(spec.containers[0]?.volumeMounts).toEqual([
      { name: volume?.name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
    ]);
  });
  test("no token where the pod says so", async () => {
    const { create } = await world();
    const { spec } = await create<Pod>(pod("p", { automountServiceAccountToken: false }));
    expect(spec.volumes).toBeUndefined();
  });
  test("no token where the account says so", async () => {
    const { create, patch } = await world();
    await patch(ServiceAccounts, "default", { automountServiceAccountToken: false });
    expect((await create<Pod>(pod("p"))).spec.volumes).toBeUndefined();
  });
  test("the account must exist", async () => {
    const { create, refusal } = await world();
    expect((await refusal(create(pod("p", { serviceAccountName: "robot" })))).message).toBe(
      'pods "p" is forbidden: error looking up service account default/robot: serviceaccount "robot" not found',
    );
  });
});

describe("pods and nodes", () => {
  test("pods tolerate a silent node for five minutes", async () => {
    const { create } = await world();
    const own = { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 9 };
    const { spec } = await create<Pod>(pod("p", { tolerations: [own] }));
    expect(spec.tolerations).toEqual([
      own,
      { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
    ]);
  });
  test("priority comes from the class", async () => {
    const { create, refusal } = await world();
    expect((await create<Pod>(pod("p"))).spec).toMatchObject({ priority: 0, preemptionPolicy: "PreemptLowerPriority" });
    const critical = await create<Pod>(pod("q", { priorityClassName: "system-node-critical" }));
    expect(critical.spec.priority).toBe(2_000_001_000);
    const error = await refusal(create(pod("r", { priorityClassName: "none" })));
    expect(error.message).toBe('pods "r" is forbidden: no PriorityClass with name none was found');
  });
  test("a new node is tainted until it is ready", async () => {
    const { create } = await world();
    const node = await create<Node>({ apiVersion: "v1", kind: "Node", metadata: { name: "n" } });
    expect(node.spec?.taints).toEqual([{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }]);
  });
});

describe("limit ranges", () => {
  const limits = (limit: object) => ({
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: { name: "limits" },
    spec: { limits: [{ type: "Container", ...limit }] },
  });
  test("fill in what containers leave out", async () => {
    const { create } = await world();
    await create<LimitRange>(limits({ default: { cpu: "1" }, defaultRequest: { cpu: "100m" } }));
    const { spec, metadata } = await create<Pod>(pod("p"));
    expect(spec.containers[0]?.resources).toEqual({ requests: { cpu: "100m" }, limits: { cpu: "1" } });
    expect(metadata.annotations?.["kubernetes.io/limit-ranger"]).toBe(
      "LimitRanger plugin set: cpu request for container main; cpu limit for container main",
    );
  });
  test("refuse what is out of bounds", async () => {
    const { create, refusal } = await world();
    await create<LimitRange>(limits({ min: { memory: "64Mi" }, max: { memory: "1Gi" } }));
    const asks = (requests: object, bound: object) =>
      pod("p", { containers: [{ name: "main", image: "i", resources: { requests, limits: bound } }] });
    expect((await refusal(create(asks({ memory: "32Mi" }, { memory: "512Mi" })))).message).toBe(
      'pods "p" is forbidden: minimum memory usage per Container is 64Mi, but request is 32Mi',
    );
    expect((await refusal(create(asks({ memory: "64Mi" }, { memory: "2Gi" })))).message).toBe(
      'pods "p" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
    );
    await create<Pod>(asks({ memory: "64Mi" }, { memory: "1Gi" }));
  });
});

describe("resource quotas", () => {
  const quota = (hard: object) => ({
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "q" },
    spec: { hard },
  });
  const asking = (name: string, cpu: string) =>
    pod(name, { containers: [{ name: "main", image: "i", resources: { requests: { cpu }, limits: { cpu } } }] });

  test("bound the number of objects, and free it again", async () => {
    const { create, refusal, registry, done, context } = await world();
    await create<ResourceQuota>(quota({ pods: "1" }));
    await create<Pod>(pod("a"));
    const error = await refusal(create(pod("b")));
    expect(error.message).toBe(
      'pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
    );
    await done(registry.delete({ resource: Pods, namespace: "default", name: "a" }, {}, context));
    await create<Pod>(pod("b"));
  });
  test("bound amounts, and ask for them to be stated", async () => {
    const { create, refusal } = await world();
    await create<ResourceQuota>(quota({ "requests.cpu": "1" }));
    expect((await refusal(create(pod("a")))).message).toBe(
      'pods "a" is forbidden: failed quota: q: must specify requests.cpu for: main',
    );
    await create<Pod>(asking("a", "600m"));
    expect((await refusal(create(asking("b", "500m")))).message).toBe(
      'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1',
    );
    await create<Pod>(asking("b", "400m"));
  });
  test("say what is used", async () => {
    const { create, registry } = await world();
    await create<Pod>(pod("before"));
    await create<ResourceQuota>(quota({ pods: "5", "count/configmaps": "9" }));
    await create<Pod>(pod("after"));
    const { status } = registry.get(ResourceQuotas, { namespace: "default", name: "q" }) as ResourceQuota;
    expect(status).toEqual({
      hard: { pods: "5", "count/configmaps": "9" },
      used: { pods: "2", "count/configmaps": "1" },
    });
  });
});

describe("storage", () => {
  test("a claim without a class gets the default one, and one without any stays so", async () => {
    const { create } = await world();
    const claim = (name: string, spec: object = {}) => ({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
    });
    expect((await create<PersistentVolumeClaim>(claim("a"))).spec.storageClassName).toBe("local");
    expect((await create<PersistentVolumeClaim>(claim("b", { storageClassName: "" }))).spec.storageClassName).toBe("");
  });
});

describe("service addresses", () => {
  test("are of the range, each once", async () => {
    const { create } = await world();
    const made = [];
    for (let index = 0; index < 20; index++) made.push(await create<Service>(service(`s${index}`)));
    const addresses = made.map(({ spec }) => spec.clusterIP);
    expect(new Set(addresses).size).toBe(20);
    for (const address of addresses) expect(address).toMatch(/^10\.96\.\d+\.\d+$/);
    expect(addresses).not.toContain("10.96.0.1");
    expect(made[0]?.spec.clusterIPs).toEqual([made[0]?.spec.clusterIP]);
  });
  test("may be asked for, if free and of the range", async () => {
    const { create, refusal } = await world();
    expect((await create<Service>(service("a", { clusterIP: "10.96.7.7" }))).spec.clusterIP).toBe("10.96.7.7");
    expect((await refusal(create(service("b", { clusterIP: "10.96.7.7" })))).message).toContain(
      'spec.clusterIPs: Invalid value: ["10.96.7.7"]: failed to allocate IP 10.96.7.7: provided IP is already allocated',
    );
    expect((await refusal(create(service("c", { clusterIP: "192.168.0.1" })))).code).toBe(422);
  });
  test("are none for headless and external ones", async () => {
    const { create } = await world();
    expect((await create<Service>(service("a", { clusterIP: "None" }))).spec.clusterIP).toBe("None");
    const external = await create<Service>({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "b" },
      spec: { type: "ExternalName", externalName: "bank.example" },
    });
    expect(external.spec.clusterIP).toBeUndefined();
  });
  test("stay on updates that leave them out, and with them the node ports", async () => {
    const { create, registry, done, context } = await world();
    const made = await create<Service>(service("a", { type: "NodePort" }));
    expect(made.spec.ports?.[0]?.nodePort).toBeGreaterThanOrEqual(30000);
    const target = { resource: Services, namespace: "default", name: "a" };
    const update = { ...service("a", { type: "NodePort" }), metadata: { name: "a", labels: { x: "y" } } } as never;
    const { object } = await done(registry.update(target, update, context));
    expect((object as Service).spec.clusterIP).toBe(made.spec.clusterIP);
    expect((object as Service).spec.ports).toEqual(made.spec.ports);
  });
  test("node ports go when the type no longer has them", async () => {
    const { create, patch } = await world();
    await create<Service>(service("a", { type: "NodePort" }));
    const { spec } = await patch<Service>(Services, "a", { spec: { type: "ClusterIP" } });
    expect(spec.ports?.[0]?.nodePort).toBeUndefined();
  });
  test("a node port may be asked for once", async () => {
    const { create, refusal } = await world();
    const wants = { type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] };
    await create<Service>(service("a", wants));
    expect((await refusal(create(service("b", wants)))).message).toContain(
      "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated",
    );
  });
  test("are the same after a restart, and free after a deletion", async () => {
    const persistence = memoryPersistence();
    const first = await world({ persistence });
    const made = await first.create<Service>(service("a"));
    await first.plane.close();
    const { create, refusal, registry, done, context } = await world({ persistence, seed: 2 });
    const asks = service("b", { clusterIP: made.spec.clusterIP });
    expect((await refusal(create(asks))).code).toBe(422);
    await done(registry.delete({ resource: Services, namespace: "default", name: "a" }, {}, context));
    expect((await create<Service>(asks)).spec.clusterIP).toBe(made.spec.clusterIP);
  });
});

describe("namespaces", () => {
  test("end once their finalizer is gone", async () => {
    const { create, registry, done, context, refusal } = await world();
    const made = await create<Namespace>({ apiVersion: "v1", kind: "Namespace", metadata: { name: "n" } });
    const place = { resource: Namespaces, name: "n" };
    await done(registry.delete(place, {}, context));
    const ending = registry.get(Namespaces, { name: "n" }) as Namespace;
    expect(ending.status?.phase).toBe("Terminating");
    expect(ending.spec.finalizers).toEqual(["kubernetes"]);
    // The main resource cannot take the finalizer away.
    await done(registry.update(place, { ...made, metadata: { name: "n" }, spec: {} } as never, context));
    expect((registry.get(Namespaces, { name: "n" }) as Namespace).spec.finalizers).toEqual(["kubernetes"]);
    const finalized = { ...ending, metadata: { name: "n" }, spec: { finalizers: [] } } as never;
    await done(registry.update({ ...place, subresource: "finalize" }, finalized, context));
    const gone = refusal(Promise.resolve().then(() => registry.get(Namespaces, { name: "n" })));
    expect((await gone).code).toBe(404);
  });
});
