/** What the fields' shapes can not say: what excludes what, what must be there, what must differ. For one environment. */
import { isTimeZone, parseSchedule } from "@flotilla/objects";
import { parseReference, placeholder } from "../expand/environment-variables.ts";
import { manifestFiles } from "../expand/manifests.ts";
import { migrationFiles } from "../expand/migration.ts";
import { fewestReplicas } from "../expand/pod-template.ts";
import { addressOf, portsOf, transport } from "../expand/ports.ts";
import type { Files } from "../files.ts";
import { inside } from "../files.ts";
import type { App } from "../model/model.ts";
import type { Backing, Job } from "../model/parts.ts";
import type { Route } from "../model/route.ts";
import type { Program, Service } from "../model/service.ts";
import { at, type Mistake } from "./mistake.ts";
import { suggestion } from "./nearest.ts";

type Report = (path: string, message: string, remedy: string) => void;

export interface Surroundings {
  readonly files: Files;
  /** Whether source folders are to be there. */
  readonly sources: boolean;
  /** Whether something here can run an image that we did not build. Undefined: not asked. */
  readonly runs?: (image: string) => boolean;
}

/** `app` has the right shapes and is in its environment. */
export function checkApp(app: App, surroundings: Surroundings): Mistake[] {
  const mistakes: Mistake[] = [];
  const report: Report = (path, message, remedy) => mistakes.push({ path, message, remedy });
  for (const [name, service] of Object.entries(app.services)) {
    checkProgram(app, `services.${name}`, name, service, surroundings, report);
    checkService(app, `services.${name}`, service, surroundings, report);
  }
  for (const [name, job] of Object.entries(app.jobs ?? {})) {
    checkProgram(app, `jobs.${name}`, name, job, surroundings, report);
    checkJob(`jobs.${name}`, job, report);
  }
  for (const [name, backing] of Object.entries(app.backing ?? {}))
    checkBacking(`backing.${name}`, backing, surroundings.files, report);
  for (const [name, secret] of Object.entries(app.secrets ?? {}))
    if (secret.keys.length === 0) report(`secrets.${name}.keys`, "is empty", "name at least one key");
  for (const [i, route] of (app.routes ?? []).entries()) checkRoute(app, `routes[${i}]`, route, report);
  for (const [i, path] of (app.objects ?? []).entries()) {
    if (inside(path) === undefined) outside(`objects[${i}]`, path, report);
    else if (!manifestFiles(surroundings.files, path)?.length)
      report(`objects[${i}]`, `no manifest at "${path}"`, "correct the path, or add a .yaml or .json file there");
  }
  if (Object.keys(app.services).length + Object.keys(app.jobs ?? {}).length === 0)
    report("services", "there is none", 'add one, for example web: { source: ".", port: 3000 }');
  checkNames(app, report);
  return mistakes;
}

const outside: (path: string, value: string, report: Report) => void = (path, value, report) =>
  report(path, `"${value}" lies outside of the app's folder`, "move it below the folder of the app's file");

/** Records that produce objects of the same names. */
function checkNames(app: App, report: Report): void {
  const taken = new Map<string, string>();
  const take = (name: string, path: string) => {
    const first = taken.get(name);
    if (first) report(path, `the name "${name}" is taken by ${first}`, "rename one of them");
    else taken.set(name, path);
  };
  for (const name of Object.keys(app.services)) take(name, `services.${name}`);
  for (const name of Object.keys(app.jobs ?? {})) take(name, `jobs.${name}`);
  for (const name of Object.keys(app.external ?? {})) take(name, `external.${name}`);
  for (const name of Object.keys(app.backing ?? {})) take(`${name}-postgres`, `backing.${name}`);
}

function checkProgram(
  app: App,
  path: string,
  name: string,
  program: Program,
  { files, runs, sources }: Surroundings,
  report: Report,
): void {
  const { source, image } = program;
  if (source === undefined && image === undefined)
    report(path, "has neither source nor image", 'state one: source is the folder that it is built from, as "./web"');
  if (source !== undefined && image !== undefined) report(path, "has both source and image", "leave one of them out");
  if (source !== undefined) {
    if (inside(source) === undefined) outside(`${path}.source`, source, report);
    else if (sources && !files.list(source))
      report(`${path}.source`, `there is no folder "${source}"`, "correct the path, or make the folder");
  }
  if (image !== undefined && runs && !runs(image))
    report(
      `${path}.image`,
      `nothing on this machine can run the image ${image}`,
      `state source instead, or remove it here: environments.local.${path}.enabled: false`,
    );
  for (const [file, content] of Object.entries(program.files ?? {})) {
    if (!("file" in content)) continue;
    const place = `${at(`${path}.files`, file)}.file`;
    if (inside(content.file) === undefined) outside(place, content.file, report);
    else if (!files.read(content.file))
      report(place, `there is no file "${content.file}"`, "correct the path, or make the file");
  }
  checkMounts(path, program, report);
  checkVariables(app, path, program, report);
  checkSecretKeys(app, path, program, report);
  for (const [i, call] of (program.calls ?? []).entries()) {
    const called = typeof call === "string" ? call : call.service;
    const place = `${path}.calls[${i}]`;
    if (called === name) report(place, "calls itself", "leave it out");
    else if (app.services[called] && !addressOf(app, called))
      report(place, `services.${called} has no port`, `give it one: services.${called}.port`);
  }
}

