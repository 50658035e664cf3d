/** PostgreSQL as a StatefulSet (ours on a laptop, the official image on a cluster), as a CloudNativePG cluster, or somebody else's. */
import {
  type KubeObject,
  newObject,
  PersistentVolumeClaims,
  type PodSpec,
  type Resource,
  Secrets,
  ServiceAccounts,
  Services,
  StatefulSets,
} from "@flotilla/objects";
import type { Backing } from "../../model/parts.ts";
import {
  annotation,
  type Expansion,
  metadataOf,
  type Part,
  selectorLabels,
  templateMetadata,
  versionedLabels,
  versionedMetadata,
} from "../context.ts";
import { networkPolicyOfDatabase } from "../network-policy.ts";
import { databasePort } from "../ports.ts";
import { restricted } from "../security.ts";

export type Driver = NonNullable<Backing["driver"]>;

export const driverOf = (expansion: Expansion, backing: Backing): Driver =>
  backing.driver ?? (expansion.target === "local" ? "process" : "statefulset");

export const databasePart = (name: string, backing: Backing): Part => ({
  name: `${name}-postgres`,
  component: "database",
  version: backing.version ?? "18",
});

/** The host that clients connect to. CloudNativePG's read-write Service ends with "-rw". */
export function hostOf(expansion: Expansion, name: string): string {
  const backing = expansion.app.backing?.[name];
  return backing && driverOf(expansion, backing) === "cnpg" ? `${name}-postgres-rw` : `${name}-postgres`;
}

/** The Secret with the credentials, and what its keys are called there. */
export function databaseSecret(name: string, backing: Backing, driver: Driver) {
  if (driver === "cnpg")
    return { name: `${name}-postgres-app`, user: "username", password: "password", database: "dbname" };
  const secret = driver === "external" ? (backing.secret ?? `${name}-postgres`) : `${name}-postgres`;
  return { name: secret, user: "user", password: "password", database: "database" };
}

/** PostgreSQL's own name for a database: the backing service's, with what needs no quotes. */
const databaseName = (name: string): string => name.replaceAll("-", "_");

const postgresImage = (driver: Driver, version: string): string =>
  driver === "process" ? `flotilla.dev/postgres:${version}` : `docker.io/library/postgres:${version}`;

const base64 = (text: string): string => Buffer.from(text).toString("base64");

export function postgres(expansion: Expansion, name: string, backing: Backing): KubeObject[] {
  const driver = driverOf(expansion, backing);
  if (driver === "external") return [];
  if (driver === "cnpg") return [cloudNative(expansion, name, backing)];
  const part = databasePart(name, backing);
  return [
    newObject(ServiceAccounts, { metadata: metadataOf(expansion, part), automountServiceAccountToken: false }),
    secret(expansion, name, backing),
    newObject(Services, {
      metadata: metadataOf(expansion, part),
      spec: {
        type: "ClusterIP",
        selector: selectorLabels(expansion.app.name, part.name),
        ports: [{ name: "postgres", port: databasePort, targetPort: "postgres", protocol: "TCP" }],
      },
    }),
    newObject(Services, {
      metadata: metadataOf(expansion, part, governing(part)),
      spec: {
        clusterIP: "None",
        selector: selectorLabels(expansion.app.name, part.name),
        ports: [{ name: "postgres", port: databasePort, targetPort: "postgres", protocol: "TCP" }],
      },
    }),
    networkPolicyOfDatabase(expansion, name, part),
    statefulSet(expansion, name, backing, driver),
  ];
}

/** The headless Service that gives the pods of a StatefulSet their names. */
const governing = (part: Part) => `${part.name}-pods`;

function secret(expansion: Expansion, name: string, backing: Backing): KubeObject {
  const metadata = metadataOf(expansion, databasePart(name, backing));
  const values = {
    user: databaseName(name),
    database: databaseName(name),
    host: hostOf(expansion, name),
    port: String(databasePort),
  };
  return newObject(Secrets, {
    metadata: { ...metadata, annotations: { ...metadata.annotations, [annotation.generate]: "password" } },
    type: "Opaque",
    data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, base64(value)])),
  });
}

