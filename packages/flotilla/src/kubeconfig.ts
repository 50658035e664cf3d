/** What clients need to reach the cluster: the certificate, made once, and the kubeconfig, written whenever the port has changed. */
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock, systemRandom } from "@flotilla/ambient";
import { createServingCertificate, kubeconfig } from "@flotilla/apiserver/tls";
import { addressesOf, type Cluster } from "./cluster.ts";
import { CommandError } from "./errors.ts";
import type { StateFolder } from "./state-folder.ts";

export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const read = (folder: string): Certificates => ({
  ca: readFileSync(join(folder, "ca.crt"), "utf8"),
  cert: readFileSync(join(folder, "server.crt"), "utf8"),
  key: readFileSync(join(folder, "server.key"), "utf8"),
});

export const readCertificates = (folder: StateFolder): Certificates => read(folder.certificates);

/** What is there, and until when it is good (in ms); refused when its parts do not belong together. */
function whole(folder: string): { there: Certificates; until: number } {
  try {
    const there = read(folder);
    const cert = new X509Certificate(there.cert);
    if (!cert.checkIssued(new X509Certificate(there.ca))) throw new Error("server.crt was not issued by ca.crt");
    if (!cert.checkPrivateKey(createPrivateKey(there.key))) throw new Error("server.key is not the key of server.crt");
    return { there, until: cert.validToDate.getTime() };
  } catch (error) {
    throw new CommandError(
      `${folder} is damaged (${(error as Error).message}); nothing was deleted. Put a copy back in its place, or move it away: new ones are made.`,
    );
  }
}

/** Where pods find the API: the first address of the Services' range. */
const apiServiceAddress = (cluster: Cluster): string => addressesOf(cluster).services.replace(/\d+\/\d+$/, "1");

/** A certificate that ends sooner than this is made anew: 30 days, in ms. */
const renewBefore = 30 * 24 * 3600_000;

export async function ensureCertificates(folder: StateFolder, cluster: Cluster): Promise<Certificates> {
  if (existsSync(folder.certificates)) {
    const { there, until } = whole(folder.certificates);
    if (until - systemClock.now() > renewBefore) return there;
    rmSync(folder.certificates, { recursive: true });
  }
  const made = await createServingCertificate({
    dnsNames: ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
    ips: ["127.0.0.1", "::1", apiServiceAddress(cluster)],
    clock: systemClock,
    random: systemRandom,
  });
  const folderBeingMade = `${folder.certificates}.new`;
  mkdirSync(folderBeingMade, { recursive: true, mode: 0o700 });
  writeFileSync(join(folderBeingMade, "ca.crt"), made.ca);
  writeFileSync(join(folderBeingMade, "server.crt"), made.cert);
  writeFileSync(join(folderBeingMade, "server.key"), made.key, { mode: 0o600 });
  renameSync(folderBeingMade, folder.certificates);
  return read(folder.certificates);
}

/** What the tokens of ServiceAccounts are signed with; made when it is first asked for. PEM. */
export function serviceAccountKey(folder: StateFolder): string {
  const file = join(folder.certificates, "service-account.key");
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  }
  return readFileSync(file, "utf8");
}

export const serverOf = (cluster: Cluster): string => `https://127.0.0.1:${cluster.ports.api}`;

export function writeKubeconfig(folder: StateFolder, cluster: Cluster, ca: string, namespace: string): void {
  const text = kubeconfig({ server: serverOf(cluster), ca, token: cluster.tokens.admin, namespace, name: "flotilla" });
  writeFileSync(folder.kubeconfig, text, { mode: 0o600 });
  chmodSync(folder.kubeconfig, 0o600);
}