/** 1 MiB is what an object of Kubernetes may weigh. */
const mebibyte = 1024 * 1024;

function checkMounts(path: string, program: Program, report: Report): void {
  const mounts = new Map<string, string>();
  const add = (mount: string, place: string) => {
    const other = mounts.get(mount);
    if (other) report(place, `${mount} is taken by ${other}`, "choose another path");
    else mounts.set(mount, place);
  };
  for (const file of Object.keys(program.files ?? {})) add(file, at(`${path}.files`, file));
  for (const [name, volume] of Object.entries(program.volumes ?? {})) {
    add(volume.mount, `${path}.volumes.${name}.mount`);
    if (name === "tmp" && volume.mount !== "/tmp")
      report(`${path}.volumes.${name}`, 'the name "tmp" is taken by /tmp, which every container has', "rename it");
    if (!volume.ephemeral && volume.size === undefined)
      report(`${path}.volumes.${name}.size`, "is missing", 'add it, for example "1Gi", or state ephemeral: true');
  }
  let size = 0;
  for (const content of Object.values(program.files ?? {}))
    if ("text" in content) size += Buffer.byteLength(content.text);
  if (size > mebibyte) report(`${path}.files`, "are more than 1 MiB together", "put large files into the image");
}

function checkVariables(app: App, path: string, program: Program, report: Report): void {
  const known = [...Object.keys(app.services), ...Object.keys(app.external ?? {}), ...Object.keys(app.backing ?? {})];
  const called = (program.calls ?? []).map((call) => (typeof call === "string" ? call : call.service));
  const used = (program.uses ?? []).map((use) => (typeof use === "string" ? use : use.name));
  for (const [variable, value] of Object.entries(program.env ?? {})) {
    if (typeof value !== "string") continue;
    const place = `${path}.env.${variable}`;
    for (const [all, escaped, content] of value.matchAll(placeholder)) {
      if (escaped) continue;
      const reference = parseReference(content ?? "");
      if (!reference)
        report(
          place,
          `${all} is no reference`,
          `write \${name.host}, \${name.port} or \${name.url}; "$\${" writes "\${" itself`,
        );
      else if (!known.includes(reference.name))
        report(place, `no service "${reference.name}"`, suggestion(reference.name, known, "add it to services"));
      else if (!addressOf(app, reference.name))
        report(place, `services.${reference.name} has no port`, `give it one: services.${reference.name}.port`);
      else if (!called.includes(reference.name) && !used.includes(reference.name))
        report(
          place,
          `"${reference.name}" is not among its calls, so the network policy would keep it away`,
          `add it to ${path}.${app.backing?.[reference.name] && !app.services[reference.name] ? "uses" : "calls"}`,
        );
    }
  }
}

function checkSecretKeys(app: App, path: string, program: Program, report: Report): void {
  const check = (place: string, { secret, key }: { secret: string; key: string }) => {
    const keys = app.secrets?.[secret]?.keys;
    if (keys && !keys.includes(key)) report(place, `secret "${secret}" has no key "${key}"`, suggestion(key, keys, ""));
  };
  for (const [name, value] of Object.entries(program.env ?? {}))
    if (typeof value === "object" && "secret" in value) check(`${path}.env.${name}.key`, value);
  for (const [name, value] of Object.entries(program.files ?? {}))
    if ("secret" in value) check(`${at(`${path}.files`, name)}.key`, value);
}

function checkService(app: App, path: string, service: Service, { files: _ }: Surroundings, report: Report): void {
  if (service.port !== undefined && service.ports !== undefined)
    report(`${path}.port`, "is stated beside ports", "leave one of them out");
  const ports = portsOf(service);
  const seen = new Map<string, string>();
  for (const { name, port, targetPort, protocol } of ports) {
    for (const [kind, number] of [
      ["port", port],
      ["targetPort", targetPort],
    ] as const) {
      const key = `${kind} ${transport(protocol)} ${number}`;
      const other = seen.get(key);
      if (other && other !== name)
        report(`${path}.ports.${name}.${kind}`, `${number} is the ${kind} of ${other} already`, "choose another");
      seen.set(key, name);
    }
  }
  if (service.routes?.length && ports.length === 0)
    report(`${path}.routes`, "there is no port to send requests to", `add ${path}.port`);
  for (const [i, route] of (service.routes ?? []).entries())
    checkRoute(app, `${path}.routes[${i}]`, { ...route, backends: [{}] }, report);
  checkProbes(path, service, report);
  if (service.scale && service.replicas !== undefined)
    report(`${path}.replicas`, "is stated beside scale", "leave one of them out");
  if (service.scale) checkScale(`${path}.scale`, service, report);
  if (service.kind === "DaemonSet" && (service.scale || service.replicas !== undefined))
    report(`${path}.kind`, "a DaemonSet runs one pod on every node", "leave out replicas and scale");
  for (const [name, volume] of Object.entries(service.volumes ?? {})) {
    const exclusive = !volume.ephemeral && (volume.access ?? "ReadWriteOnce").startsWith("ReadWriteOnce");
    if (exclusive && service.kind !== "StatefulSet" && Math.max(fewestReplicas(service), service.scale?.max ?? 0) > 1)
      report(
        `${path}.volumes.${name}`,
        "only one node may mount it, but there are several replicas",
        'state kind: "StatefulSet" for a volume each, or access: "ReadWriteMany"',
      );
  }
}

