/** Containers. Source: kubernetes pkg/apis/core/validation */
import {
  type Container,
  type ContainerPort,
  dns1123Label,
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundValue,
  type PodSpec,
  portName,
  required,
} from "@flotilla/objects";
import { flat, isRelative, named, oneOf, portMistakes, requiredName } from "../mistakes.ts";
import { envFromMistakes, envMistakes } from "./env.ts";
import { runningMistakes } from "./probes.ts";
import { resourceMistakes } from "./resources.ts";
import { containerSecurityMistakes } from "./security.ts";

export function containersMistakes(path: string, spec: PodSpec): FieldError[] {
  const { containers = [], initContainers = [] } = spec;
  const grace = spec.terminationGracePeriodSeconds ?? 30;
  const mistakes: FieldError[] = containers.length === 0 ? [required(`${path}.containers`)] : [];
  const names = new Set<string>();
  containers.forEach((container, i) => {
    const at = `${path}.containers[${i}]`;
    mistakes.push(...containerMistakes(at, container, spec), ...runningMistakes(at, container, grace));
    mistakes.push(...unique(at, container, names));
  });
  mistakes.push(...hostPortConflicts(`${path}.containers`, containers));
  initContainers.forEach((container, i) => {
    const at = `${path}.initContainers[${i}]`;
    mistakes.push(...containerMistakes(at, container, spec), ...unique(at, container, names));
    mistakes.push(...hostPortConflicts(`${path}.initContainers`, [container]));
    mistakes.push(...oneOf(`${at}.restartPolicy`, container.restartPolicy, ["Always"]));
    if (container.restartPolicy === "Always") mistakes.push(...runningMistakes(at, container, grace));
    else mistakes.push(...endingMistakes(at, container));
  });
  return mistakes;
}

function unique(path: string, { name }: Container, names: Set<string>): FieldError[] {
  if (name && names.has(name)) return [duplicate(`${path}.name`, name)];
  names.add(name);
  return [];
}

/** An init container that ends has nothing to be probed for. */
function endingMistakes(path: string, container: Container): FieldError[] {
  return (["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const)
    .filter((field) => container[field])
    .map((field) =>
      forbiddenField(`${path}.${field}`, "may not be set for init containers without restartPolicy=Always"),
    );
}

function containerMistakes(path: string, container: Container, spec: PodSpec): FieldError[] {
  return [
    ...requiredName(`${path}.name`, container.name, dns1123Label),
    ...(container.image ? [] : [required(`${path}.image`)]),
    ...oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, ["File", "FallbackToLogsOnError"]),
    ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, ["Always", "IfNotPresent", "Never"]),
    ...portsMistakes(`${path}.ports`, container.ports, spec.hostNetwork ?? false),
    ...envMistakes(`${path}.env`, container.env),
    ...envFromMistakes(`${path}.envFrom`, container.envFrom),
    ...mountMistakes(`${path}.volumeMounts`, container, spec),
    ...resourceMistakes(`${path}.resources`, container.resources),
    ...containerSecurityMistakes(`${path}.securityContext`, container.securityContext),
  ];
}

const protocols = ["SCTP", "TCP", "UDP"];

function portsMistakes(path: string, ports: readonly ContainerPort[] | undefined, hostNetwork: boolean): FieldError[] {
  const names = new Set<string>();
  return flat(ports, (port, i) => {
    const at = `${path}[${i}]`;
    const mistakes: FieldError[] = [];
    if (port.name) {
      const wrong = named(`${at}.name`, port.name, portName);
      mistakes.push(...wrong);
      if (wrong.length === 0 && names.has(port.name)) mistakes.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (port.containerPort) mistakes.push(...portMistakes(`${at}.containerPort`, port.containerPort));
    else mistakes.push(required(`${at}.containerPort`));
    if (port.hostPort) mistakes.push(...portMistakes(`${at}.hostPort`, port.hostPort));
    if (hostNetwork && port.hostPort !== port.containerPort)
      mistakes.push(
        invalidValue(`${at}.hostPort`, port.hostPort ?? 0, "must match `containerPort` when `hostNetwork` is true"),
      );
    mistakes.push(
      ...(port.protocol ? oneOf(`${at}.protocol`, port.protocol, protocols) : [required(`${at}.protocol`)]),
    );
    return mistakes;
  });
}

function hostPortConflicts(path: string, containers: readonly Container[]): FieldError[] {
  const taken = new Set<string>();
  return containers.flatMap(({ ports }, i) =>
    flat(ports, ({ hostPort, hostIP = "", protocol = "TCP" }, j) => {
      if (!hostPort) return [];
      const text = `${protocol}/${hostIP}/${hostPort}`;
      // Of init containers each is checked on its own, by the place in that list of one.
      if (taken.has(text)) return [duplicate(`${path}[${i}].ports[${j}].hostPort`, text)];
      taken.add(text);
      return [];
    }),
  );
}

function mountMistakes(path: string, container: Container, { volumes = [] }: PodSpec): FieldError[] {
  const places = new Set<string>();
  return flat(container.volumeMounts, (mount, i) => {
    const at = `${path}[${i}]`;
    const mistakes: FieldError[] = [];
    if (!mount.name) mistakes.push(required(`${at}.name`));
    if (!volumes.some(({ name }) => name && name === mount.name))
      mistakes.push(notFoundValue(`${at}.name`, mount.name ?? ""));
    if (!mount.mountPath) mistakes.push(required(`${at}.mountPath`));
    if (places.has(mount.mountPath)) mistakes.push(invalidValue(`${at}.mountPath`, mount.mountPath, "must be unique"));
    places.add(mount.mountPath);
    if (container.volumeDevices?.some(({ devicePath }) => devicePath === mount.mountPath))
      mistakes.push(
        invalidValue(`${at}.mountPath`, mount.mountPath, "must not already exist as a path in volumeDevices"),
      );
    // Kubernetes names the list here, not the mount.
    if (mount.subPath) mistakes.push(...isRelative(`${path}.subPath`, mount.subPath));
    if (mount.subPathExpr) {
      if (mount.subPath)
        mistakes.push(
          invalidValue(`${at}.subPathExpr`, mount.subPathExpr, "subPathExpr and subPath are mutually exclusive"),
        );
      mistakes.push(...isRelative(`${path}.subPathExpr`, mount.subPathExpr));
    }
    mistakes.push(
      ...oneOf(`${path}.mountPropagation`, mount.mountPropagation, ["Bidirectional", "HostToContainer", "None"]),
    );
    if (mount.mountPropagation === "Bidirectional" && !container.securityContext?.privileged)
      mistakes.push(
        forbiddenField(
          `${path}.mountPropagation`,
          "Bidirectional mount propagation is available only to privileged containers",
        ),
      );
    return mistakes;
  });
}
