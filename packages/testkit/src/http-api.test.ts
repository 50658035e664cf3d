/** The API over HTTP passes the cases of every `Api`, against the real server; with TLS, and a kubeconfig. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "@flotilla/ambient";
import {
  administrator,
  createControlPlane,
  createServingCertificate,
  kubeconfig,
  memoryPersistence,
  serveApi,
} from "@flotilla/apiserver";
import { ApiUnreachableError, httpApi, httpApiFromKubeconfig } from "@flotilla/client";
import { Namespaces } from "@flotilla/objects";
import { expect, test } from "vitest";
import { apiCases } from "../../client/src/api.cases.ts";

const token = "admin-token";

async function serving(tls?: { cert: string; key: string }) {
  const world = { clock: systemClock, random: systemRandom };
  const plane = await createControlPlane({ ...world, persistence: memoryPersistence() });
  const server = await serveApi({
    ...world,
    registry: plane.registry,
    port: 0,
    tls,
    authenticate: (given) => (given === token ? administrator : undefined),
    kubelet: { token: "unused" },
    log: () => undefined,
  });
  const close = async () => {
    await server.close();
    await plane.close();
  };
  return { port: server.port, close };
}

apiCases(async () => {
  const { port, close } = await serving();
  const api = httpApi({ server: `http://127.0.0.1:${port}`, token });
  return {
    api,
    async close() {
      api.close();
      await close();
    },
  };
});

test("by a kubeconfig, over TLS, and only whom it trusts", async () => {
  const world = { clock: systemClock, random: systemRandom };
  const certificate = await createServingCertificate({ ...world, dnsNames: ["localhost"], ips: ["127.0.0.1"] });
  const { port, close } = await serving(certificate);
  const folder = await mkdtemp(join(tmpdir(), "http-api-"));
  try {
    const path = join(folder, "kubeconfig");
    const server = `https://127.0.0.1:${port}`;
    await writeFile(path, kubeconfig({ server, ca: certificate.ca, token, name: "test" }));
    const api = await httpApiFromKubeconfig(path);
    expect((await api.get(Namespaces, { name: "default" })).metadata.name).toBe("default");
    expect((await api.resources()).map(({ plural }) => plural)).toContain("deployments");
    api.close();

    const distrusting = httpApi({ server, token });
    await expect(distrusting.list(Namespaces)).rejects.toBeInstanceOf(ApiUnreachableError);
    const stranger = httpApi({ server, ca: certificate.ca, token: "wrong" });
    await expect(stranger.list(Namespaces)).rejects.toMatchObject({ code: 401, reason: "Unauthorized" });
    distrusting.close();
    stranger.close();
  } finally {
    await close();
    await rm(folder, { recursive: true });
  }
});