function checkProbes(path: string, service: Service, report: Report): void {
  const ports = portsOf(service);
  for (const [kind, stated] of Object.entries(service.probes ?? {})) {
    const probe = typeof stated === "string" ? { http: stated } : stated;
    const place = `${path}.probes.${kind}`;
    const kinds = (["http", "grpc", "tcp", "exec"] as const).filter((key) => probe[key] !== undefined);
    if (kinds.length !== 1)
      report(
        place,
        `states ${kinds.length ? kinds.join(" and ") : "nothing to try"}`,
        "state exactly one of http, grpc, tcp and exec",
      );
    if (kinds[0] !== "exec" && probe.port === undefined && ports.length === 0)
      report(place, "there is no port to try", `add ${path}.port, or ${place}.port`);
    if (typeof probe.port === "string" && !ports.some((port) => port.name === probe.port))
      report(
        `${place}.port`,
        `no port "${probe.port}"`,
        suggestion(
          probe.port,
          ports.map((port) => port.name),
          "add it to ports",
        ),
      );
  }
}

function checkScale(path: string, { scale }: Service, report: Report): void {
  if (!scale) return;
  const min = scale.min ?? 1;
  if (min > scale.max) report(`${path}.max`, `${scale.max} is less than min, ${min}`, `write at least ${min}`);
  if (min === 0) report(`${path}.min`, "0 needs rps or lag, which are not built yet", "write at least 1");
  if (scale.cpu === undefined && scale.memory === undefined && scale.min !== scale.max)
    report(path, "does not say by what", 'add cpu: "70%"');
}

function checkJob(path: string, job: Job, report: Report): void {
  const wrong = job.schedule === undefined ? undefined : scheduleMistake(job.schedule);
  if (wrong)
    report(
      `${path}.schedule`,
      `"${job.schedule}": ${wrong}`,
      'write minute, hour, day, month and weekday: "0 3 * * *"',
    );
  if (job.timeZone !== undefined && !isTimeZone(job.timeZone))
    report(
      `${path}.timeZone`,
      `no time zone "${job.timeZone}"`,
      'use a name of the IANA database, such as "Europe/Berlin"',
    );
  if (job.run === "schedule" && job.schedule === undefined)
    report(`${path}.schedule`, "is missing", 'add it, for example "0 3 * * *"');
  if (job.run !== undefined && job.run !== "schedule" && job.schedule !== undefined)
    report(`${path}.schedule`, `is stated beside run: "${job.run}"`, "leave one of them out");
}

function checkBacking(path: string, backing: Backing, files: Files, report: Report): void {
  const { migrations } = backing;
  if (migrations !== undefined) {
    if (inside(migrations) === undefined) outside(`${path}.migrations`, migrations, report);
    else if (Object.keys(migrationFiles(files, migrations) ?? {}).length === 0)
      report(
        `${path}.migrations`,
        `there is no *.sql file in "${migrations}"`,
        "correct the path, or add one, as 0001-first.sql",
      );
  }
  if (backing.driver === "external" && backing.secret === undefined)
    report(`${path}.secret`, "is missing", "name a Secret with host, port, user, password, database and url");
  if (backing.driver !== "external" && backing.secret !== undefined)
    report(`${path}.secret`, "is only for driver: external", "leave it out");
}

function checkRoute(app: App, path: string, route: Route, report: Report): void {
  if (route.redirect && route.backends?.length && route.backends.some((backend) => backend.service))
    report(`${path}.redirect`, "is stated beside backends", "leave one of them out");
  if (route.redirect && route.rewrite) report(`${path}.redirect`, "is stated beside rewrite", "leave one of them out");
  if (!route.redirect && !route.backends?.length)
    report(`${path}.backends`, "is missing", "name who answers, or state redirect");
  for (const [i, backend] of (route.backends ?? []).entries()) {
    const place = `${path}.backends[${i}]`;
    if (Object.keys(backend).length > 0 && backend.service === undefined)
      report(`${place}.service`, "is missing", "name who answers");
    const service = backend.service === undefined ? undefined : app.services[backend.service];
    if (!service) continue;
    const ports = portsOf(service);
    if (ports.length === 0)
      report(place, `services.${backend.service} has no port`, `give it one: services.${backend.service}.port`);
    else if (backend.port !== undefined && !ports.some((port) => port.name === backend.port))
      report(
        `${place}.port`,
        `no port "${backend.port}"`,
        suggestion(
          backend.port,
          ports.map((port) => port.name),
          "",
        ),
      );
  }
}

function scheduleMistake(schedule: string): string | undefined {
  try {
    parseSchedule(schedule);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
