/** The node agent, composed: the pods, the names, the node's own object, the static pods and the kubelet's HTTP API. */
import { join } from "node:path";
import type { Cancel, Clock, Random } from "@flotilla/ambient";
import { type Api, type Controller, type Effects, type Log, type Running, runControllers } from "@flotilla/client";
import { type KubeObject, ServiceAccounts } from "@flotilla/objects";
import { addresses } from "./addresses.ts";
import type { Checks } from "./checks.ts";
import { describeNode } from "./describe-node.ts";
import { type HostsEffect, hostLines, hostsController } from "./hosts-controller.ts";
import type { Images } from "./images.ts";
import { type KubeletServer, serveKubelet } from "./kubelet-server.ts";
import { isRunning, type LocalPod } from "./local-pod.ts";
import { mirrorController } from "./mirror-controller.ts";
import { networkChecks } from "./network-checks.ts";
import { nodeController } from "./node-controller.ts";
import { nextToEnd } from "./pod-actions.ts";
import { podController } from "./pod-controller.ts";
import type { PodFiles } from "./pod-files.ts";
import { podFolders } from "./pod-folders.ts";
import type { AgentFacts } from "./pod-observation.ts";
import { podStatusController } from "./pod-status-controller.ts";
import { graceOf } from "./pod-verdict.ts";
import { PodWorker } from "./pod-worker.ts";
import { takeBackReadiness } from "./readiness-claims.ts";
import type { Runtime } from "./runtime.ts";
import { type StaticPod, type StaticPodState, startStaticPods } from "./static-pods.ts";
import { usageSampler } from "./usage.ts";
import { volumeFolders } from "./volume-folders.ts";
import type { Volumes } from "./volumes.ts";

export interface AgentOptions {
  readonly api: Api;
  readonly clock: Clock;
  readonly random: Random;
  readonly runtime: Runtime;
  readonly images: Images;
  readonly nodeName: string;
  /** The range that pods' addresses are taken from: "127.96.1.0/24". */
  readonly podCIDR: string;
  /** A folder of the agent's own. */
  readonly stateDir: string;
  /** Where container logs lie; default: below stateDir. */
  readonly logsDir?: string;
  /** Left out: nothing is served, and the node object has no port. Port 0: any. */
  readonly kubelet?: { readonly port: number; readonly token: string };
  readonly staticPods?: readonly StaticPod[];
  /** Resolves when the API can be asked; static pods do not wait for it. */
  readonly apiReady?: Promise<void>;
  /** The node's own address. */
  readonly hostIP?: string;
  /** Shown as the version of the kubelet. */
  readonly version?: string;
  /** What real containers are given by real means; simulations bring their own. */
  readonly checks?: Checks;
  readonly volumes?: Volumes;
  readonly files?: PodFiles;
  /** Load the preload into Node.js containers; default: true. */
  readonly preload?: boolean;
  /** Containers are told to send their telemetry there, by OTLP/HTTP: "http://127.0.0.1:4318". */
  readonly otlp?: { readonly endpoint: string };
  readonly log?: Log;
}

export interface StopOptions {
  /** Not built: containers are children of the agent and end with it. */
  readonly keepPods?: false;
  /** Nobody waits for traffic to move. */
  readonly skipPreStop?: boolean;
  /** The longest grace for each container; default: its own. Milliseconds. */
  readonly graceMs?: number;
}

export interface Agent {
  /** Of the kubelet's HTTP API; undefined when it is not served. */
  readonly kubeletPort: number | undefined;
  readonly pods: () => readonly LocalPod[];
  readonly staticPods: () => readonly StaticPodState[];
  /** Ends all pods and static pods, and leaves no process. */
  stop(options?: StopOptions): Promise<void>;
  /** The agent stops looking after its containers at once and says nothing: for tests of what a crash leaves. */
  crash(): Promise<void>;
}

const preloadTarget = "/run/flotilla/preload";
const staticGraceMs = 5000;
/** An API that is already gone is not waited for. Milliseconds. */
const lastWordWithin = 1000;
/** By then every pod that the API knows has been seen. Milliseconds. */
const tidyAfter = 10_000;

