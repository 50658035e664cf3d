/** The Gateway API's CustomResourceDefinitions, from the Go module that publishes them: the standard channel. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

function gatewayDefinitions(): string[] {
  const module = execFileSync("go", ["mod", "download", "-json", "sigs.k8s.io/gateway-api@v1.4.1"], {
    encoding: "utf8",
  });
  const folder = join((JSON.parse(module) as { Dir: string }).Dir, "config", "crd", "standard");
  return readdirSync(folder)
    .filter((file) => file.startsWith("gateway"))
    .map((file) => join(folder, file));
}

/** Installs them by `kubectl`, which throws when it fails, and waits until they are served. */
export function installGatewayApi(kubectl: (...args: string[]) => unknown): void {
  for (const file of gatewayDefinitions()) kubectl("apply", "--server-side", "-f", file);
  kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s");
}
