/** The node's own files of each pod, in a folder per pod: <root>/<uid>. */
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Pod } from "@flotilla/objects";
import { hostnameOf } from "./container-env.ts";
import type { PodFiles } from "./pod-files.ts";

/** Source: kubernetes pkg/kubelet/container/runtime.go: what a message may hold, from the file and from the log. */
const mostMessageBytes = 4096;
const mostLogBytes = 2048;
const mostLogLines = 80;

interface Known {
  readonly pod: Pod;
  readonly podIP: string;
}

export function podFolders(root: string): PodFiles {
  const known = new Map<string, Known>();
  let linesFor: (namespace: string) => string = () => "";
  const folderOf = ({ metadata: { uid = "" } }: Pod) => join(root, uid);
  const terminationFile = (pod: Pod, container: string, restartCount: number) =>
    join(folderOf(pod), `termination-${container}-${restartCount}`);

  function writeHosts({ pod, podIP }: Known) {
    const path = join(folderOf(pod), "hosts");
    const text = hostsFile(pod, podIP, linesFor(pod.metadata.namespace ?? ""));
    // In place: the file is mounted, so it must stay the same file.
    if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
  }

  return {
    prepare(pod, podIP) {
      mkdirSync(folderOf(pod), { recursive: true });
      const each = { pod, podIP };
      known.set(pod.metadata.uid ?? "", each);
      writeHosts(each);
      writeFileSync(join(folderOf(pod), "resolv.conf"), resolvConf(pod));
    },
    mounts: (pod) =>
      ["hosts", "resolv.conf"].map((name) => ({
        source: join(folderOf(pod), name),
        target: `/etc/${name}`,
        readOnly: false,
      })),
    terminationFile(pod, container, restartCount) {
      const path = terminationFile(pod, container, restartCount);
      writeFileSync(path, "");
      chmodSync(path, 0o666);
      return path;
    },
    terminationMessage(pod, { name, terminationMessagePolicy }, restartCount, exitCode, logPath) {
      const path = terminationFile(pod, name, restartCount);
      const said = existsSync(path) ? readFileSync(path, "utf8").slice(0, mostMessageBytes) : "";
      rmSync(path, { force: true });
      if (said || exitCode === 0 || terminationMessagePolicy !== "FallbackToLogsOnError") return said || undefined;
      return lastLines(logPath);
    },
    setHosts(lines) {
      linesFor = lines;
      for (const each of known.values()) writeHosts(each);
    },
    keepOnly(podUids) {
      for (const uid of existsSync(root) ? readdirSync(root) : [])
        if (!podUids.has(uid)) rmSync(join(root, uid), { recursive: true, force: true });
    },
    remove(pod) {
      known.delete(pod.metadata.uid ?? "");
      rmSync(folderOf(pod), { recursive: true, force: true });
    },
  };
}

/** Source: kubernetes pkg/kubelet/kubelet_pods.go (managedHostsFileContent). */
export function hostsFile(pod: Pod, podIP: string, services: string): string {
  const hostname = hostnameOf(pod);
  const { subdomain, hostNetwork, hostAliases = [] } = pod.spec;
  const domain = subdomain ? [`${hostname}.${subdomain}.${pod.metadata.namespace}.svc.cluster.local`] : [];
  const aliases = hostAliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}\n`).join("");
  // The containers of a pod reach each other as localhost, which is the pod's address here.
  const localhost = hostNetwork ? "127.0.0.1" : podIP;
  return `# Written by Flotilla's node agent.\n${localhost}\tlocalhost\n${podIP}\t${[...domain, hostname].join("\t")}\n${aliases}${services}`;
}

/** Names are in the hosts file; all others are asked of the machine's own servers. */
function resolvConf({ spec: { dnsPolicy, dnsConfig } }: Pod): string {
  const host = existsSync("/etc/resolv.conf") ? readFileSync("/etc/resolv.conf", "utf8") : "";
  const servers = dnsConfig?.nameservers?.map((server) => `nameserver ${server}\n`).join("") ?? "";
  const searches = dnsConfig?.searches?.length ? `search ${dnsConfig.searches.join(" ")}\n` : "";
  return `${dnsPolicy === "None" ? "" : host}${servers}${searches}`;
}

function lastLines(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSync(path, "r");
  const { size } = fstatSync(file);
  // Every line carries some forty bytes of its own.
  const bytes = Buffer.alloc(Math.min(size, mostLogBytes + mostLogLines * 64));
  readSync(file, bytes, 0, bytes.length, size - bytes.length);
  closeSync(file);
  const lines = bytes.toString("utf8").trimEnd().split("\n").slice(-mostLogLines);
  const said = lines.map((line) => line.replace(/^\S+ std(?:out|err) [FP] /, "")).join("\n");
  return said.slice(-mostLogBytes) || undefined;
}
