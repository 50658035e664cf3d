/** The one description of the model's fields. Check, the JSON schema and the docs read it. */
import type { App, Environment, Names } from "./model.ts";
import type { Backing, External, Secret } from "./parts.ts";
import { jobFields, routedServiceFields } from "./program-fields.ts";
import type { Route, RouteBackend } from "./route.ts";
import {
  choice,
  either,
  type Fields,
  type FieldsOf,
  field,
  flag,
  json,
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
import { telemetry } from "./telemetry-fields.ts";

const enabled = field(flag, "false removes it; meant for environments.", { default: true });

const backing: FieldsOf<Backing> = {
  enabled,
  type: needed(choice(["postgres"], ["mysql", "redis", "kafka", "nats", "s3", "custom"]), "What it is."),
  version: field(text("version"), "Major version.", { default: "18" }),
  driver: field(
    choice(["process", "statefulset", "cnpg", "external"], ["container"]),
    'Who runs it: on local "process", elsewhere "statefulset" unless stated.',
  ),
  storage: field(text("quantity"), "Size of its volume.", { default: "1Gi" }),
  class: field(text("any"), "The StorageClass; the cluster's default."),
  backup: later("Where backups go."),
  migrations: field(
    text("folder"),
    "Folder of *.sql files, applied once each, in order, before what uses the database.",
  ),
  secret: field(text("any"), "Driver external: an existing Secret with host, port, user, password, database, url."),
};

const external: FieldsOf<External> = {
  enabled,
  host: needed(text("host"), "Its name."),
  port: field(number(1, 65535), "Its port.", { default: 443 }),
  protocol: field(choice(["http", "https", "grpc", "tcp"]), "How to speak to it.", { default: "https" }),
};

const secret: FieldsOf<Secret> = {
  enabled,
  keys: needed(list(text("secretKey")), "The keys of the Secret."),
  from: field(choice(["generate", "existing"]), "generate: random values, made once.", { default: "existing" }),
};

const routeBackend: FieldsOf<RouteBackend<Names>> = {
  service: field(name("service"), "The service that answers."),
  external: later("Something outside of the cluster that answers."),
  port: field(text("portName"), "The name of the service's port; its first."),
  weight: field(number(0, 1_000_000), "Share among all weights.", { default: 1 }),
};

const route: FieldsOf<Route> = {
  hosts: field(list(text("host")), "Host names; all, or the environment's domain."),
  path: field(text("urlPath"), "The path that must match.", { default: "/" }),
  pathType: field(choice(["PathPrefix", "Exact", "RegularExpression"]), "How the path matches.", {
    default: "PathPrefix",
  }),
  headers: field(record("any", text()), "Headers that the request must carry."),
  methods: field(list(text("method")), "Methods; all."),
  backends: field(list(object(routeBackend)), "Who answers."),
  mirror: field(name("service"), "A service that gets a copy of each request."),
  rewrite: field(
    either(
      "a path or {path, host}",
      text("urlPath"),
      object({
        path: field(text("urlPath"), "In place of what matched."),
        host: field(text("host"), "In place of the host."),
      }),
    ),
    "What takes the place of what matched.",
  ),
  redirect: field(
    object({
      scheme: field(choice(["http", "https"]), "The scheme to go to."),
      host: field(text("host"), "The host to go to."),
      path: field(text("urlPath"), "The whole path to go to."),
      port: field(number(1, 65535), "The port to go to."),
      status: field(choice([301, 302]), "The answer's code.", { default: 302 }),
    }),
    "Answers with a redirect in place of a backend.",
  ),
  timeout: field(text("duration"), "For the whole request; 0s is none.", { default: "15s" }),
  sticky: later("Requests of one client go to one replica."),
  auth: later("Who may ask."),
  rateLimit: later("How often one may ask."),
  cors: later("Which other pages may ask."),
  transform: later("Changes of headers and bodies."),
  tls: later("The certificate of the hosts."),
};

const { backends: _, ...shortRoute } = route;
const service = routedServiceFields(object(shortRoute));

const references = list(text("folder"));
const patches = field(list(json), "Strategic merge patches of produced objects: {kind, metadata: {name}, ...}.");
const labels = field(record("labelKey", text("labelValue")), "Labels of every object.");
const annotations = field(record("labelKey", text()), "Annotations of every object.");

/** What environments may change. */
const overlaid = {
  labels,
  annotations,
  defaults: field(object(service), "What every service starts from."),
  services: needed(record("name", object(service)), "The services, by name."),
  backing: field(record("name", object(backing)), "Databases and the like, by name."),
  external: field(record("name", object(external)), "What lies outside of the cluster, by name."),
  jobs: field(record("name", object(jobFields)), "Programs that end, by name."),
  routes: field(list(object(route)), "Requests from outside to services."),
  secrets: field(record("name", object(secret)), "Secrets, by name."),
  objects: field(references, "Manifests to add: files or folders."),
  patches,
} satisfies Fields;

const environment: FieldsOf<Environment> = {
  cluster: later("The context of the kubeconfig."),
  namespace: field(text("namespace"), "The namespace; the app's name, a dash and the environment's name."),
  registry: field(text("registry"), "Where built images are found.", { default: "localhost" }),
  domain: field(text("host"), "The host of routes that name none."),
  gatewayClass: later("Which gateway."),
  secretStore: later("Where secrets come from."),
  telemetry: field(object(telemetry), "Where telemetry goes, how much of it is kept, and who is told of alerts."),
  after: later("The environment that comes before."),
  gates: later("What must hold before a promotion."),
  sync: later("push or gitops."),
  drift: later("revert or report."),
  ...overlaid,
};

export const appFields: FieldsOf<App> = {
  name: needed(text("name"), "The app's name."),
  team: field(text("labelValue"), "Who owns it; the label flotilla.dev/team."),
  ...overlaid,
  environments: field(record("name", object(environment)), "What differs where it runs."),
  exports: later("Services that other apps may call."),
  imports: later("Apps that this one calls."),
};

export const appShape: Shape = object(appFields);
