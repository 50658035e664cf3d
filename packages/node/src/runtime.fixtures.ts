/** Containers for tests. */
import { join } from "node:path";
import type { ContainerSpec } from "./runtime.ts";

export function specOf(folder: string, id: string, command: readonly string[], more: Partial<ContainerSpec> = {}) {
  const spec: ContainerSpec = {
    id,
    hostname: "pod",
    command,
    env: { GREETING: "hello" },
    workingDir: "/",
    user: { groups: [] },
    mounts: [],
    readOnlyRoot: false,
    noNewPrivileges: true,
    privileged: false,
    capabilities: { add: [], drop: [] },
    logPath: join(folder, "logs", id, "0.log"),
    ...more,
  };
  return spec;
}
