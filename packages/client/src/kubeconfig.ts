/** Reads kubeconfig files: which server, whom to trust, who we are. Source: client-go tools/clientcmd. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type HttpApi, httpApi } from "./http-api.ts";
import type { ConnectionOptions } from "./http-connection.ts";

export interface KubeconfigContext {
  readonly name: string;
  /** Of the context; Kubernetes' default is "default". */
  readonly namespace: string;
  readonly connection: ConnectionOptions;
}

interface Cluster {
  readonly server?: string;
  readonly "certificate-authority"?: string;
  readonly "certificate-authority-data"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
  readonly "tls-server-name"?: string;
}
interface User {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly "client-certificate"?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key"?: string;
  readonly "client-key-data"?: string;
  readonly username?: string;
  readonly exec?: unknown;
  readonly "auth-provider"?: unknown;
}
interface Kubeconfig {
  readonly "current-context"?: string;
  readonly clusters?: readonly { readonly name: string; readonly cluster?: Cluster }[];
  readonly users?: readonly { readonly name: string; readonly user?: User }[];
  readonly contexts?: readonly {
    readonly name: string;
    readonly context?: { readonly cluster?: string; readonly user?: string; readonly namespace?: string };
  }[];
}

/** The API that a kubeconfig names; `context` left out: its current one. */
export async function httpApiFromKubeconfig(path: string, context?: string): Promise<HttpApi> {
  return httpApi((await readKubeconfig(path, context)).connection);
}

/** Throws an Error that names the file, what is wrong with it and, where there is one, the remedy. */
export async function readKubeconfig(path: string, wanted?: string): Promise<KubeconfigContext> {
  const wrong = (what: string) => new Error(`kubeconfig ${path}: ${what}`);
  const config = await parse(path, wrong);
  const name = wanted ?? config["current-context"];
  const names = (config.contexts ?? []).map((each) => each.name);
  if (!name) throw wrong(`has no current-context; choose one of: ${names.join(", ") || "(it has none)"}`);
  const context = config.contexts?.find((each) => each.name === name)?.context;
  if (!context) throw wrong(`no context "${name}"; it has: ${names.join(", ") || "none"}`);
  const cluster = config.clusters?.find((each) => each.name === context.cluster)?.cluster;
  if (!cluster?.server) throw wrong(`context "${name}": cluster "${context.cluster}" has no server`);
  if (!URL.canParse(cluster.server)) throw wrong(`cluster "${context.cluster}": server: no URL: ${cluster.server}`);
  const user = config.users?.find((each) => each.name === context.user)?.user ?? {};
  if (context.user && !config.users?.some((each) => each.name === context.user)) {
    throw wrong(`context "${name}": no user "${context.user}"`);
  }
  for (const unsupported of ["exec", "auth-provider", "username"] as const) {
    if (user[unsupported] === undefined) continue;
    throw wrong(`user "${context.user}": ${unsupported} is not supported; use a token or a client certificate`);
  }

  /** The text of a field that is given as base64 or as a file beside the kubeconfig. */
  const pem = async (data: string | undefined, file: string | undefined): Promise<string | undefined> => {
    if (data) return Buffer.from(data, "base64").toString("utf8");
    if (!file) return undefined;
    return readText(resolve(dirname(path), file), wrong);
  };
  const cert = await pem(user["client-certificate-data"], user["client-certificate"]);
  const key = await pem(user["client-key-data"], user["client-key"]);
  if ((cert === undefined) !== (key === undefined)) {
    throw wrong(`user "${context.user}": a client certificate needs its key, and the other way round`);
  }
  const { token, tokenFile } = user;
  return {
    name,
    namespace: context.namespace || "default",
    connection: {
      server: cluster.server,
      ca: await pem(cluster["certificate-authority-data"], cluster["certificate-authority"]),
      insecureSkipTlsVerify: cluster["insecure-skip-tls-verify"],
      tlsServerName: cluster["tls-server-name"],
      clientCert: cert !== undefined && key !== undefined ? { cert, key } : undefined,
      token:
        token ||
        (tokenFile ? async () => (await readText(resolve(dirname(path), tokenFile), wrong)).trim() : undefined),
    },
  };
}

async function parse(path: string, wrong: (what: string) => Error): Promise<Kubeconfig> {
  const text = await readText(path, wrong);
  try {
    // Ours are JSON, of which YAML is not needed to read it.
    const value: unknown = text.trimStart().startsWith("{") ? JSON.parse(text) : (await import("yaml")).parse(text);
    if (typeof value === "object" && value !== null) return value as Kubeconfig;
  } catch (error) {
    throw wrong(`is not YAML: ${error instanceof Error ? error.message : error}`);
  }
  throw wrong("is not a map");
}

async function readText(path: string, wrong: (what: string) => Error): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    throw wrong(code === "ENOENT" ? `there is no file ${path}` : `cannot read ${path}: ${code}`);
  }
}
