/**
 * What the levels baseline and restricted refuse in a pod, with Kubernetes' reasons and details.
 *
 * Source: pod-security-admission policy/check_*.go of v0.34; of each check the latest version.
 */
import type { Container, ObjectMeta, PodSpec, Probe } from "@flotilla/objects";
import type { Level } from "./pod-security-policy.ts";

/** A pod, or the template of one. */
export interface Judged {
  readonly metadata?: Pick<ObjectMeta, "annotations">;
  readonly spec: PodSpec;
}

export interface Violation {
  readonly reason: string;
  /** May be empty. */
  readonly detail: string;
}

type Check = (pod: Judged) => Violation | undefined;

/** What is forbidden in the pod at that level, in the order in which it is told. */
export const violations = (level: Level, pod: Judged): Violation[] =>
  checksOf[level].flatMap((check) => check(pod) ?? []);

/** `privileged (container "a" must not ...), hostPort (...)`. */
export const detailsOf = (found: readonly Violation[]): string =>
  found.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(", ");

const containersOf = ({ initContainers = [], containers, ephemeralContainers = [] }: PodSpec): Container[] => [
  ...initContainers,
  ...containers,
  ...(ephemeralContainers as Container[]),
];

const namesOf = ({ spec }: Judged, is: (container: Container) => boolean): string[] =>
  containersOf(spec)
    .filter(is)
    .map(({ name }) => name);

const quoted = (items: readonly string[]) => items.map((item) => `"${item}"`).join(", ");
const plural = (word: string, items: readonly unknown[]) => (items.length === 1 ? word : `${word}s`);
const listed = (word: string, names: readonly string[]) => `${plural(word, names)} ${quoted(names)}`;
const sorted = (values: Iterable<string>) => [...new Set(values)].sort();

/** "pod and containers "a", "b"": who sets something. */
const setters = (pod: boolean, names: readonly string[]): string =>
  [...(pod ? ["pod"] : []), ...(names.length > 0 ? [listed("container", names)] : [])].join(" and ");

