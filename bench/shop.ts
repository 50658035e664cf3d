/** The example application, running from a copy in a folder of its own. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { httpApiFromKubeconfig } from "@flotilla/client";
import { Pods } from "@flotilla/objects";
import { run } from "./child.ts";
import { commandLine, withChildren } from "./measure.ts";
import type { Resources } from "./resources.ts";

const example = fileURLToPath(new URL("../examples/shop", import.meta.url));
const flotilla = fileURLToPath(new URL("../packages/flotilla/bin/flotilla.mjs", import.meta.url));

export class Shop {
  readonly folder: string;

  /** It is taken down, and its folder removed, by `resources`. */
  constructor(resources: Resources) {
    this.folder = join(mkdtempSync(join(tmpdir(), "flotilla-bench-")), "shop");
    cpSync(example, this.folder, {
      recursive: true,
      filter: (path) => ![".flotilla", "node_modules"].includes(basename(path)),
    });
    resources.defer(() => rmSync(join(this.folder, ".."), { recursive: true, force: true }));
    resources.defer(async () => void (await this.down()));
  }

  /** Resolves when all services are ready. */
  up = (): Promise<string> => run([process.execPath, flotilla, "up", this.folder, "--detach", "--port", "8680"]);
  down = (): Promise<string> => run([process.execPath, flotilla, "down", this.folder]);

  get cluster(): { ports: { gateway: number } } {
    return JSON.parse(readFileSync(join(this.folder, ".flotilla", "cluster.json"), "utf8"));
  }

  /** The agent and its static pods: all that Flotilla itself runs. Pods of the application are not among them. */
  ownProcesses(): number[] {
    const { pid } = JSON.parse(readFileSync(join(this.folder, ".flotilla", "agent.json"), "utf8")) as { pid: number };
    return withChildren([pid]).filter((each) => /\/processes\/[a-z-]+\.[jt]s /.test(commandLine(each)));
  }

  /** "http://127.0.0.1:..." of one pod of a service, past the data plane. */
  async podAddress(service: string, port: number): Promise<string> {
    const api = await httpApiFromKubeconfig(join(this.folder, ".flotilla", "kubeconfig"));
    try {
      const { items } = await api.list(Pods, { labelSelector: `app.kubernetes.io/name=${service}` });
      const ip = items.find(({ metadata }) => !metadata.deletionTimestamp)?.status?.podIP;
      if (!ip) throw new Error(`${service} has no pod`);
      return `http://${ip}:${port}`;
    } finally {
      api.close();
    }
  }
}
