import { type KubeObject, kindOf, type Resource } from "@flotilla/objects";
import { describe, expect, test } from "vitest";
import { type Cell, customPrinter, printerOf, row } from "./index.ts";
import { jsonPath } from "./json-path.ts";
import { humanDuration } from "./printer.ts";

const now = Date.parse("2026-01-01T01:00:00Z");
const metadata = { name: "x", creationTimestamp: "2026-01-01T00:59:50Z" };

/** One row as text, `|` between cells, wide ones after `||`. */
function printed(apiVersion: string, kind: string, rest: object): string {
  const resource = kindOf(apiVersion, kind) as Resource;
  const printer = printerOf(resource);
  const object = { apiVersion, kind, metadata, ...rest } as KubeObject;
  const { cells } = row(printer, object, "None", now);
  const text = (priority: number) =>
    cells.filter((_, index) => printer.columns[index]?.priority === priority).join("|");
  return printer.columns.some((column) => column.priority === 1) ? `${text(0)}||${text(1)}` : text(0);
}

const template = {
  metadata: {},
  spec: {
    containers: [
      { name: "a", image: "i" },
      { name: "b", image: "j" },
    ],
  },
};
const selector = { matchLabels: { app: "x" } };

const cases: [apiVersion: string, kind: string, rest: object, expected: string][] = [
  [
    "apps/v1",
    "Deployment",
    {
      spec: { replicas: 3, selector, template },
      status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 },
    },
    "x|2/3|3|1|10s||a,b|i,j|app=x",
  ],
  [
    "apps/v1",
    "ReplicaSet",
    { spec: { replicas: 2, selector, template }, status: { replicas: 2 } },
    "x|2|2|0|10s||a,b|i,j|app=x",
  ],
  [
    "apps/v1",
    "StatefulSet",
    { spec: { replicas: 2, selector, template }, status: { readyReplicas: 1 } },
    "x|1/2|10s||a,b|i,j",
  ],
  [
    "apps/v1",
    "DaemonSet",
    { spec: { selector, template }, status: { desiredNumberScheduled: 1, currentNumberScheduled: 1, numberReady: 1 } },
    "x|1|1|1|0|0|<none>|10s||a,b|i,j|app=x",
  ],
  [
    "apps/v1",
    "ControllerRevision",
    {
      revision: 4,
      metadata: {
        ...metadata,
        ownerReferences: [{ apiVersion: "apps/v1", kind: "StatefulSet", name: "s", uid: "u", controller: true }],
      },
    },
    "x|statefulset.apps/s|4|10s",
  ],
  [
    "batch/v1",
    "Job",
    { spec: { completions: 2, template }, status: { succeeded: 1, startTime: "2026-01-01T00:58:00Z" } },
    "x|Running|1/2|2m|10s||a,b|i,j|<none>",
  ],
  [
    "batch/v1",
    "Job",
    {
      spec: { template },
      status: {
        succeeded: 1,
        startTime: "2026-01-01T00:00:00Z",
        completionTime: "2026-01-01T00:00:05Z",
        conditions: [{ type: "Complete", status: "True" }],
      },
    },
    "x|Complete|1/1|5s|10s||a,b|i,j|<none>",
  ],
  [
    "batch/v1",
    "CronJob",
    { spec: { schedule: "* * * * *", suspend: false, jobTemplate: { spec: { template } } }, status: {} },
    "x|* * * * *|<none>|False|0|<none>|10s||a,b|i,j|<none>",
  ],
  [
    "v1",
    "Service",
    {
      spec: {
        type: "ClusterIP",
        clusterIPs: ["10.0.0.1"],
        ports: [
          { port: 80, protocol: "TCP" },
          { port: 53, nodePort: 30053, protocol: "UDP" },
        ],
        selector: { app: "x" },
      },
    },
    "x|ClusterIP|10.0.0.1|<none>|80/TCP,53:30053/UDP|10s||app=x",
  ],
  [
    "v1",
    "Service",
    { spec: { type: "LoadBalancer", clusterIPs: ["10.0.0.1"] } },
    "x|LoadBalancer|10.0.0.1|<pending>|<none>|10s||<none>",
  ],
  [
    "v1",
    "Service",
    { spec: { type: "ExternalName", externalName: "bank.example" } },
    "x|ExternalName|<none>|bank.example|<none>|10s||<none>",
  ],
  [
    "v1",
    "Endpoints",
    { subsets: [{ addresses: ["1", "2", "3", "4", "5"].map((n) => ({ ip: `10.0.0.${n}` })), ports: [{ port: 80 }] }] },
    "x|10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...|10s",
  ],
  [
    "discovery.k8s.io/v1",
    "EndpointSlice",
    { addressType: "IPv4", ports: [{ port: 80 }], endpoints: [{ addresses: ["10.0.0.1"] }] },
    "x|IPv4|80|10.0.0.1|10s",
  ],
  ["discovery.k8s.io/v1", "EndpointSlice", { addressType: "IPv4", endpoints: null }, "x|IPv4|<unset>|<unset>|10s"],
  ["v1", "ConfigMap", { data: { a: "1" }, binaryData: { b: "" } }, "x|2|10s"],
  ["v1", "Secret", { type: "Opaque", data: { a: "" } }, "x|Opaque|1|10s"],
  ["v1", "Namespace", { status: { phase: "Active" } }, "x|Active|10s"],
  [
    "v1",
    "Node",
    {
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: "Ready", status: "True" }],
        nodeInfo: { kubeletVersion: "v1" },
        addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      },
    },
    "x|Ready,SchedulingDisabled|<none>|10s|v1||127.0.0.1|<none>|<unknown>|<unknown>|<unknown>",
  ],
  [
    "v1",
    "Event",
    {
      type: "Warning",
      reason: "BackOff",
      message: " m ",
      count: 3,
      involvedObject: { kind: "Pod", name: "p" },
      source: { component: "kubelet", host: "n" },
      firstTimestamp: "2026-01-01T00:00:00Z",
      lastTimestamp: "2026-01-01T00:59:00Z",
    },
    "60s|Warning|BackOff|pod/p|m|||kubelet, n|60m|3|x",
  ],
  [
    "events.k8s.io/v1",
    "Event",
    {
      type: "Normal",
      reason: "R",
      note: "m",
      regarding: { kind: "Pod", name: "p" },
      eventTime: "2026-01-01T00:59:00Z",
      reportingController: "c",
    },
    "60s|Normal|R|pod/p|m|||c|60s|1|x",
  ],
  [
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    {
      spec: {
        scaleTargetRef: { kind: "Deployment", name: "d" },
        minReplicas: 1,
        maxReplicas: 4,
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
        ],
      },
      status: {
        currentReplicas: 2,
        currentMetrics: [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: 35 } } }],
      },
    },
    "x|Deployment/d|cpu: 35%/70%|1|4|2|10s",
  ],
  [
    "policy/v1",
    "PodDisruptionBudget",
    { spec: { maxUnavailable: "50%" }, status: { disruptionsAllowed: 1 } },
    "x|N/A|50%|1|10s",
  ],
  [
    "v1",
    "PersistentVolumeClaim",
    {
      spec: { volumeName: "v", storageClassName: "s" },
      status: { phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] },
    },
    "x|Bound|v|1Gi|RWO|s|<unset>|10s||<unset>",
  ],
  [
    "v1",
    "PersistentVolume",
    {
      spec: {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteMany", "ReadWriteOnce"],
        persistentVolumeReclaimPolicy: "Retain",
        claimRef: { namespace: "n", name: "c" },
        storageClassName: "s",
        volumeMode: "Filesystem",
      },
      status: { phase: "Bound" },
    },
    "x|1Gi|RWO,RWX|Retain|Bound|n/c|s|<unset>||10s||Filesystem",
  ],
  [
    "storage.k8s.io/v1",
    "StorageClass",
    {
      provisioner: "p",
      metadata: { ...metadata, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    },
    "x (default)|p|Delete|Immediate|false|10s",
  ],
  [
    "networking.k8s.io/v1",
    "Ingress",
    { spec: { ingressClassName: "c", rules: [{ host: "a.example" }] } },
    "x|c|a.example||80|10s",
  ],
  [
    "networking.k8s.io/v1",
    "NetworkPolicy",
    { spec: { podSelector: { matchExpressions: [{ key: "k", operator: "In", values: ["b", "a"] }] } } },
    "x|k in (a,b)|10s",
  ],
  ["v1", "ServiceAccount", {}, "x|0|10s"],
  [
    "rbac.authorization.k8s.io/v1",
    "RoleBinding",
    {
      roleRef: { kind: "Role", name: "r" },
      subjects: [
        { kind: "User", name: "u" },
        { kind: "ServiceAccount", namespace: "n", name: "s" },
      ],
    },
    "x|Role/r|10s||u||n/s",
  ],
  ["rbac.authorization.k8s.io/v1", "Role", {}, "x|2026-01-01T00:59:50Z"],
  ["coordination.k8s.io/v1", "Lease", { spec: { holderIdentity: "h" } }, "x|h|10s"],
  ["scheduling.k8s.io/v1", "PriorityClass", { value: 5, preemptionPolicy: "Never" }, "x|5|false|10s|Never"],
  [
    "apiregistration.k8s.io/v1",
    "APIService",
    {
      spec: { service: { namespace: "n", name: "s" } },
      status: { conditions: [{ type: "Available", status: "False", reason: "Missing" }] },
    },
    "x|n/s|False (Missing)|10s",
  ],
  [
    "gateway.networking.k8s.io/v1",
    "Gateway",
    {
      spec: { gatewayClassName: "c" },
      status: { addresses: [{ value: "127.0.0.1" }], conditions: [{ type: "Programmed", status: "True" }] },
    },
    "x|c|127.0.0.1|True|10s",
  ],
  ["gateway.networking.k8s.io/v1", "HTTPRoute", { spec: { hostnames: ["a.example"] } }, 'x|["a.example"]|10s'],
  [
    "flotilla.dev/v1alpha1",
    "App",
    {
      spec: { services: { a: {}, b: {} } },
      status: {
        services: { a: { state: "ready" }, b: { state: "starting" } },
        conditions: [{ type: "Ready", status: "False", reason: "Starting" }],
      },
    },
    "x|1/2|Starting|10s",
  ],
  [
    "flotilla.dev/v1alpha1",
    "ServiceLevelObjective",
    { spec: { service: "web", target: "99.9%" } },
    "x|web|99.9% over 30d|||Pending|10s",
  ],
  [
    "flotilla.dev/v1alpha1",
    "ServiceLevelObjective",
    {
      spec: { service: "web", target: "99%", window: "7d" },
      status: {
        errorBudget: { ratio: 0.01, time: "1h40m48s", remaining: 0.8731, remainingTime: "1h28m0s" },
        burnRates: { "5m": 16, "1h": 14.52 },
        conditions: [
          { type: "Healthy", status: "False", reason: "Alerting" },
          { type: "Alerting", status: "True", reason: "Page" },
        ],
      },
    },
    "x|web|99% over 7d|87.3%|16|Alerting: Page|10s",
  ],
  [
    "flotilla.dev/v1alpha1",
    "ServiceLevelObjective",
    {
      spec: { service: "web", target: "99%" },
      status: { conditions: [{ type: "Healthy", status: "Unknown", reason: "NoData" }] },
    },
    "x|web|99% over 30d|||NoData|10s",
  ],
];