const appArmor: Check = (pod) => {
  const allowed = (type: string | undefined) => type === "RuntimeDefault" || type === "Localhost";
  const wrong = (context?: { appArmorProfile?: { type: string } }) =>
    context?.appArmorProfile && !allowed(context.appArmorProfile.type) ? [context.appArmorProfile.type] : [];
  const own = wrong(pod.spec.securityContext);
  const names = namesOf(pod, ({ securityContext }) => wrong(securityContext).length > 0);
  const types = sorted([...own, ...containersOf(pod.spec).flatMap(({ securityContext }) => wrong(securityContext))]);
  const annotations = Object.entries(pod.metadata?.annotations ?? {})
    .filter(([key]) => key.startsWith("container.apparmor.security.beta.kubernetes.io/"))
    .filter(([, value]) => value !== "" && value !== "runtime/default" && !value.startsWith("localhost/"))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const who = [setters(own.length > 0, names), annotations.length > 0 ? plural("annotation", annotations) : ""];
  const values = [...types, ...annotations];
  if (values.length === 0) return undefined;
  return {
    reason: plural("forbidden AppArmor profile", values),
    detail: `${who.filter(Boolean).join(" and ")} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

const defaultCapabilities = new Set(
  (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID " +
    "SYS_CHROOT"
  ).split(" "),
);

/** What is said of capabilities that may not be added; undefined: of none. */
function added(pod: Judged, isAllowed: (capability: string) => boolean): string | undefined {
  const wrong = ({ securityContext }: Container) =>
    (securityContext?.capabilities?.add ?? []).filter((each) => !isAllowed(each));
  const names = namesOf(pod, (container) => wrong(container).length > 0);
  if (names.length === 0) return undefined;
  const capabilities = quoted(sorted(containersOf(pod.spec).flatMap(wrong)));
  return `${listed("container", names)} must not include ${capabilities} in securityContext.capabilities.add`;
}

const capabilitiesBaseline: Check = (pod) => {
  const detail = added(pod, (capability) => defaultCapabilities.has(capability));
  return detail === undefined ? undefined : { reason: "non-default capabilities", detail };
};

const hostNamespaces: Check = ({ spec }) => {
  const shared = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((field) => spec[field]);
  if (shared.length === 0) return undefined;
  return { reason: "host namespaces", detail: shared.map((field) => `${field}=true`).join(", ") };
};

const hostPathVolumes: Check = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
  return names.length === 0 ? undefined : { reason: "hostPath volumes", detail: listed("volume", names) };
};

const hostPorts: Check = (pod) => {
  const portsOf = ({ ports = [] }: Container) => ports.flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
  const names = namesOf(pod, (container) => portsOf(container).length > 0);
  if (names.length === 0) return undefined;
  const ports = sorted(containersOf(pod.spec).flatMap(portsOf));
  const use = names.length === 1 ? "uses" : "use";
  return {
    reason: "hostPort",
    detail: `${listed("container", names)} ${use} ${plural("hostPort", ports)} ${ports.join(", ")}`,
  };
};

const hostProbes: Check = (pod) => {
  type Action = Pick<Probe, "httpGet" | "tcpSocket"> | undefined;
  const hosts = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container) =>
    ([livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop] as Action[]).flatMap(
      (action) => [action?.httpGet?.host, action?.tcpSocket?.host].filter((host) => host !== undefined && host !== ""),
    ) as string[];
  const names = sorted(namesOf(pod, (container) => hosts(container).length > 0));
  if (names.length === 0) return undefined;
  const found = sorted(containersOf(pod.spec).flatMap(hosts));
  const use = names.length === 1 ? "uses" : "use";
  return {
    reason: "probe or lifecycle host",
    detail: `${listed("container", names)} ${use} ${listed("probe or lifecycle host", found)}`,
  };
};

const privileged: Check = (pod) => {
  const names = namesOf(pod, ({ securityContext }) => securityContext?.privileged === true);
  if (names.length === 0) return undefined;
  return { reason: "privileged", detail: `${listed("container", names)} must not set securityContext.privileged=true` };
};

const procMount: Check = (pod) => {
  const typeOf = ({ securityContext }: Container) => {
    const type = securityContext?.procMount;
    return type === undefined || type === "Default" ? [] : [type];
  };
  const names = namesOf(pod, (container) => typeOf(container).length > 0);
  if (names.length === 0) return undefined;
  const types = quoted(sorted(containersOf(pod.spec).flatMap(typeOf)));
  return {
    reason: "procMount",
    detail: `${listed("container", names)} must not set securityContext.procMount to ${types}`,
  };
};

const seLinuxTypes = new Set(["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"]);

const seLinux: Check = (pod) => {
  const contexts = [pod.spec, ...containersOf(pod.spec)].map(({ securityContext }) => securityContext?.seLinuxOptions);
  const isWrong = (options: (typeof contexts)[number]) =>
    options !== undefined && (!seLinuxTypes.has(options.type ?? "") || Boolean(options.user) || Boolean(options.role));
  if (!contexts.some(isWrong)) return undefined;
  const names = namesOf(pod, ({ securityContext }) => isWrong(securityContext?.seLinuxOptions));
  const types = sorted(contexts.flatMap((options) => options?.type ?? []).filter((type) => !seLinuxTypes.has(type)));
  const what = [
    ...(types.length > 0 ? [listed("type", types)] : []),
    ...(contexts.some((options) => options?.user) ? ["user may not be set"] : []),
    ...(contexts.some((options) => options?.role) ? ["role may not be set"] : []),
  ];
  const who = setters(isWrong(pod.spec.securityContext?.seLinuxOptions), names);
  return {
    reason: "seLinuxOptions",
    detail: `${who} set forbidden securityContext.seLinuxOptions: ${what.join("; ")}`,
  };
};

type Secured = Pick<Container, "securityContext"> | Pick<PodSpec, "securityContext">;

const seccompOf = ({ securityContext }: Secured) => securityContext?.seccompProfile?.type;
const isWrongSeccomp = (type: string | undefined) =>
  type !== undefined && type !== "RuntimeDefault" && type !== "Localhost";

const seccompBaseline: Check = (pod) => {
  const own = isWrongSeccomp(seccompOf(pod.spec));
  const names = namesOf(pod, (container) => isWrongSeccomp(seccompOf(container)));
  if (!own && names.length === 0) return undefined;
  const types = [pod.spec, ...containersOf(pod.spec)].flatMap((each) => seccompOf(each) ?? []).filter(isWrongSeccomp);
  const values = quoted(sorted(types));
  return {
    reason: "seccompProfile",
    detail: `${setters(own, names)} must not set securityContext.seccompProfile.type to ${values}`,
  };
};

const safeSysctls = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
]);

const sysctls: Check = ({ spec }) => {
  const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safeSysctls.has(name));
  return names.length === 0 ? undefined : { reason: "forbidden sysctls", detail: names.join(", ") };
};

const hostProcess: Check = (pod) => {
  const is = ({ securityContext }: Secured) => securityContext?.windowsOptions?.hostProcess === true;
  const names = namesOf(pod, is);
  if (!is(pod.spec) && names.length === 0) return undefined;
  const who = setters(is(pod.spec), names);
  return { reason: "hostProcess", detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` };
};

