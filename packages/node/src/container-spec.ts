/**
 * What the runtime is asked to run: the container of the pod, its image's configuration, its environment and its mounts.
 *
 * Source: kubernetes pkg/kubelet/kuberuntime/kuberuntime_container.go, security_context.go, pkg/kubelet/container/helpers.go.
 */
import type { Container, Pod } from "@flotilla/objects";
import { bytesOf, hostnameOf, type Resolved } from "./container-env.ts";
import { expand } from "./expand.ts";
import type { ResolvedImage } from "./images.ts";
import type { ContainerSpec, ContainerUser, Mount } from "./runtime.ts";

export interface SpecContext {
  readonly id: string;
  readonly image: ResolvedImage;
  readonly env: Readonly<Record<string, string>>;
  /** Where each volume is on this machine. */
  readonly volumes: ReadonlyMap<string, string>;
  readonly logPath: string;
  /** Name files and such, the same for all containers of the pod. */
  readonly extraMounts: readonly Mount[];
  /** A folder whose container.cjs is loaded into Node.js. */
  readonly preload?: { readonly source: string; readonly target: string };
  /** What the container writes there becomes the message of its end. */
  readonly terminationFile?: string;
}

export function containerSpec(pod: Pod, container: Container, context: SpecContext): Resolved<ContainerSpec> {
  const { image, volumes, preload } = context;
  const user = userOf(pod, container, image);
  if (user.problem !== undefined) return user;
  const env = environment(container, context, pod.spec.hostNetwork === true ? undefined : preload?.target);
  const expanded = (words: readonly string[]) => words.map((word) => expand(word, (name) => env[name]));
  const command = [
    ...(container.command ? expanded(container.command) : (image.config.entrypoint ?? [])),
    ...(container.args ? expanded(container.args) : container.command ? [] : (image.config.cmd ?? [])),
  ];
  if (command.length === 0)
    return { problem: `no command: neither container ${container.name} nor image ${container.image} has one` };
  const mounts = new Map<string, Mount>();
  const add = (mount: Mount) => mounts.set(mount.target, mount);
  for (const mount of [...context.extraMounts, ...image.mounts]) add(mount);
  if (preload) add({ ...preload, readOnly: true });
  if (context.terminationFile)
    add({
      source: context.terminationFile,
      target: container.terminationMessagePath ?? "/dev/termination-log",
      readOnly: false,
    });
  for (const { name, mountPath, subPath, subPathExpr, readOnly } of container.volumeMounts ?? []) {
    const folder = volumes.get(name);
    if (folder === undefined)
      return { problem: `container ${container.name} mounts volume "${name}", which the pod does not have` };
    const below = subPathExpr === undefined ? (subPath ?? "") : expand(subPathExpr, (variable) => env[variable]);
    if (below.split("/").includes("..")) return { problem: `subPath "${below}" must not contain '..'` };
    const isFiles = pod.spec.volumes?.some(
      (each) => each.name === name && (each.configMap || each.secret || each.projected || each.downwardAPI),
    );
    add({
      source: below ? `${folder}/${below}` : folder,
      target: mountPath.length > 1 ? mountPath.replace(/\/+$/, "") : mountPath,
      readOnly: readOnly === true || Boolean(isFiles),
    });
  }
  const { securityContext = {} } = container;
  const ports = container.ports?.some(({ containerPort }) => containerPort < 1024);
  return {
    value: {
      id: context.id,
      hostname: hostnameOf(pod),
      command,
      env,
      workingDir: container.workingDir ?? (image.config.workingDir || "/"),
      user: user.value,
      mounts: [...mounts.values()],
      readOnlyRoot: securityContext.readOnlyRootFilesystem === true,
      noNewPrivileges: securityContext.allowPrivilegeEscalation === false,
      privileged: securityContext.privileged === true,
      capabilities: {
        // As container runtimes do, a port below 1024 that is declared may be listened on by every user.
        add: [...(securityContext.capabilities?.add ?? []), ...(ports ? ["NET_BIND_SERVICE"] : [])].map(bare),
        drop: (securityContext.capabilities?.drop ?? []).map(bare),
      },
      memoryBytes: bytesOf(container.resources?.limits?.memory),
      stdin: container.stdin === true,
      logPath: context.logPath,
    },
  };
}

const bare = (capability: string) => capability.toUpperCase().replace(/^CAP_/, "");

function environment(
  container: Container,
  { image, env }: SpecContext,
  preload: string | undefined,
): Record<string, string> {
  const fromImage = Object.fromEntries(
    (image.config.env ?? []).map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const merged = { ...fromImage, ...env };
  // HOST and PORT are ours to suggest, not to impose.
  for (const name of ["HOST", "PORT"])
    if (fromImage[name] !== undefined && !container.env?.some((each) => each.name === name))
      merged[name] = fromImage[name];
  // What the container says itself comes last, and so wins.
  const limit = bytesOf(container.resources?.limits?.memory);
  const options = [preload && `--require=${preload}/container.cjs`, limit && heapWithin(limit), merged.NODE_OPTIONS];
  if (preload) merged.NODE_OPTIONS = options.filter(Boolean).join(" ");
  merged.HOME ??= "/";
  return merged;
}

/**
 * A container runtime shows Node.js the limit of its control group, and V8 keeps its heap well below. Here it would size the heap by the
 * machine and be killed for it, so it is told: half of the limit for the old generation, a 64th for each third of the young one.
 */
function heapWithin(limit: number): string {
  const mebibytes = limit / 2 ** 20;
  const young = Math.max(1, Math.min(16, Math.floor(mebibytes / 64)));
  return `--max-old-space-size=${Math.max(16, Math.floor(mebibytes / 2))} --max-semi-space-size=${young}`;
}

function userOf(pod: Pod, container: Container, { config }: ResolvedImage): Resolved<ContainerUser> {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const [imageUser = "", imageGroup = ""] = (config.user ?? "").split(":");
  const uid = own.runAsUser ?? shared.runAsUser ?? (/^\d+$/.test(imageUser) ? Number(imageUser) : undefined);
  const gid = own.runAsGroup ?? shared.runAsGroup ?? (/^\d+$/.test(imageGroup) ? Number(imageGroup) : undefined);
  const mustNotBeRoot = own.runAsNonRoot ?? shared.runAsNonRoot ?? false;
  if (mustNotBeRoot && uid === undefined && imageUser !== "" && !/^\d+$/.test(imageUser))
    return {
      problem: `container has runAsNonRoot and image has non-numeric user (${imageUser}), cannot verify user is non-root (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`,
    };
  if (mustNotBeRoot && (uid === undefined || uid === 0))
    return {
      problem: `container has runAsNonRoot and image will run as root (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`,
    };
  const groups = [...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])];
  return { value: { uid, gid, groups } };
}
