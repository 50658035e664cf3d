/** What this machine is, for its node object. */
import { existsSync, readFileSync } from "node:fs";
import { arch, availableParallelism, hostname, platform, release, totalmem } from "node:os";
import type { NodeDescription } from "./node-controller.ts";

const architectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
const platforms: Readonly<Record<string, string>> = { win32: "windows" };

/** Source: kubernetes pkg/kubelet/apis/config/v1beta1/defaults.go (maxPods). */
const mostPods = 110;

export function describeNode(
  facts: Pick<NodeDescription, "name" | "podCIDR" | "hostIP" | "kubeletPort"> & { readonly version: string },
): NodeDescription {
  const { version, ...rest } = facts;
  const architecture = architectures[arch()] ?? arch();
  const os = platforms[platform()] ?? platform();
  return {
    ...rest,
    hostname: hostname().toLowerCase(),
    os,
    architecture,
    capacity: {
      cpu: String(availableParallelism()),
      memory: `${Math.floor(totalmem() / 1024)}Ki`,
      "ephemeral-storage": "100Gi",
      pods: String(mostPods),
    },
    info: {
      architecture,
      operatingSystem: os,
      kernelVersion: release(),
      osImage: osImage(),
      machineID: textOf("/etc/machine-id"),
      systemUUID: textOf("/etc/machine-id"),
      bootID: textOf("/proc/sys/kernel/random/boot_id"),
      containerRuntimeVersion: `process://${process.versions.node}`,
      kubeletVersion: version,
      kubeProxyVersion: "",
    },
  };
}

const textOf = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").trim() : "");

const osImage = () => /^PRETTY_NAME="?([^"\n]*)/m.exec(textOf("/etc/os-release"))?.[1] ?? platform();
