// Images that we make, on a real cluster with nodes: storefront and catalog become Ready there. Needs three things of the environment:
//   KUBERNETES_KUBECONFIG  a cluster-admin's, of a cluster that may be thrown away
//   KUBERNETES_NODE_IMAGE  an OCI archive of an image with Node.js 26 at /usr/local/bin/node
//   KUBERNETES_LOAD_IMAGE  a command line that loads the OCI archive it is given as its last argument into the cluster's node
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildImage, ImageStore, saveImage } from "@flotilla/image";
import { afterAll, describe, expect, test } from "vitest";
import { installGatewayApi } from "./gateway-api.ts";
import { rendered } from "./rendered.ts";

const {
  KUBERNETES_KUBECONFIG: kubeconfig = "",
  KUBERNETES_NODE_IMAGE: base = "",
  KUBERNETES_LOAD_IMAGE: load = "",
} = process.env;
const isThere = Boolean(kubeconfig && base && load);
if (!isThere)
  console.warn("SKIPPED: no real Kubernetes with a node; see the first lines of conformance/images.test.ts.");

const services = ["storefront", "catalog"];
const folder = mkdtempSync(join(tmpdir(), "flotilla-images-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function kubectl(input: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("kubectl", ["--kubeconfig", kubeconfig, ...args], {
    input,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
  return stdout;
}

describe.skipIf(!isThere)("on a real cluster", () => {
  test("storefront and catalog become Ready from images that we made", async () => {
    const store = new ImageStore(join(folder, "images"));
    for (const name of services) {
      const dir = new URL(`../examples/shop/${name}`, import.meta.url).pathname;
      const { reference } = await buildImage({
        dir,
        name: `shop-${name}`,
        store,
        platform: "linux-x64",
        report: () => {},
      });
      const file = join(folder, `${name}.tar`);
      await saveImage({ store, reference, file, name: `localhost/shop-${name}:dev`, base });
      execFileSync("sh", ["-c", `${load} "$0"`, file], { stdio: "inherit" });
    }
    installGatewayApi((...args) => kubectl("", ...args));
    const objects = rendered("staging").map(({ object }) => object);
    kubectl(JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }), "apply", "-f", "-");
    for (const name of services)
      expect(kubectl("", "-n", "shop-staging", "rollout", "status", `deployment/${name}`, "--timeout=120s")).toContain(
        "successfully rolled out",
      );
  }, 300_000);
});
