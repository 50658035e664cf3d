/**
 * GatewayClasses, Gateways and HTTPRoutes: the schema of the Gateway API's CustomResourceDefinitions as far as it is about
 * values. Source: sigs.k8s.io/gateway-api config/crd/standard
 */
import {
  type FieldError,
  type Gateway,
  type GatewayClass,
  type HTTPBackendRef,
  type HTTPRoute,
  type HTTPRouteMatch,
  invalidValue,
  type ReferenceGrant,
  required,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { flat, oneOf } from "../mistakes.ts";

const subdomain = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const hostnamePattern = `^(\\*\\.)?${subdomain}$`;
const sectionPattern = `^${subdomain}$`;
const controller = `^${subdomain}\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`;
const protocolPattern = `^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|${subdomain}\\/[A-Za-z0-9]+$`;
const durationPattern = "^([0-9]{1,5}(h|m|s|ms)){1,4}$";

function matches(path: string, value: string | undefined, pattern: string): FieldError[] {
  if (value === undefined || new RegExp(pattern).test(value)) return [];
  return [invalidValue(path, value, `${path} in body should match '${pattern}'`)];
}

/** "" is one that is too short, not one that is missing. */
function text(path: string, value: string | undefined, pattern?: string): FieldError[] {
  if (value === undefined) return [required(path)];
  if (value === "") return [invalidValue(path, value, `${path} in body should be at least 1 chars long`)];
  return pattern ? matches(path, value, pattern) : [];
}

function within(path: string, value: number | undefined, least: number, most: number): FieldError[] {
  if (value === undefined) return [];
  if (value < least) return [invalidValue(path, value, `${path} in body should be greater than or equal to ${least}`)];
  return value > most ? [invalidValue(path, value, `${path} in body should be less than or equal to ${most}`)] : [];
}

/** Rules across fields wait until each field is right. */
function withRest(mistakes: FieldError[]): FieldError[] {
  if (!mistakes.some(({ type }) => type === "FieldValueRequired" || type === "FieldValueNotSupported")) return mistakes;
  const why =
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
  return [...mistakes, invalidValue("<nil>", null, why)];
}

export const gatewayClasses: KindRules<GatewayClass> = {
  validate: ({ spec }) => withRest(text("spec.controllerName", spec?.controllerName, controller)),
};

export const gateways: KindRules<Gateway> = {
  validate({ spec }) {
    const { gatewayClassName, listeners } = spec ?? {};
    const mistakes = text("spec.gatewayClassName", gatewayClassName);
    if (!listeners) mistakes.push(required("spec.listeners"));
    else if (listeners.length === 0)
      mistakes.push(invalidValue("spec.listeners", 0, "spec.listeners in body should have at least 1 items"));
    listeners?.forEach(({ name, port, protocol, hostname, allowedRoutes, tls }, i) => {
      const at = `spec.listeners[${i}]`;
      mistakes.push(...text(`${at}.name`, name, sectionPattern), ...text(`${at}.protocol`, protocol, protocolPattern));
      mistakes.push(...(port === undefined ? [required(`${at}.port`)] : within(`${at}.port`, port, 1, 65535)));
      mistakes.push(...matches(`${at}.hostname`, hostname, hostnamePattern));
      const { from } = allowedRoutes?.namespaces ?? {};
      mistakes.push(...oneOf(`${at}.allowedRoutes.namespaces.from`, from, ["All", "Selector", "Same"]));
      mistakes.push(...oneOf(`${at}.tls.mode`, tls?.mode, ["Terminate", "Passthrough"]));
    });
    if (mistakes.length > 0) return withRest(mistakes);
    const names = new Set(listeners?.map(({ name }) => name));
    return names.size === listeners?.length
      ? []
      : [invalidValue("spec.listeners", "array", "Listener name must be unique within the Gateway")];
  },
};

const methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
const matchTypes = ["Exact", "RegularExpression"];

function matchMistakes(at: string, { path, method, headers, queryParams }: HTTPRouteMatch): FieldError[] {
  return [
    ...oneOf(`${at}.method`, method, methods),
    ...oneOf(`${at}.path.type`, path?.type, ["Exact", "PathPrefix", "RegularExpression"]),
    ...flat(headers, ({ type }, i) => oneOf(`${at}.headers[${i}].type`, type, matchTypes)),
    ...flat(queryParams, ({ type }, i) => oneOf(`${at}.queryParams[${i}].type`, type, matchTypes)),
  ];
}

function pathMistakes(at: string, { path }: HTTPRouteMatch): FieldError[] {
  const { type = "PathPrefix", value = "/" } = path ?? {};
  if (type === "RegularExpression") return [];
  const refuse = (why: string) => [
    invalidValue(`${at}.path`, "object", `${why} when type one of ['Exact', 'PathPrefix']`),
  ];
  if (!value.startsWith("/")) return refuse("value must be an absolute path and start with '/'");
  for (const part of ["//", "/./", "/../", "%2f", "%2F", "#"])
    if (value.includes(part)) return refuse(`must not contain '${part}'`);
  for (const end of ["/..", "/."]) if (value.endsWith(end)) return refuse(`must not end with '${end}'`);
  return [];
}

const backendMistakes = (at: string, { name, port, weight }: HTTPBackendRef): FieldError[] => [
  ...text(`${at}.name`, name),
  ...within(`${at}.port`, port, 1, 65535),
  ...within(`${at}.weight`, weight, 0, 1_000_000),
];

export const httpRoutes: KindRules<HTTPRoute> = {
  validate({ spec }) {
    const { hostnames, parentRefs, rules } = spec ?? {};
    const mistakes = [
      ...flat(hostnames, (name, i) => text(`spec.hostnames[${i}]`, name, hostnamePattern)),
      ...flat(parentRefs, ({ name, port }, i) => [
        ...text(`spec.parentRefs[${i}].name`, name),
        ...within(`spec.parentRefs[${i}].port`, port, 1, 65535),
      ]),
      ...flat(rules, ({ matches: each, backendRefs, timeouts }, i) => {
        const at = `spec.rules[${i}]`;
        return [
          ...flat(each, (match, j) => matchMistakes(`${at}.matches[${j}]`, match)),
          ...flat(backendRefs, (backend, j) => backendMistakes(`${at}.backendRefs[${j}]`, backend)),
          ...matches(`${at}.timeouts.request`, timeouts?.request, durationPattern),
          ...matches(`${at}.timeouts.backendRequest`, timeouts?.backendRequest, durationPattern),
        ];
      }),
    ];
    if (mistakes.length > 0) return withRest(mistakes);
    return flat(rules, ({ matches: each }, i) =>
      flat(each, (match, j) => pathMistakes(`spec.rules[${i}].matches[${j}]`, match)),
    );
  },
};

export const referenceGrants: KindRules<ReferenceGrant> = {
  validate({ spec }) {
    if (!spec) return [];
    const mistakes: FieldError[] = [];
    for (const side of ["from", "to"] as const) {
      const at = `spec.${side}`;
      const all = spec[side];
      if (!all) mistakes.push(required(at));
      else if (all.length === 0) mistakes.push(invalidValue(at, 0, `${at} in body should have at least 1 items`));
      all?.forEach(({ group, kind }, i) => {
        if (group === undefined) mistakes.push(required(`${at}[${i}].group`));
        mistakes.push(...text(`${at}[${i}].kind`, kind));
      });
    }
    spec.from?.forEach(({ namespace }, i) => {
      mistakes.push(...text(`spec.from[${i}].namespace`, namespace));
    });
    return mistakes;
  },
};
