/** What a Job does about one failed pod. Source: kubernetes pkg/controller/job/pod_failure_policy.go. */
import type { ContainerStatus, Pod, PodFailurePolicy, PodFailurePolicyRule } from "@flotilla/objects";

export interface Verdict {
  /** It counts towards the back-off limit. */
  readonly counts: boolean;
  /** Why the whole Job fails. */
  readonly failsJob?: string;
}

/** The first rule that matches decides; without one the failure counts. */
export function judge(policy: PodFailurePolicy | undefined, pod: Pod): Verdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const what = matched(rule, pod);
    if (!what) continue;
    if (rule.action === "Ignore") return { counts: false };
    if (rule.action === "FailJob") return { counts: true, failsJob: `${what} matching FailJob rule at index ${index}` };
    return { counts: true };
  }
  return { counts: true };
}

function matched(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
  if (rule.onExitCodes) {
    const container = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
      (status) => exitMatches(rule, status),
    );
    return container && `Container ${container.name} for pod ${name} failed with exit code ${exitOf(container)}`;
  }
  const condition = pod.status?.conditions?.find((each) =>
    rule.onPodConditions?.some((pattern) => pattern.type === each.type && (pattern.status ?? "True") === each.status),
  );
  return condition && `Pod ${name} has condition ${condition.type}`;
}

const exitOf = (status: ContainerStatus) => status.state?.terminated?.exitCode;

function exitMatches({ onExitCodes }: PodFailurePolicyRule, status: ContainerStatus): boolean {
  const code = exitOf(status);
  if (!onExitCodes || code === undefined || code === 0) return false;
  if (onExitCodes.containerName && onExitCodes.containerName !== status.name) return false;
  return (onExitCodes.values ?? []).includes(code) === (onExitCodes.operator === "In");
}
