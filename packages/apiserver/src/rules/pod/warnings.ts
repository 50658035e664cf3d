/** What is allowed but unwise. Source: kubernetes pkg/api/pod/warnings.go, pkg/api/node/util.go */
import { dns1123Label, type Pod, type PodSpec, parseQuantity } from "@flotilla/objects";
import { containersOf } from "./defaults.ts";

const labels: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

export function podWarnings(pod: Pod): string[] {
  const wrong = dns1123Label(pod.metadata.name);
  const named =
    wrong.length > 0
      ? [
          `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${wrong.join(" ")}]`,
        ]
      : [];
  return [...named, ...podSpecWarnings("spec", pod.spec)];
}

export function podSpecWarnings(path: string, spec: PodSpec | undefined): string[] {
  if (!spec) return [];
  const warnings: string[] = [];
  for (const label of Object.keys(spec.nodeSelector ?? {}))
    if (labels[label]) warnings.push(`${path}.nodeSelector[${label}]: ${labels[label]}`);
  spec.topologySpreadConstraints?.forEach(({ topologyKey, labelSelector }, i) => {
    const at = `${path}.topologySpreadConstraints[${i}]`;
    if (labels[topologyKey]) warnings.push(`${at}.topologyKey: ${topologyKey} is ${labels[topologyKey]}`);
    if (!labelSelector) warnings.push(`${at}.labelSelector: a null labelSelector results in matching no pod`);
  });
  spec.imagePullSecrets?.forEach(({ name }, i) => {
    if (!name) warnings.push(`${path}.imagePullSecrets[${i}].name: invalid empty name ""`);
  });
  for (const [list, containers] of [
    ["initContainers", spec.initContainers],
    ["containers", spec.containers],
  ] as const)
    containers?.forEach((container, i) => {
      warnings.push(...envWarnings(`${path}.${list}[${i}].env`, container.env ?? []));
      for (const part of ["limits", "requests"] as const)
        for (const resource of ["memory", "ephemeral-storage"]) {
          const amount = container.resources?.[part]?.[resource];
          if (amount !== undefined && parseQuantity(amount).nano % 1_000_000_000n !== 0n)
            warnings.push(
              `${path}.${list}[${i}].resources.${part}[${resource}]: fractional byte value "${amount}" is invalid, must be an integer`,
            );
        }
    });
  return [...warnings, ...portWarnings(path, spec)];
}

function envWarnings(path: string, env: readonly { name: string; value?: string }[]): string[] {
  const seen = new Map<string, string>();
  return env.flatMap(({ name, value = "" }, i) => {
    const hides = seen.has(name) && !value.includes(`$(${name})`);
    seen.set(name, value);
    return hides
      ? [`${path}[${i}]: hides previous definition of "${name}", which may be dropped when using apply`]
      : [];
  });
}

/** Among the containers that run at once; what is forbidden anyway is not warned about. */
function portWarnings(path: string, spec: PodSpec): string[] {
  if (containersOf(spec).length === 0) return [];
  const taken = new Map<string, string>();
  return (spec.containers ?? []).flatMap(({ ports = [] }, i) =>
    ports.flatMap(({ containerPort, protocol = "TCP", hostPort, hostIP = "" }, j) => {
      const at = `${path}.containers[${i}].ports[${j}]`;
      const text = `${containerPort} ${protocol} ${hostPort ?? ""} ${hostIP}`;
      const first = taken.get(text);
      if (first && !hostPort) return [`${at}: duplicate port definition with ${first}`];
      taken.set(text, at);
      return [];
    }),
  );
}
