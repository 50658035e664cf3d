/** The fields of services and jobs. */
import type { Names } from "./model.ts";
import type { Job } from "./parts.ts";
import type {
  Call,
  Identity,
  Placement,
  Port,
  Probe,
  Program,
  Release,
  Resources,
  Scale,
  Service,
  Use,
  Volume,
} from "./service.ts";
import {
  choice,
  either,
  type Fields,
  type FieldsOf,
  field,
  flag,
  json,
  kube,
  later,
  list,
  name,
  needed,
  number,
  object,
  record,
  type Shape,
  text,
} from "./shape.ts";
import { objectives, secretKey } from "./telemetry-fields.ts";

const call: FieldsOf<Call<Names>> = {
  service: needed(name("service", "external"), "What is called."),
  timeout: later("How long a call may take."),
  retries: later("How often a failed call is repeated."),
  optional: field(flag, "The caller works without it.", { default: false }),
};

const use: FieldsOf<Use<Names>> = {
  name: needed(name("backing"), "What is used."),
  access: later("What it may do there."),
};

const port: FieldsOf<Port> = {
  port: needed(number(1, 65535), "The port that callers use."),
  targetPort: field(number(1, 65535), "The port that the program listens on; the same."),
  protocol: field(choice(["http", "grpc", "ws", "tcp", "udp"]), "Becomes appProtocol.", { default: "http" }),
};

const probeFields: FieldsOf<Probe> = {
  http: field(text("urlPath"), "The path to ask."),
  grpc: field(text(), "The service to ask the gRPC health protocol for."),
  tcp: field(flag, "Whether a connection can be made."),
  exec: field(list(text()), "A command in the container that must exit with 0."),
  port: field(either("a port's number or name", number(1, 65535), text("portName")), "The port; the first."),
  period: field(text("duration"), "Between two tries.", { default: "5s" }),
  timeout: field(text("duration"), "For one try.", { default: "2s" }),
  failures: field(number(1), "Failures in a row that count.", { default: 3 }),
};
const probe = either("a path or {http | grpc | tcp | exec, ...}", text("urlPath"), object(probeFields));

const scale: FieldsOf<Scale> = {
  min: field(number(0), "Fewest replicas.", { default: 1 }),
  max: needed(number(1), "Most replicas."),
  cpu: field(text("percent"), "Use of the requested CPU to keep."),
  memory: field(text("percent"), "Use of the requested memory to keep."),
  rps: later("Requests per second and replica."),
  lag: later("Messages that wait."),
  query: later("A metric of one's own."),
  schedule: later("Fewest and most by time."),
  stabilization: field(text("duration"), "How long to look back before scaling down.", { default: "5m" }),
};

const amounts = record("labelKey", text("quantity"));
const resources: FieldsOf<Resources> = {
  cpu: field(text("quantity"), "Requested CPU.", { default: "50m" }),
  memory: field(text("quantity"), "Requested memory, and its limit.", { default: "128Mi" }),
  gpu: field(number(1), "Whole GPUs."),
  requests: field(amounts, "As in Container, in place of cpu and memory."),
  limits: field(amounts, "As in Container."),
};

const volume: FieldsOf<Volume> = {
  mount: needed(text("absolutePath"), "Where."),
  size: field(text("quantity"), "How large."),
  access: field(choice(["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany", "ReadWriteOncePod"]), "Who mounts it.", {
    default: "ReadWriteOnce",
  }),
  class: field(text("any"), "The StorageClass; the cluster's default."),
  ephemeral: field(flag, "Gone with the pod.", { default: false }),
};

const identity: FieldsOf<Identity> = {
  serviceAccount: field(text("any"), "An account that exists; one of its own."),
  annotations: field(record("labelKey", text()), "Annotations of the account."),
  rules: field(list(kube("rbac.authorization.k8s.io/v1.PolicyRule")), "What it may do in its namespace."),
};

const placement: FieldsOf<Placement> = {
  nodeSelector: field(record("labelKey", text("labelValue")), "Labels that the node must have."),
  tolerations: field(list(kube("core/v1.Toleration")), "Taints that it tolerates."),
  spread: field(flag, "Spread over nodes and zones from two replicas.", { default: true }),
  priorityClass: field(text("any"), "The PriorityClass."),
  runtimeClass: field(text("any"), "The RuntimeClass."),
};

