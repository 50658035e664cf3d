/** What a pod, or a template of pods, says that it is. Source: kubernetes pkg/apis/core/validation */
import {
  dns1123Label,
  dns1123Subdomain,
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  type PodSpec,
  type PodTemplateSpec,
  qualifiedName,
  required,
} from "@flotilla/objects";
import {
  annotationMistakes,
  between,
  flat,
  ipMistakes,
  labelMistakes,
  largestInt32,
  named,
  oneOf,
} from "../mistakes.ts";
import { containersMistakes } from "./container.ts";
import { affinityMistakes, spreadMistakes, tolerationMistakes } from "./scheduling.ts";
import { podSecurityMistakes } from "./security.ts";
import { volumesMistakes } from "./volumes.ts";

export function podSpecMistakes(path: string, spec: PodSpec): FieldError[] {
  return [
    ...volumesMistakes(`${path}.volumes`, spec.volumes),
    ...containersMistakes(path, spec),
    ...oneOf(`${path}.restartPolicy`, spec.restartPolicy, ["Always", "OnFailure", "Never"]),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]),
    ...labelMistakes(`${path}.nodeSelector`, spec.nodeSelector),
    ...podSecurityMistakes(`${path}.securityContext`, spec),
    ...affinityMistakes(`${path}.affinity`, spec.affinity),
    ...dnsConfigMistakes(`${path}.dnsConfig`, spec),
    ...flat(spec.readinessGates, ({ conditionType }, i) =>
      named(`${path}.readinessGates[${i}].conditionType`, conditionType, qualifiedName),
    ),
    ...schedulingGateMistakes(`${path}.schedulingGates`, spec),
    ...spreadMistakes(`${path}.topologySpreadConstraints`, spec.topologySpreadConstraints),
    ...nonEmpty(`${path}.serviceAccountName`, spec.serviceAccountName, dns1123Subdomain),
    ...nonEmpty(`${path}.nodeName`, spec.nodeName, dns1123Subdomain),
    ...between(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 1, largestInt32),
    ...nonEmpty(`${path}.hostname`, spec.hostname, dns1123Label),
    ...nonEmpty(`${path}.subdomain`, spec.subdomain, dns1123Label),
    ...tolerationMistakes(`${path}.tolerations`, spec.tolerations),
    ...flat(spec.hostAliases, ({ ip, hostnames }, i) => [
      ...ipMistakes(`${path}.hostAliases[${i}].ip`, ip ?? ""),
      ...flat(hostnames, (name, j) => named(`${path}.hostAliases[${i}].hostnames[${j}]`, name, dns1123Subdomain)),
    ]),
    ...nonEmpty(`${path}.priorityClassName`, spec.priorityClassName, dns1123Subdomain),
    ...nonEmpty(`${path}.runtimeClassName`, spec.runtimeClassName, dns1123Subdomain),
    ...oneOf(`${path}.preemptionPolicy`, spec.preemptionPolicy, ["PreemptLowerPriority", "Never"]),
    ...osMistakes(`${path}.os`, spec),
  ];
}

const nonEmpty = (path: string, value: string | undefined, check: (value: string) => string[]) =>
  value ? named(path, value, check) : [];

function osMistakes(path: string, { os }: PodSpec): FieldError[] {
  if (!os) return [];
  return os.name ? oneOf(path, os.name, ["linux", "windows"]) : [required(`${path}.name`, "cannot be empty")];
}

const nameserverLimit = 3;
const searchLimit = 32;
const search = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const searchPattern = `${search}(\\.${search})*`;
const searchRegex = new RegExp(`^${searchPattern}$`);

function dnsConfigMistakes(path: string, { dnsPolicy, dnsConfig }: PodSpec): FieldError[] {
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
  if (dnsPolicy === "None") {
    if (!dnsConfig) return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")];
    if (nameservers.length === 0)
      return [required(`${path}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None")];
  }
  const mistakes = flat(nameservers, (server, i) => ipMistakes(`${path}.nameservers[${i}]`, server));
  if (nameservers.length > nameserverLimit)
    mistakes.push(
      invalidValue(`${path}.nameservers`, nameservers, `must not have more than ${nameserverLimit} nameservers`),
    );
  if (searches.length > searchLimit)
    mistakes.push(invalidValue(`${path}.searches`, searches, `must not have more than ${searchLimit} search paths`));
  searches.forEach((each, i) => {
    const name = each.replace(/\.$/, "");
    if (each === "." || (name.length <= 253 && searchRegex.test(name))) return;
    const why =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character " +
      `(e.g. 'example.com', regex used for validation is '${searchPattern}')`;
    mistakes.push(invalidValue(`${path}.searches[${i}]`, name, why));
  });
  options.forEach(({ name }, i) => {
    if (!name) mistakes.push(required(`${path}.options[${i}]`, "must not be empty"));
  });
  return mistakes;
}

function schedulingGateMistakes(path: string, { schedulingGates }: PodSpec): FieldError[] {
  const seen = new Set<string>();
  return flat(schedulingGates, ({ name }, i) => {
    const mistakes = named(`${path}[${i}]`, name, qualifiedName);
    if (seen.has(name)) mistakes.push(duplicate(`${path}[${i}]`, name));
    seen.add(name);
    return mistakes;
  });
}

export function templateMistakes(path: string, template: PodTemplateSpec | undefined): FieldError[] {
  const spec = template?.spec ?? { containers: [] };
  const mistakes = [
    ...labelMistakes(`${path}.labels`, template?.metadata?.labels),
    ...annotationMistakes(`${path}.annotations`, template?.metadata?.annotations),
    ...podSpecMistakes(`${path}.spec`, spec),
  ];
  if (spec.ephemeralContainers?.length)
    mistakes.push(
      forbiddenField(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template"),
    );
  return mistakes;
}
