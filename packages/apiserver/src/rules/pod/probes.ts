/** Probes and lifecycle hooks. Source: kubernetes pkg/apis/core/validation */
import {
  type Container,
  type ExecAction,
  type FieldError,
  forbiddenField,
  type HTTPGetAction,
  invalidValue,
  type LifecycleHandler,
  type Probe,
  required,
} from "@flotilla/objects";
import { flat, nonNegative, oneOf, portMistakes } from "../mistakes.ts";

const header = /^[-A-Za-z0-9]+$/;
const wrongHeader =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";

function httpGetMistakes(path: string, action: HTTPGetAction): FieldError[] {
  return [
    ...(action.path ? [] : [required(`${path}.path`)]),
    ...portMistakes(`${path}.port`, action.port),
    ...oneOf(`${path}.scheme`, action.scheme, ["HTTP", "HTTPS"]),
    ...flat(action.httpHeaders, ({ name }) =>
      header.test(name) ? [] : [invalidValue(`${path}.httpHeaders`, name, wrongHeader)],
    ),
  ];
}

const execMistakes = (path: string, { command }: ExecAction): FieldError[] =>
  command?.length ? [] : [required(`${path}.command`)];

/** Exactly one way to do it. `grace` is the pod's time to end, in seconds. */
function handlerMistakes(path: string, handler: Probe & LifecycleHandler, grace: number): FieldError[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  const checks: [string, FieldError[] | undefined][] = [
    ["exec", exec && execMistakes(`${path}.exec`, exec)],
    ["httpGet", httpGet && httpGetMistakes(`${path}.httpGet`, httpGet)],
    ["tcpSocket", tcpSocket && portMistakes(`${path}.tcpSocket.port`, tcpSocket.port)],
    ["grpc", grpc && portMistakes(`${path}.grpc.port`, grpc.port)],
    ["sleep", sleep && sleepMistakes(`${path}.sleep`, sleep.seconds, grace)],
  ];
  const [first, ...more] = checks.filter(([, mistakes]) => mistakes !== undefined);
  if (!first) return [required(path, "must specify a handler type")];
  return [
    ...(first[1] ?? []),
    ...more.map(([name]) => forbiddenField(`${path}.${name}`, "may not specify more than 1 handler type")),
  ];
}

const sleepMistakes = (path: string, seconds: number, grace: number): FieldError[] =>
  seconds < 0 || seconds > grace
    ? [invalidValue(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`)]
    : [];

const counts = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

function probeMistakes(path: string, probe: Probe, grace: number): FieldError[] {
  const mistakes = handlerMistakes(path, probe, grace);
  for (const count of counts) mistakes.push(...nonNegative(`${path}.${count}`, probe[count]));
  const period = probe.terminationGracePeriodSeconds;
  if (period !== undefined && period <= 0)
    mistakes.push(invalidValue(`${path}.terminationGracePeriodSeconds`, period, "must be greater than 0"));
  return mistakes;
}

/** Of a container that runs beside the others. */
export function runningMistakes(path: string, container: Container, grace: number): FieldError[] {
  const mistakes: FieldError[] = [];
  for (const hook of ["postStart", "preStop"] as const) {
    const handler = container.lifecycle?.[hook];
    if (handler) mistakes.push(...handlerMistakes(`${path}.lifecycle.${hook}`, handler, grace));
  }
  for (const kind of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    const probe = container[kind];
    if (!probe) continue;
    const at = `${path}.${kind}`;
    mistakes.push(...probeMistakes(at, probe, grace));
    if (kind === "readinessProbe") {
      const period = probe.terminationGracePeriodSeconds;
      if (period !== undefined)
        mistakes.push(
          invalidValue(`${at}.terminationGracePeriodSeconds`, period, "must not be set for readinessProbes"),
        );
    } else if (probe.successThreshold !== 1)
      mistakes.push(invalidValue(`${at}.successThreshold`, probe.successThreshold ?? 0, "must be 1"));
  }
  return mistakes;
}
