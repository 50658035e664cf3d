/**
 * Says of each APIService whether it can be reached: its condition Available.
 *
 * Source: kube-aggregator pkg/controllers/status (remote, local); reasons and messages too.
 */
import {
  type APIService,
  APIServices,
  EndpointSlices,
  getCondition,
  isConflict,
  isNotFound,
  type KubeObject,
  type Resource,
  type Service,
  Services,
  setCondition,
} from "@flotilla/objects";
import type { ChangeStream, RequestContext } from "../registry.ts";
import { askResources } from "./aggregation.ts";
import { endpointOf } from "./backends.ts";
import type { Serving } from "./serving.ts";

type Condition = NonNullable<NonNullable<APIService["status"]>["conditions"]>[number];
type Finding = Pick<Condition, "status" | "reason" | "message">;

/** Milliseconds: after a change, so that a burst of them is looked at once; and without any. */
const settling = 100;
const lookEvery = 30_000;
/** Milliseconds until one that did not answer is asked again; each time twice as many. */
const askAgain = 500;

const serviceName = "kubernetes.io/service-name";

const context: RequestContext = {
  user: { username: "system:apiserver", groups: ["system:masters"] },
  fieldManager: "kube-apiserver",
  dryRun: false,
  fieldValidation: "Ignore",
  warn: () => undefined,
};

/** Goes on until the server closes. */
export function watchAvailability(serving: Serving): void {
  const { registry, clock, log } = serving;
  const streams = new Map<Resource, ChangeStream>();
  let isClosed = false;
  let isLooking = false;
  let isChanged = false;
  /** Looks in a row at which one did not answer. */
  let unanswered = 0;
  let cancel = clock.after(settling, look, { background: true });

  const all = () => registry.list(APIServices).items as APIService[];
  const concerns = ({ kind, metadata }: KubeObject): boolean => {
    if (kind === APIServices.kind) return true;
    const name = kind === Services.kind ? metadata.name : metadata.labels?.[serviceName];
    return all().some(({ spec }) => spec?.service?.name === name && spec?.service?.namespace === metadata.namespace);
  };

  const follow = (resource: Resource) => {
    const { resourceVersion } = registry.list(resource, { limit: 1 }).metadata;
    const stream = registry.watch(
      resource,
      { resourceVersion },
      {
        next: ({ type, object }) => {
          if (type !== "BOOKMARK" && concerns(object)) wake(settling);
        },
        end: (error) => {
          if (isClosed) return;
          if (error) log(`watching ${resource.plural} for the availability of API services was cut`, error);
          follow(resource);
          wake(settling);
        },
      },
    );
    streams.set(resource, stream);
  };
  for (const resource of [APIServices, Services, EndpointSlices]) follow(resource);

  serving.onClose(() => {
    isClosed = true;
    cancel();
    for (const stream of streams.values()) stream.close();
  });

  function wake(delay: number): void {
    isChanged = true;
    if (isLooking || isClosed) return;
    cancel();
    cancel = clock.after(delay, look, { background: true });
  }

  async function look(): Promise<void> {
    isLooking = true;
    isChanged = false;
    const answers = await Promise.all(all().map(report));
    isLooking = false;
    if (isClosed) return;
    unanswered = answers.includes(false) ? unanswered + 1 : 0;
    const again = unanswered > 0 ? Math.min(lookEvery, askAgain * 2 ** (unanswered - 1)) : lookEvery;
    cancel();
    cancel = clock.after(isChanged ? settling : again, look, { background: true });
  }

  /** False where a server is to be asked again soon: nothing of what is watched may tell that it answers. */
  async function report(service: APIService): Promise<boolean> {
    const { name } = service.metadata;
    try {
      const finding = await findingOf(serving, service);
      const answered = finding.reason !== "FailedDiscoveryCheck";
      const before = getCondition(service.status?.conditions, "Available");
      if (isClosed || (before?.status === finding.status && before.message === finding.message)) return answered;
      const now = new Date(clock.now());
      const conditions = setCondition<Condition>(service.status?.conditions, { type: "Available", ...finding }, now);
      const reported = { ...service, status: { ...service.status, conditions } } as KubeObject;
      await registry.update({ resource: APIServices, name, subresource: "status" }, reported, context);
      return answered;
    } catch (error) {
      // Where it has changed meanwhile, that brings about the next look.
      const isOvertaken = isConflict(error) || isNotFound(error);
      if (!isOvertaken) log(`cannot report on API service ${name}`, error);
      return isOvertaken;
    }
  }
}

async function findingOf(serving: Serving, service: APIService): Promise<Finding> {
  const { service: target, group, version } = service.spec ?? {};
  if (!target) return { status: "True", reason: "Local", message: "Local APIServices are always available" };
  const missing = missingOf(serving, target);
  if (missing) return { status: "False", ...missing };
  try {
    await askResources(serving, service, `/apis/${group}/${version}`);
    return { status: "True", reason: "Passed", message: "all checks passed" };
  } catch (error) {
    const message = `failing or missing response from ${target.namespace}/${target.name}: ${(error as Error).message}`;
    return { status: "False", reason: "FailedDiscoveryCheck", message };
  }
}

type Target = NonNullable<NonNullable<APIService["spec"]>["service"]>;

/** What keeps requests from even being sent. */
function missingOf(serving: Serving, { namespace, name = "", port = 443 }: Target) {
  const { registry } = serving;
  const subject = `service/${name} in ${JSON.stringify(namespace ?? "")}`;
  let found: Service;
  try {
    found = registry.get(Services, { namespace, name }) as Service;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return { reason: "ServiceNotFound", message: `${subject} is not present` };
  }
  const asked = found.spec.ports?.find((each) => each.port === port);
  if (!asked) return { reason: "ServicePortError", message: `${subject} is not listening on port ${port}` };
  const slices = registry.list(EndpointSlices, { namespace, labelSelector: `${serviceName}=${name}` }).items;
  if (slices.length === 0) return { reason: "EndpointsNotFound", message: `cannot find endpointslices for ${subject}` };
  try {
    endpointOf(serving, namespace, name, String(port));
  } catch {
    // Its only reason here: none is ready.
    const message = `endpointslices for ${subject} have no addresses with port name ${JSON.stringify(asked.name ?? "")}`;
    return { reason: "MissingEndpoints", message };
  }
  return undefined;
}
