/** Names, addresses, the node's own object and the mirrors of static pods. */
import { simulation } from "@flotilla/ambient";
import { EndpointSlices, type Lease, type Node, newObject, type Pod, Services } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { addresses } from "./addresses.ts";
import { describeNode } from "./describe-node.ts";
import { hostLines, hostNames } from "./hosts-controller.ts";
import { decideMirror } from "./mirror-controller.ts";
import { decideNode } from "./node-controller.ts";
import { hostsFile } from "./pod-folders.ts";
import { podOf } from "./pods.fixtures.ts";

describe("addresses", () => {
  const { clock, advance } = simulation(1);
  test("the lowest that is free, after a rest", async () => {
    const range = addresses("127.96.1.0/29", clock);
    expect([range.take("a"), range.take("b")]).toEqual(["127.96.1.1", "127.96.1.2"]);
    range.release("a");
    expect(range.take("c")).toBe("127.96.1.3");
    await advance(60_000);
    expect(range.take("d")).toBe("127.96.1.1");
  });
  test("the one it had before", () =>
    expect(addresses("127.96.1.0/24", clock).take("a", "127.96.1.9")).toBe("127.96.1.9"));
  test("not one of another range", () =>
    expect(addresses("127.96.1.0/24", clock).take("a", "10.0.0.9")).toBe("127.96.1.1"));
  test("the one that rested longest when there is no other; none when all are taken", async () => {
    const range = addresses("127.96.1.0/30", clock);
    range.take("a");
    range.take("b");
    range.release("b");
    await advance(10);
    expect(range.take("c")).toBe("127.96.1.2");
    expect(() => range.take("d")).toThrow("all addresses of 127.96.1.0/30 are taken");
  });
});

test("a hosts file names Services by all their forms, those elsewhere by the long ones, pods behind headless ones", () => {
  const service = (namespace: string, name: string, clusterIP: string) =>
    newObject(Services, { metadata: { namespace, name }, spec: { clusterIP, ports: [{ port: 80 }] } });
  const slice = newObject(EndpointSlices, {
    metadata: { namespace: "shop", name: "db-1", labels: { "kubernetes.io/service-name": "db" } },
    addressType: "IPv4",
    endpoints: [
      { addresses: ["127.96.1.4"], conditions: { ready: true }, hostname: "db-0" },
      { addresses: ["127.96.1.5"], conditions: { ready: false }, hostname: "db-1" },
    ],
    ports: [],
  });
  const names = hostNames(
    [service("shop", "web", "127.112.0.1"), service("other", "web", "127.112.0.2"), service("shop", "db", "None")],
    [slice],
  );
  expect(hostLines(names, "shop").split("\n")).toEqual([
    "127.112.0.2\tweb.other\tweb.other.svc\tweb.other.svc.cluster.local",
    "127.96.1.4\tdb\tdb.shop\tdb.shop.svc\tdb.shop.svc.cluster.local",
    "127.96.1.4\tdb-0.db\tdb-0.db.shop\tdb-0.db.shop.svc\tdb-0.db.shop.svc.cluster.local",
    "127.112.0.1\tweb\tweb.shop\tweb.shop.svc\tweb.shop.svc.cluster.local",
    "",
  ]);
  expect(
    hostsFile(podOf({ subdomain: "db", hostAliases: [{ ip: "10.0.0.1", hostnames: ["x"] }] }), "127.96.1.4", "S\n"),
  ).toBe(
    "# Written by Flotilla's node agent.\n127.96.1.4\tlocalhost\n127.96.1.4\ta.db.default.svc.cluster.local\ta\n10.0.0.1\tx\nS\n",
  );
});

describe("the node's object", () => {
  const description = describeNode({
    name: "local",
    podCIDR: "127.96.1.0/24",
    hostIP: "127.0.0.1",
    version: "v1.34.0",
  });
  const at = new Date(Date.UTC(2026, 0, 1));
  const written = (node?: Node, lease?: Lease, when = at) =>
    decideNode(description, node, lease, when).writes.map((write) => `${write.verb} ${write.resource.kind}`);
  const node: Node = { apiVersion: "v1", kind: "Node", metadata: { name: "local", uid: "n" }, spec: {} };
  const reported = (): Node => {
    const write = decideNode(description, node, undefined, at).writes[0];
    return write && "object" in write ? (write.object as Node) : node;
  };
  test("is made", () => expect(written()).toEqual(["create Node"]));
  test("is reported, with a Lease", () => expect(written(node)).toEqual(["update Node", "create Lease"]));
  test("is not reported again without news", () => expect(written(reported())).toEqual(["create Lease"]));
  test("is reported every five minutes", () =>
    expect(written(reported(), undefined, new Date(at.getTime() + 300_000))).toEqual(["update Node", "create Lease"]));
  test("loses the taint of a node that is not ready", () => {
    const taints = [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" as const }];
    expect(written({ ...reported(), spec: { taints } })).toEqual(["patch Node", "create Lease"]);
  });
});

describe("a mirror of a static pod", () => {
  const facts = { nodeName: "local", hostIP: "127.0.0.1", image: "flotilla:1" };
  const state = { name: "api", command: ["node"], restartCount: 1, run: { id: "x", startedAt: 0 } };
  const decide = (pod?: Pod) =>
    decideMirror(facts, "api-local", state, pod, new Date(0)).writes?.map((write) =>
      write && "verb" in write ? write.verb : "",
    );
  const made = (): Pod => {
    const write = decideMirror(facts, "api-local", state, undefined, new Date(0)).writes?.[0];
    if (!write || !("object" in write)) throw new Error("nothing is made");
    return write.object as Pod;
  };
  test("is made", () => expect(made().metadata).toMatchObject({ name: "api-local", namespace: "kube-system" }));
  test("has a status", () => expect(decide(made())).toEqual(["update"]));
  test("is let go of when somebody deletes it", () =>
    expect(decide({ ...made(), metadata: { ...made().metadata, deletionTimestamp: "x" } })).toEqual(["delete"]));
  test("is replaced when its command is another", () =>
    expect(decide({ ...made(), metadata: { ...made().metadata, annotations: {} } })).toEqual(["delete"]));
});