test.each(cases)("%s %s", (apiVersion, kind, rest, expected) => expect(printed(apiVersion, kind, rest)).toBe(expected));

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

test.each([
  [-5 * second, "<invalid>"],
  [-1 * second, "0s"],
  [0, "0s"],
  [119 * second, "119s"],
  [2 * minute, "2m"],
  [9 * minute + 5 * second, "9m5s"],
  [179 * minute, "179m"],
  [3 * hour, "3h"],
  [7 * hour + 30 * minute, "7h30m"],
  [47 * hour, "47h"],
  [2 * day, "2d"],
  [7 * day + 5 * hour, "7d5h"],
  [729 * day, "729d"],
  [731 * day, "2y1d"],
  [9 * 365 * day, "9y"],
])("%i ms is %s", (ms, text) => expect(humanDuration(ms)).toBe(text));

describe("JSONPath", () => {
  const value = {
    a: { "b.c": [1, 2, 3] },
    list: [
      { type: "Ready", n: 1 },
      { type: "Other", n: 2 },
    ],
  };
  test.each([
    [".a", [value.a]],
    ["{.list[0].n}", [1]],
    [".list[-1].n", [2]],
    [".list[*].n", [1, 2]],
    ['.list[?(@.type=="Ready")].n', [1]],
    [".list[?(@.type!='Ready')].n", [2]],
    ["$.a['b.c'][1]", [2]],
    [".a.b\\.c[0]", [1]],
    [".nothing.at.all", []],
    [".list.n", []],
  ])("%s", (path, found) => expect(jsonPath(path)(value)).toEqual(found));
  test("names what it does not know", () =>
    expect(() => jsonPath(".a[(@.length)]")).toThrow('unrecognized JSONPath at "[(@.length)]"'));
});

