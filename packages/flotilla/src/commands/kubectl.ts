// flotilla kubectl: the user's own kubectl, with the kubeconfig of the application's cluster.
import { spawn } from "node:child_process";
import { runningCluster } from "../cluster-folder.ts";
import { CommandError } from "../errors.ts";

const howToGet = `kubectl is not on this machine. Get it from your package manager:
  macOS           brew install kubectl
  Debian, Ubuntu  apt-get install kubernetes-client
  others          https://kubernetes.io/docs/tasks/tools/`;

export async function kubectl(args: string[], options: { dir: string }): Promise<void> {
  const { folder } = runningCluster(options.dir);
  const child = spawn("kubectl", args, { stdio: "inherit", env: { ...process.env, KUBECONFIG: folder.kubeconfig } });
  // Ctrl-C reaches kubectl by itself; it decides what it means.
  process.on("SIGINT", () => {});
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "ENOENT" ? new CommandError(howToGet) : error),
    );
    child.on("exit", (code, signal) => resolve(signal ? 130 : (code ?? 1)));
  });
}