const isWindows = ({ spec }: Judged) => spec.os?.name === "windows";

const escalation: Check = (pod) => {
  const names = namesOf(pod, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (isWindows(pod) || names.length === 0) return undefined;
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${listed("container", names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
};

const capabilitiesRestricted: Check = (pod) => {
  if (isWindows(pod)) return undefined;
  const keeping = namesOf(pod, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes("ALL"));
  const add = added(pod, (capability) => capability === "NET_BIND_SERVICE");
  const details = [
    ...(keeping.length > 0
      ? [`${listed("container", keeping)} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(add === undefined ? [] : [add]),
  ];
  return details.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: details.join("; ") };
};

const volumeTypes = new Set(
  "configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret".split(" "),
);

const restrictedVolumes: Check = ({ spec }) => {
  const wrong = (spec.volumes ?? []).map(({ name, ...sources }) => ({
    name,
    types: Object.entries(sources).flatMap(([type, source]) => (source === undefined ? [] : [type])),
  }));
  const found = wrong.filter(({ types }) => !types.some((type) => volumeTypes.has(type)));
  if (found.length === 0) return undefined;
  const names = found.map(({ name }) => name);
  const use = names.length === 1 ? "uses" : "use";
  const types = sorted(found.map((volume) => volume.types[0] ?? "unknown"));
  return {
    reason: "restricted volume types",
    detail: `${listed("volume", names)} ${use} ${listed("restricted volume type", types)}`,
  };
};

const runAsNonRoot: Check = (pod) => {
  const reason = "runAsNonRoot != true";
  const own = pod.spec.securityContext?.runAsNonRoot;
  const explicit = namesOf(pod, ({ securityContext }) => securityContext?.runAsNonRoot === false);
  if (own === false || explicit.length > 0)
    return { reason, detail: `${setters(own === false, explicit)} must not set securityContext.runAsNonRoot=false` };
  const silent = own ? [] : namesOf(pod, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${listed("container", silent)} must set securityContext.runAsNonRoot=true` };
};

const runAsUser: Check = (pod) => {
  const isRoot = ({ securityContext }: Secured) => securityContext?.runAsUser === 0;
  const names = namesOf(pod, isRoot);
  if (!isRoot(pod.spec) && names.length === 0) return undefined;
  return { reason: "runAsUser=0", detail: `${setters(isRoot(pod.spec), names)} must not set runAsUser=0` };
};

const seccompRestricted: Check = (pod) => {
  if (isWindows(pod)) return undefined;
  const wrong = seccompBaseline(pod);
  if (wrong || seccompOf(pod.spec) !== undefined) return wrong;
  const silent = namesOf(pod, (container) => seccompOf(container) === undefined);
  if (silent.length === 0) return undefined;
  const detail = `pod or ${listed("container", silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`;
  return { reason: "seccompProfile", detail };
};

/** Restricted replaces three of baseline's checks by stricter ones, which are told last. */
const replaced: readonly Check[] = [capabilitiesBaseline, hostPathVolumes, seccompBaseline];

const baseline: readonly Check[] = [
  appArmor,
  capabilitiesBaseline,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seLinux,
  seccompBaseline,
  sysctls,
  hostProcess,
];

const checksOf: Readonly<Record<Level, readonly Check[]>> = {
  privileged: [],
  baseline,
  restricted: [
    ...baseline.filter((check) => !replaced.includes(check)),
    escalation,
    capabilitiesRestricted,
    restrictedVolumes,
    runAsNonRoot,
    runAsUser,
    seccompRestricted,
  ],
};
