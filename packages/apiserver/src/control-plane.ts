/** The control plane without its HTTP side: store, registry, and what every cluster has from the start. */
import type { Clock, Random } from "@flotilla/ambient";
import type { Api } from "@flotilla/client";
import { parseCidr } from "./admission/cidr.ts";
import { type Endpoint, furnish, publishEndpoint, renewAuthority } from "./bootstrap.ts";
import { serveCustomResources } from "./custom/serve-custom.ts";
import { expireEvents } from "./event-expiry.ts";
import { localApi } from "./local-api.ts";
import { createRegistry } from "./registry/create-registry.ts";
import type { TokenIssuer } from "./registry/parts.ts";
import { ServedResources } from "./registry/served-resources.ts";
import { versionedRegistry } from "./registry/versioned-registry.ts";
import type { Registry, RequestContext, UserInfo } from "./registry.ts";
import type { Persistence } from "./store/persistence.ts";
import { Store } from "./store/store.ts";

export interface ControlPlaneOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly persistence: Persistence;
  /** IPv4 range of Service addresses; the first is the API's own Service. */
  readonly serviceCIDR?: string;
  readonly tokens?: TokenIssuer;
  /** PEM of the authority that signed the API's certificate; in every namespace's ConfigMap kube-root-ca.crt. */
  readonly certificateAuthority?: string;
  /** Where the API listens, if it is known already. */
  readonly endpoint?: Endpoint;
  /** Hears of what went wrong behind the scenes and is tried again. */
  readonly log?: (message: string) => void;
}

export interface ControlPlane {
  readonly registry: Registry;
  /** The API as that user sees it; without one, as its administrator. */
  api(user?: UserInfo, fieldManager?: string): Api;
  /** Says in default/kubernetes where the API listens. */
  publish(endpoint: Endpoint): Promise<void>;
  /** Ends all watches, commits what is staged and closes the state. */
  close(): Promise<void>;
}

const serviceCidr = "10.96.0.0/16";
const usualEndpoint: Endpoint = { address: "127.0.0.1", port: 6443 };

export const administrator: UserInfo = {
  username: "kubernetes-admin",
  groups: ["system:masters", "system:authenticated"],
};

const itself: UserInfo = { username: "system:apiserver", groups: ["system:masters"] };

const contextOf = (user: UserInfo, fieldManager: string): RequestContext => ({
  user,
  fieldManager,
  dryRun: false,
  fieldValidation: "Strict",
  // Nobody reads the warnings of a request that is made in the same process.
  warn: () => undefined,
});

export async function createControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { clock, random, persistence, tokens, certificateAuthority = "", endpoint = usualEndpoint } = options;
  const serviceCIDR = options.serviceCIDR ?? serviceCidr;
  parseCidr(serviceCIDR);
  const store = new Store(persistence, clock);
  const served = new ServedResources();
  serveCustomResources(store, served);
  const registry = versionedRegistry(
    createRegistry({ store, clock, random, served, serviceCIDR, tokens, certificateAuthority }),
  );
  const own = contextOf(itself, "kube-apiserver");
  await furnish(registry, own, serviceCIDR);
  await renewAuthority(registry, own, certificateAuthority);
  await publishEndpoint(registry, own, endpoint);
  const stopExpiry = expireEvents(registry, clock, own, (error) => options.log?.(`an old event stays: ${error}`));
  return {
    registry,
    api: (user = administrator, fieldManager = "flotilla") => localApi(registry, contextOf(user, fieldManager)),
    publish: (where) => publishEndpoint(registry, own, where),
    async close() {
      stopExpiry();
      served.end();
      await store.close();
    },
  };
}
