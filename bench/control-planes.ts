/** Two control planes, each from nothing: how to start one, what it is asked first, and with which credentials. */
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCluster } from "../packages/flotilla/src/cluster.ts";
import { freePort } from "../packages/flotilla/src/free-port.ts";
import { ensureCertificates } from "../packages/flotilla/src/kubeconfig.ts";
import { commandOf, compileCache } from "../packages/flotilla/src/processes/spawn.ts";
import { stateFolder } from "../packages/flotilla/src/state-folder.ts";
import { type Child, start } from "./child.ts";
import type { Resources } from "./resources.ts";

export interface ControlPlane {
  readonly name: string;
  readonly port: number;
  readonly token: string;
  /** In an empty state; all of its processes. */
  start(): Child[];
}

function emptyFolder(resources: Resources): string {
  const folder = mkdtempSync(join(tmpdir(), "flotilla-bench-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function embedded(resources: Resources): Promise<ControlPlane> {
  const folder = stateFolder(emptyFolder(resources));
  const cluster = await openCluster(folder, 0);
  const { ports, tokens } = cluster;
  await ensureCertificates(folder, cluster);
  const env = { NODE_COMPILE_CACHE: compileCache() };
  const command = commandOf("control-plane", folder.root);
  return { name: "flotilla", port: ports.api, token: tokens.admin, start: () => [start(command, env)] };
}

/** Undefined, and why, without the two programs. */
export async function upstream(resources: Resources): Promise<ControlPlane | string> {
  const { KUBE_APISERVER: server, ETCD: etcd } = process.env;
  if (!server || !etcd) return "set KUBE_APISERVER and ETCD to their binaries";
  for (const file of [server, etcd]) if (!existsSync(file)) return `there is no ${file}`;
  const folder = emptyFolder(resources);
  const file = (name: string, content = "") => {
    const path = join(folder, name);
    if (content) writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const keys = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const token = "benchmark";
  const client = await freePort(0);
  const port = await freePort(0);
  const clientURL = `http://127.0.0.1:${client}`;
  const peerURL = `http://127.0.0.1:${await freePort(0)}`;
  const database = [etcd, "--data-dir", file("etcd"), "--log-level", "warn"];
  database.push("--listen-client-urls", clientURL, "--advertise-client-urls", clientURL);
  database.push("--listen-peer-urls", peerURL, "--initial-advertise-peer-urls", peerURL);
  database.push("--initial-cluster", `default=${peerURL}`);
  const api = [
    server,
    `--etcd-servers=${clientURL}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    `--cert-dir=${file("certificates")}`,
    `--token-auth-file=${file("tokens.csv", `${token},admin,admin,system:masters\n`)}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${file("accounts.pub", keys.publicKey)}`,
    `--service-account-signing-key-file=${file("accounts.key", keys.privateKey)}`,
    "--service-cluster-ip-range=10.96.0.0/16",
    "--authorization-mode=RBAC",
    // There is nothing but loopback to tell others of.
    "--endpoint-reconciler-type=none",
    "--advertise-address=127.0.0.1",
  ];
  return { name: "kube-apiserver + etcd", port, token, start: () => [start(database), start(api)] };
}

/** Whether it answers what `kubectl get pods` asks. */
export const answersGet = ({ port, token }: ControlPlane): Promise<boolean> =>
  new Promise((resolve) => {
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    const asked = request({
      host: "127.0.0.1",
      port,
      path: "/api/v1/namespaces/default/pods?limit=500",
      headers: { authorization: `Bearer ${token}`, accept },
      rejectUnauthorized: false,
      agent: false,
      timeout: 5000,
    });
    asked.on("response", (response) => {
      response.resume().on("end", () => resolve(response.statusCode === 200));
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(false));
    asked.end();
  });
