/** Whom containers run as, and what they may do. Source: kubernetes pkg/apis/core/validation */
import {
  type FieldError,
  invalidValue,
  type PodSecurityContext,
  type PodSpec,
  required,
  type SeccompProfile,
  type SecurityContext,
} from "@flotilla/objects";
import { between, flat, isRelative, largestInt32, oneOf } from "../mistakes.ts";

const sysctlPattern = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
const sysctl = new RegExp(sysctlPattern);
const sysctlLength = 253;

const id = (path: string, value: number | undefined) => between(path, value, 0, largestInt32);

function profileMistakes(path: string, profile: SeccompProfile | undefined): FieldError[] {
  if (!profile) return [];
  const { type, localhostProfile } = profile;
  const mistakes = type
    ? oneOf(`${path}.type`, type, ["Localhost", "RuntimeDefault", "Unconfined"])
    : [required(`${path}.type`, "type is required when seccompProfile is set")];
  if (type === "Localhost") {
    if (localhostProfile === undefined)
      mistakes.push(required(`${path}.localhostProfile`, "must be set when seccomp type is Localhost"));
    else mistakes.push(...isRelative(`${path}.localhostProfile`, localhostProfile));
  } else if (localhostProfile !== undefined)
    mistakes.push(
      invalidValue(`${path}.localhostProfile`, localhostProfile, "can only be set when seccomp type is Localhost"),
    );
  return mistakes;
}

export function containerSecurityMistakes(path: string, context: SecurityContext | undefined): FieldError[] {
  if (!context) return [];
  const mistakes = [
    ...id(`${path}.runAsUser`, context.runAsUser),
    ...id(`${path}.runAsGroup`, context.runAsGroup),
    ...oneOf(`${path}.procMount`, context.procMount, ["Default", "Unmasked"]),
    ...profileMistakes(`${path}.seccompProfile`, context.seccompProfile),
  ];
  if (context.allowPrivilegeEscalation !== false) return mistakes;
  const refuse = (what: string) =>
    mistakes.push(invalidValue(path, context, `cannot set \`allowPrivilegeEscalation\` to false and ${what}`));
  if (context.privileged) refuse("`privileged` to true");
  if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) refuse("`capabilities.Add` CAP_SYS_ADMIN");
  return mistakes;
}

export function podSecurityMistakes(path: string, spec: PodSpec): FieldError[] {
  const context: PodSecurityContext = spec.securityContext ?? {};
  const mistakes = [
    ...id(`${path}.fsGroup`, context.fsGroup),
    ...id(`${path}.runAsUser`, context.runAsUser),
    ...id(`${path}.runAsGroup`, context.runAsGroup),
    ...flat(context.supplementalGroups, (group, i) => id(`${path}.supplementalGroups[${i}]`, group)),
    ...oneOf(`${path}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ["Always", "OnRootMismatch"]),
    ...oneOf(`${path}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ["Merge", "Strict"]),
    ...profileMistakes(`${path}.seccompProfile`, context.seccompProfile),
    ...flat(context.sysctls, ({ name }, i) => {
      if (!name) return [required(`${path}.sysctls[${i}].name`)];
      const wrong = `must have at most ${sysctlLength} characters and match regex ${sysctlPattern}`;
      return name.length <= sysctlLength && sysctl.test(name)
        ? []
        : [invalidValue(`${path}.sysctls[${i}].name`, name, wrong)];
    }),
  ];
  if (spec.shareProcessNamespace && spec.hostPID)
    mistakes.push(
      invalidValue(`${path}.shareProcessNamespace`, true, "ShareProcessNamespace and HostPID cannot both be enabled"),
    );
  return mistakes;
}