const release: FieldsOf<Release> = {
  strategy: field(choice(["rolling"], ["canary", "bluegreen", "recreate"]), "How a new version comes.", {
    default: "rolling",
  }),
  steps: later("Shares of traffic, one after the other."),
  maxDuration: field(text("duration"), "A rollout without progress for so long has failed.", { default: "10m" }),
  bake: later("How long to watch before the verdict."),
  approve: later("Whether somebody must agree."),
};

const program: FieldsOf<Program<Names>> = {
  enabled: field(flag, "false removes it; meant for environments.", { default: true }),
  source: field(text("folder"), "The folder that it is built from. Exactly one of source and image."),
  image: field(text("image"), "An image that exists."),
  build: later("How it is built; detected."),
  dev: later("What runs in its place on a laptop."),
  command: field(list(text()), "As in Container; the image's own."),
  args: field(list(text()), "As in Container; the image's own."),
  workingDir: field(text("any"), "As in Container; the image's own."),
  env: field(
    record(
      "environmentVariable",
      either(
        "a text, {secret, key} or {fieldRef}",
        text(),
        secretKey,
        object({ fieldRef: needed(text("any"), "A field of the pod, as metadata.name.") }),
      ),
    ),
    "Environment variables. Text may hold the host, port and url of what is called, as $" + "{payments.url}.",
  ),
  files: field(
    record(
      "absolutePath",
      either(
        "{file}, {text} or {secret, key}",
        object({ file: needed(text("folder"), "A file beside the app's file.") }),
        object({ text: needed(text(), "Its content.") }),
        secretKey,
      ),
    ),
    "Files by absolute path in the container.",
  ),
  calls: field(
    list(either("a service's name or {service, ...}", name("service", "external"), object(call))),
    "What it sends requests to.",
  ),
  uses: field(
    list(either("a backing service's name or {name, ...}", name("backing"), object(use))),
    "The databases it uses.",
  ),
  resources: field(object(resources), "What it needs."),
  volumes: field(record("name", object(volume)), "Folders that outlive the container."),
  init: field(list(kube("core/v1.Container")), "Containers that run to their end before it."),
  sidecars: field(list(kube("core/v1.Container")), "Containers beside it."),
  terminationGracePeriod: field(text("duration"), "Between the request to stop and the kill.", { default: "30s" }),
  identity: field(object(identity), "Its account and rights."),
  placement: field(object(placement), "Where it runs."),
  securityContext: field(kube("core/v1.SecurityContext"), "Merged over the restricted default."),
  patches: field(list(json), "Strategic merge patches of its objects: {kind, ...}."),
};

/** `route`: the shape of a route without backends. */
export function routedServiceFields(route: Shape): Fields {
  const service: FieldsOf<Service> = {
    ...program,
    port: field(number(1, 65535), "Short for one http port. Without any port it is a worker."),
    ports: field(record("portName", object(port)), "Ports by name."),
    routes: field(list(route), "Requests from outside to this service alone."),
    probes: field(
      object({
        startup: field(probe, "Until it first holds, the others wait."),
        readiness: field(probe, "Whether it gets requests; by the port's protocol."),
        liveness: field(probe, "Whether it is restarted; none."),
      }),
      "How it is seen that it works.",
    ),
    replicas: field(number(0), "How many copies.", { default: 1 }),
    scale: field(object(scale), "How many copies, by load."),
    kind: field(choice(["Deployment", "StatefulSet", "DaemonSet"]), "What runs it.", { default: "Deployment" }),
    disruption: field(
      object({
        maxUnavailable: needed(
          either("a number or a share", number(0), text("percent")),
          "How many may be away at once.",
        ),
      }),
      "What a drain may take away; 1, from two replicas.",
    ),
    objectives: field(object(objectives), "What is promised to its users."),
    release: field(object(release), "How a new version comes."),
  };
  return service;
}

export const jobFields: FieldsOf<Job> = {
  ...program,
  run: field(
    choice(["schedule", "beforeRelease", "afterRelease", "manual"]),
    'When; "schedule" where there is one, else "manual".',
  ),
  schedule: field(text("cron"), "A cron schedule."),
  timeZone: field(text("any"), "Of the schedule.", { default: "UTC" }),
  concurrencyPolicy: field(choice(["Allow", "Forbid", "Replace"]), "What happens while one runs.", {
    default: "Forbid",
  }),
  backoffLimit: field(number(0), "How often it is tried again.", { default: 3 }),
  deadline: field(text("duration"), "How long it may take in all.", { default: "1h" }),
};