const home = "/var/lib/postgresql";

function statefulSet(expansion: Expansion, name: string, backing: Backing, driver: Driver): KubeObject {
  const part = databasePart(name, backing);
  const labels = versionedLabels(expansion, part);
  const credential = (variable: string, key: string) => ({
    name: variable,
    valueFrom: { secretKeyRef: { name: `${name}-postgres`, key } },
  });
  // On a cluster pg_isready tells a server that is starting from one that answers; our own runtime ships the server only.
  const accepts =
    driver === "process"
      ? { tcpSocket: { port: "postgres" } }
      : { exec: { command: ["pg_isready", "--host=127.0.0.1", "--quiet"] } };
  const pod: PodSpec = {
    serviceAccountName: part.name,
    automountServiceAccountToken: false,
    // A fast shutdown with a checkpoint, which may take long, in place of a recovery.
    terminationGracePeriodSeconds: 60,
    // 999 is the user "postgres" of the official image.
    securityContext: {
      ...restricted.pod,
      runAsUser: 999,
      runAsGroup: 999,
      fsGroup: 999,
      fsGroupChangePolicy: "OnRootMismatch",
    },
    containers: [
      {
        name: "postgres",
        image: postgresImage(driver, backing.version ?? "18"),
        ports: [{ name: "postgres", containerPort: databasePort, protocol: "TCP" }],
        env: [
          credential("POSTGRES_USER", "user"),
          credential("POSTGRES_PASSWORD", "password"),
          credential("POSTGRES_DB", "database"),
          // Beside the folder where images before 18 declare a volume of their own, which would hide ours.
          { name: "PGDATA", value: `${home}/pgdata` },
        ],
        readinessProbe: { ...accepts, periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 3 },
        livenessProbe: {
          tcpSocket: { port: "postgres" },
          initialDelaySeconds: 30,
          periodSeconds: 10,
          timeoutSeconds: 5,
          failureThreshold: 6,
        },
        resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "256Mi" } },
        securityContext: restricted.container,
        volumeMounts: [
          { name: "data", mountPath: home },
          { name: "run", mountPath: "/var/run/postgresql" },
          { name: "tmp", mountPath: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "run", emptyDir: {} },
      { name: "tmp", emptyDir: {} },
    ],
  };
  return newObject(StatefulSets, {
    metadata: versionedMetadata(expansion, part),
    spec: {
      replicas: 1,
      serviceName: governing(part),
      selector: { matchLabels: selectorLabels(expansion.app.name, part.name) },
      template: { metadata: templateMetadata(labels), spec: pod },
      volumeClaimTemplates: [
        newObject(PersistentVolumeClaims, {
          metadata: { name: "data", labels: selectorLabels(expansion.app.name, part.name) },
          spec: {
            accessModes: ["ReadWriteOnce"],
            ...(backing.class && { storageClassName: backing.class }),
            resources: { requests: { storage: backing.storage ?? "1Gi" } },
          },
        }),
      ],
    },
  });
}

/** CloudNativePG's own kind. */
export const Clusters: Resource = {
  group: "postgresql.cnpg.io",
  version: "v1",
  kind: "Cluster",
  plural: "clusters",
  singular: "cluster",
  shortNames: [],
  categories: [],
  namespaced: true,
  subresources: ["status"],
};

/** Source: CloudNativePG, API reference of postgresql.cnpg.io/v1 Cluster. */
function cloudNative(expansion: Expansion, name: string, backing: Backing): KubeObject {
  const cluster = {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Cluster",
    metadata: metadataOf(expansion, databasePart(name, backing)),
    spec: {
      instances: 3,
      imageName: `ghcr.io/cloudnative-pg/postgresql:${backing.version ?? "18"}`,
      bootstrap: { initdb: { database: databaseName(name), owner: databaseName(name) } },
      storage: { size: backing.storage ?? "1Gi", ...(backing.class && { storageClass: backing.class }) },
    },
  };
  return cluster;
}