export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { api, clock, random, runtime, images, nodeName, podCIDR, stateDir } = options;
  const { hostIP = "127.0.0.1", version = "v1.34.0", logsDir = join(stateDir, "logs"), log = () => {} } = options;
  const onError = (error: Error) => log({ level: "warn", message: error.message, error });
  const files = options.files ?? podFolders(join(stateDir, "pods"));
  const checks = options.checks ?? networkChecks(runtime, clock);
  const volumes =
    options.volumes ?? volumeFolders({ clock, root: join(stateDir, "volumes"), requestToken: tokens(api) });
  const preload = { source: join(import.meta.dirname, "preload"), target: preloadTarget };

  const staticPods = startStaticPods({ pods: options.staticPods ?? [], runtime, clock, logsDir, onError });
  const worker = new PodWorker({
    clock,
    random,
    runtime,
    images,
    volumes,
    checks,
    files,
    hostIP,
    logsDir,
    onError,
    addresses: addresses(podCIDR, clock),
    preload: options.preload === false ? undefined : preload,
  });
  const usage = usageSampler(runtime, clock);
  let kubelet: KubeletServer | undefined;
  if (options.kubelet)
    kubelet = await serveKubelet({
      ...options.kubelet,
      nodeName,
      runtime,
      clock,
      logsDir,
      usage,
      store: worker.store,
      staticPods,
      hostIP,
    });

  const node = describeNode({ name: nodeName, podCIDR, hostIP, kubeletPort: kubelet?.port, version });
  const facts: AgentFacts = {
    nodeName,
    hostIP,
    allocatable: node.capacity,
    scheme: runtime.scheme,
    otlpEndpoint: options.otlp?.endpoint,
  };
  const controllers = [
    podController(facts, worker.store.source),
    podStatusController(facts, worker.store.source),
    nodeController(node),
    hostsController,
    ...((options.staticPods?.length ?? 0) > 0
      ? [mirrorController({ nodeName, hostIP, image: `flotilla:${version}` }, staticPods.source)]
      : []),
  ] as readonly Controller[];
  const effects: Effects = {
    node: worker.perform,
    async hosts(effect) {
      const { names } = effect as HostsEffect;
      files.setHosts((namespace) => hostLines(names, namespace));
    },
  };
  let running: Running | undefined;
  let ended = false;
  const begin = () => {
    if (ended) return;
    running = runControllers({ api, controllers, clock, random, effects, recorder: "kubelet", log });
    void running.started.then(() => {
      cancelTidy = clock.after(tidyAfter, () => void worker.tidy().catch(onError), { background: true });
    });
  };
  let cancelTidy: Cancel = () => {};
  const takeBack = () => takeBackReadiness(api, nodeName, clock.now()).catch(onError);
  void (options.apiReady ?? Promise.resolve()).then(takeBack).then(begin).catch(onError);

  async function endPods({ graceMs = Number.POSITIVE_INFINITY, skipPreStop = false }: StopOptions) {
    worker.skipPreStop = skipPreStop;
    const endPod = async (local: LocalPod) => {
      const grace = Math.min(graceOf(local.pod) * 1000, graceMs);
      for (;;) {
        const now = worker.store.get(local.uid);
        const names = now ? nextToEnd(now.pod, now) : [];
        if (!now || names.length === 0) return;
        await Promise.all(names.map((name) => worker.end(local.uid, name, grace)));
      }
    };
    await Promise.all(
      worker.store
        .list()
        .filter((local) => Object.values(local.containers).some(isRunning))
        .map(endPod),
    );
  }

  return {
    kubeletPort: kubelet?.port,
    pods: () => worker.store.list(),
    staticPods: () => staticPods.states(),
    async stop(stopOptions = {}) {
      ended = true;
      cancelTidy();
      await running?.stop();
      await endPods(stopOptions);
      if (running) await within(clock, lastWordWithin, takeBack());
      worker.close();
      usage.stop();
      await staticPods.stop(Math.min(staticGraceMs, stopOptions.graceMs ?? staticGraceMs));
      await kubelet?.close();
      await runtime.close();
    },
    async crash() {
      ended = true;
      cancelTidy();
      worker.close();
      usage.stop();
      await Promise.all([running?.stop(), kubelet?.close()]);
    },
  };
}

/** Resolves with the promise, or after `ms` without it. */
function within(clock: Clock, ms: number, promise: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, resolve);
    promise.then(resolve, reject).finally(cancel);
  });
}

/** Tokens of ServiceAccounts, as TokenRequests. */
const tokens =
  (api: Api): Parameters<typeof volumeFolders>[0]["requestToken"] =>
  async (pod, audience, expirationSeconds) => {
    const { namespace, name, uid } = pod.metadata;
    const request = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      metadata: { namespace, name: pod.spec.serviceAccountName ?? "default" },
      spec: {
        audiences: audience ? [audience] : [],
        expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    };
    const answer = await api.write<KubeObject>({
      verb: "create",
      resource: ServiceAccounts,
      subresource: "token",
      object: request,
    });
    const { token, expirationTimestamp } = (
      answer as unknown as { status: { token: string; expirationTimestamp: string } }
    ).status;
    return { token, expiresAt: Date.parse(expirationTimestamp) };
  };
