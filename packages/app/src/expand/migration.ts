/** Migrations of a database: the files in a ConfigMap and a Job, named for their content, that applies what is new. */
import { ConfigMaps, type JobSpec, Jobs, type KubeObject, newObject, ServiceAccounts } from "@flotilla/objects";
import type { Files } from "../files.ts";
import type { Backing } from "../model/parts.ts";
import { databaseVariables } from "./backing/database-variables.ts";
import { driverOf } from "./backing/postgres.ts";
import { type Expansion, hashOf, labelsOf, metadataOf, type Part, templateMetadata } from "./context.ts";
import { configMapData } from "./mounted-files.ts";
import { networkPolicyOfMigration } from "./network-policy.ts";
import { migrationScript } from "./psql-script.ts";
import { builtUser, restricted } from "./security.ts";

const folder = "/migrations";

/** The *.sql files of a folder, by name. Undefined: no such folder. */
export function migrationFiles(files: Files, path: string): Record<string, Uint8Array> | undefined {
  const names = files.list(path)?.filter((name) => name.endsWith(".sql"));
  if (!names) return undefined;
  const found = names.map((name) => [name, files.read(`${path}/${name}`)] as const);
  return Object.fromEntries(found.filter((entry): entry is readonly [string, Uint8Array] => entry[1] !== undefined));
}

export interface ExpandedMigration {
  readonly objects: KubeObject[];
  /** The Job that must be complete before anything that uses the database starts. */
  readonly job: KubeObject;
}

export function migration(expansion: Expansion, name: string, backing: Backing): ExpandedMigration | undefined {
  const files = backing.migrations === undefined ? undefined : migrationFiles(expansion.files, backing.migrations);
  if (!files || Object.keys(files).length === 0) return undefined;
  const part: Part = { name: `${name}-migrate`, component: "migration" };
  const data = configMapData(files);
  const version = backing.version ?? "18";
  const own = driverOf(expansion, backing) === "process";
  const script = own ? {} : { command: ["sh", "-c", migrationScript(folder)] };
  const image = own ? "flotilla.dev/migrate:1" : `docker.io/library/postgres:${version}`;
  const config = `${part.name}-${hashOf(data)}`;
  const objects = [
    newObject(ServiceAccounts, { metadata: metadataOf(expansion, part), automountServiceAccountToken: false }),
    newObject(ConfigMaps, { metadata: metadataOf(expansion, part, config), ...data, immutable: true }),
    networkPolicyOfMigration(expansion, name, part),
  ];
  const spec: JobSpec = {
    backoffLimit: 3,
    activeDeadlineSeconds: 3600,
    template: {
      metadata: templateMetadata(labelsOf(expansion, part)),
      spec: {
        restartPolicy: "Never",
        serviceAccountName: part.name,
        automountServiceAccountToken: false,
        securityContext: { ...restricted.pod, ...builtUser },
        containers: [
          {
            name: "migrate",
            image,
            ...script,
            env: databaseVariables(expansion, name, false),
            resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "128Mi" } },
            securityContext: restricted.container,
            volumeMounts: [
              { name: "migrations", mountPath: folder, readOnly: true },
              { name: "tmp", mountPath: "/tmp" },
            ],
          },
        ],
        volumes: [
          { name: "migrations", configMap: { name: config, defaultMode: 0o444 } },
          { name: "tmp", emptyDir: {} },
        ],
      },
    },
  };
  // A Job's template never changes: whatever would change it is another Job, which finds nothing new if the files are the same.
  const release = hashOf({ spec, patches: expansion.app.patches });
  const job = newObject(Jobs, { metadata: metadataOf(expansion, part, `${part.name}-${release}`), spec });
  return { objects, job };
}
