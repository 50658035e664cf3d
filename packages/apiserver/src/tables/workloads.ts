/** Rows of apps, batch and autoscaling kinds. Source: kubernetes pkg/printers/internalversion. */
import {
  type ControllerRevision,
  type CronJob,
  controllerOf,
  type DaemonSet,
  type Deployment,
  type Job,
  type PodDisruptionBudget,
  type PodTemplate,
  type ReplicaSet,
  type ReplicationController,
  type StatefulSet,
} from "@flotilla/objects";
import { containerImages, containerNames, holds, labelsCell, selectorCell, selectorText } from "./cells.ts";
import { ageColumn, humanDuration, integer, type Printer, printer, since, text, wide, yesNo } from "./printer.ts";

export const deploymentPrinter: Printer<Deployment> = printer(
  text("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`),
  text("Up-to-date", ({ status }) => status?.updatedReplicas ?? 0),
  text("Available", ({ status }) => status?.availableReplicas ?? 0),
  ageColumn,
  wide("Containers", ({ spec }) => containerNames(spec.template)),
  wide("Images", ({ spec }) => containerImages(spec.template)),
  wide("Selector", ({ spec }) => selectorText(spec.selector)),
);

export const replicaSetPrinter: Printer<ReplicaSet> = printer(
  integer("Desired", ({ spec }) => spec.replicas ?? 1),
  integer("Current", ({ status }) => status?.replicas ?? 0),
  integer("Ready", ({ status }) => status?.readyReplicas ?? 0),
  ageColumn,
  wide("Containers", ({ spec }) => containerNames(spec.template)),
  wide("Images", ({ spec }) => containerImages(spec.template)),
  wide("Selector", ({ spec }) => selectorCell(spec.selector)),
);

export const replicationControllerPrinter: Printer<ReplicationController> = printer(
  integer("Desired", ({ spec }) => spec.replicas ?? 1),
  integer("Current", ({ status }) => status?.replicas ?? 0),
  integer("Ready", ({ status }) => status?.readyReplicas ?? 0),
  ageColumn,
  wide("Containers", ({ spec }) => containerNames(spec.template)),
  wide("Images", ({ spec }) => containerImages(spec.template)),
  wide("Selector", ({ spec }) => labelsCell(spec.selector)),
);

export const statefulSetPrinter: Printer<StatefulSet> = printer(
  text("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`),
  ageColumn,
  wide("Containers", ({ spec }) => containerNames(spec.template)),
  wide("Images", ({ spec }) => containerImages(spec.template)),
);

export const daemonSetPrinter: Printer<DaemonSet> = printer(
  integer("Desired", ({ status }) => status?.desiredNumberScheduled ?? 0),
  integer("Current", ({ status }) => status?.currentNumberScheduled ?? 0),
  integer("Ready", ({ status }) => status?.numberReady ?? 0),
  integer("Up-to-date", ({ status }) => status?.updatedNumberScheduled ?? 0),
  integer("Available", ({ status }) => status?.numberAvailable ?? 0),
  text("Node Selector", ({ spec }) => labelsCell(spec.template?.spec?.nodeSelector)),
  ageColumn,
  wide("Containers", ({ spec }) => containerNames(spec.template)),
  wide("Images", ({ spec }) => containerImages(spec.template)),
  wide("Selector", ({ spec }) => selectorCell(spec.selector)),
);

export const podTemplatePrinter: Printer<PodTemplate> = printer(
  text("Containers", ({ template }) => containerNames(template)),
  text("Images", ({ template }) => containerImages(template)),
  text("Pod Labels", ({ template }) => labelsCell(template?.metadata?.labels)),
);

export const jobPrinter: Printer<Job> = printer(
  text("Status", jobStatus),
  text("Completions", ({ spec, status }) => {
    const succeeded = status?.succeeded ?? 0;
    if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
    return (spec.parallelism ?? 0) > 1 ? `${succeeded}/1 of ${spec.parallelism}` : `${succeeded}/1`;
  }),
  text("Duration", ({ status }, now) => {
    if (!status?.startTime) return "";
    const end = status.completionTime ? Date.parse(status.completionTime) : now;
    return humanDuration(end - Date.parse(status.startTime));
  }),
  ageColumn,
  wide("Containers", ({ spec }) => containerNames(spec.template)),
  wide("Images", ({ spec }) => containerImages(spec.template)),
  wide("Selector", ({ spec }) => selectorCell(spec.selector)),
);

function jobStatus({ metadata, status }: Job): string {
  if (holds(status?.conditions, "Complete")) return "Complete";
  if (holds(status?.conditions, "Failed")) return "Failed";
  if (metadata.deletionTimestamp) return "Terminating";
  const rest = ["Suspended", "FailureTarget", "SuccessCriteriaMet"];
  return rest.find((type) => holds(status?.conditions, type)) ?? "Running";
}

export const cronJobPrinter: Printer<CronJob> = printer(
  text("Schedule", ({ spec }) => spec.schedule),
  text("Timezone", ({ spec }) => spec.timeZone ?? "<none>"),
  yesNo("Suspend", ({ spec }) => (spec.suspend === undefined ? "<unset>" : spec.suspend ? "True" : "False")),
  integer("Active", ({ status }) => status?.active?.length ?? 0),
  text("Last Schedule", ({ status }, now) =>
    status?.lastScheduleTime ? since(status.lastScheduleTime, now) : "<none>",
  ),
  ageColumn,
  wide("Containers", ({ spec }) => containerNames(spec.jobTemplate?.spec?.template)),
  wide("Images", ({ spec }) => containerImages(spec.jobTemplate?.spec?.template)),
  wide("Selector", ({ spec }) => selectorCell(spec.jobTemplate?.spec?.selector)),
);

export const controllerRevisionPrinter: Printer<ControllerRevision> = printer(
  text("Controller", (revision) => {
    const owner = controllerOf(revision);
    if (!owner) return "<none>";
    const [group, version] = owner.apiVersion.split("/");
    return `${(version ? `${owner.kind}.${group}` : owner.kind).toLowerCase()}/${owner.name}`;
  }),
  text("Revision", ({ revision }) => revision),
  ageColumn,
);

export const podDisruptionBudgetPrinter: Printer<PodDisruptionBudget> = printer(
  text("Min Available", ({ spec }) => String(spec.minAvailable ?? "N/A")),
  text("Max Unavailable", ({ spec }) => String(spec.maxUnavailable ?? "N/A")),
  integer("Allowed Disruptions", ({ status }) => status?.disruptionsAllowed ?? 0),
  ageColumn,
);
