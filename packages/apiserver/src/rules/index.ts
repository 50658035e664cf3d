/** The rules of every kind that has any beyond the table. */
import { type KubeObject, type Resource, resourceName } from "@flotilla/objects";
import type { KindRules } from "../kind-rules.ts";
import { daemonSets } from "./apps/daemon-set.ts";
import { deployments } from "./apps/deployment.ts";
import { replicaSets } from "./apps/replica-set.ts";
import { statefulSets } from "./apps/stateful-set.ts";
import { cronJobs } from "./batch/cron-job.ts";
import { jobs } from "./batch/job.ts";
import { namespaces } from "./core/namespace.ts";
import { secrets } from "./core/secret.ts";
import { services } from "./core/service.ts";
import { persistentVolumeClaims, persistentVolumes } from "./core/volumes.ts";
import { normalize } from "./normal-form.ts";
import { pods } from "./pod/pod.ts";

/** Each is called with objects of its own kind only. */
const rules = {
  "cronjobs.batch": cronJobs,
  "daemonsets.apps": daemonSets,
  "deployments.apps": deployments,
  "jobs.batch": jobs,
  namespaces,
  persistentvolumeclaims: persistentVolumeClaims,
  persistentvolumes: persistentVolumes,
  pods,
  "replicasets.apps": replicaSets,
  secrets,
  services,
  "statefulsets.apps": statefulSets,
} as unknown as Readonly<Record<string, KindRules>>;

const known = new WeakMap<Resource, KindRules>();

/** Defaults include the normal form of every kind of the table. */
export function rulesOf(resource: Resource): KindRules {
  let found = known.get(resource);
  if (!found) {
    const own = rules[resourceName(resource)] ?? {};
    found = {
      ...own,
      defaults(object: KubeObject) {
        normalize(resource, object);
        own.defaults?.(object);
      },
    };
    known.set(resource, found);
  }
  return found;
}
