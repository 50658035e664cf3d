/** All controllers of this package, as a control plane runs them. */
import type { Controller } from "@flotilla/client";
import { cronJobController } from "./cron-job.ts";
import { daemonSetController } from "./daemon-set.ts";
import { deploymentController } from "./deployment.ts";
import { disruptionBudgetController } from "./disruption-budget.ts";
import { endpointSliceController } from "./endpoint-slice.ts";
import { endpointsController } from "./endpoints.ts";
import { garbageController } from "./garbage.ts";
import { jobController } from "./job.ts";
import { jobTtlController } from "./job-ttl.ts";
import { namespaceController } from "./namespace.ts";
import { nodeLifecycleController } from "./node-lifecycle.ts";
import type { OwnerReads } from "./owner-reads.ts";
import { replicaSetController } from "./replica-set.ts";
import { schedulerController } from "./scheduler.ts";
import { namespaceDefaultsController } from "./service-account.ts";
import { statefulSetController } from "./stateful-set.ts";
import { volumeBindingController } from "./volume-binding.ts";

export interface WorkloadOptions {
  /** The folder below which volumes of this cluster are kept; absolute. */
  readonly volumesRoot: string;
  /** The certificate authority of the API server, PEM. */
  readonly clusterCA: string;
  /**
   * By which the garbage collector asks the API before it deletes; its `read` is to be handed to the runner as the effect
   * `ownerReadsName`. Left out, the cache is believed.
   */
  readonly ownerReads?: Pick<OwnerReads, "source">;
}

export const workloadControllers = ({ volumesRoot, clusterCA, ownerReads }: WorkloadOptions): Controller[] =>
  [
    deploymentController,
    replicaSetController,
    statefulSetController,
    daemonSetController,
    jobController,
    jobTtlController,
    cronJobController,
    endpointSliceController,
    endpointsController,
    schedulerController,
    nodeLifecycleController,
    disruptionBudgetController,
    volumeBindingController(volumesRoot),
    namespaceDefaultsController(clusterCA),
    namespaceController,
    garbageController(ownerReads?.source),
  ] as Controller[];