describe("columns of custom resources", () => {
  const cell = (type: string, value: unknown): Cell => {
    const printer = customPrinter([{ name: "C", type, jsonPath: ".v" }]);
    return row(printer, { apiVersion: "e/v1", kind: "K", metadata, v: value } as KubeObject, "None", now).cells[1];
  };
  test.each<[type: string, value: unknown, cell: Cell]>([
    ["string", "s", "s"],
    ["string", ["a"], '["a"]'],
    ["string", undefined, null],
    ["integer", 3.7, 3],
    ["integer", "3", null],
    ["boolean", true, true],
    ["number", 1.5, 1.5],
    ["date", "2026-01-01T00:00:00Z", "60m"],
    ["date", "yesterday", "<invalid>"],
  ])("%s of %o: %o", (type, value, expected) => expect(cell(type, value)).toBe(expected));

  test("a path that cannot be read says so", () => {
    const printer = customPrinter([{ name: "C", type: "string", jsonPath: "[(" }]);
    expect(row(printer, { apiVersion: "e/v1", kind: "K", metadata }, "None", now).cells).toEqual(["x", "<invalid>"]);
  });
  test("without any: name and age", () =>
    expect(row(customPrinter(undefined), { apiVersion: "e/v1", kind: "K", metadata }, "None", now).cells).toEqual([
      "x",
      "10s",
    ]));
});
