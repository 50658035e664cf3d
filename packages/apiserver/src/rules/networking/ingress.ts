/** Ingresses and IngressClasses. Source: kubernetes pkg/apis/networking (v1/defaults.go, validation) */
import {
  dns1035Label,
  dns1123Subdomain,
  type FieldError,
  type HTTPIngressPath,
  type Ingress,
  type IngressBackend,
  type IngressClass,
  invalidValue,
  notSupported,
  required,
  wildcardDns1123Subdomain,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { flat, immutable, isIP, named, oneOf, portMistakes, requiredName } from "../mistakes.ts";

const anyHost = "*";

function hostMistakes(path: string, host: string): FieldError[] {
  if (isIP(host)) return [invalidValue(path, host, "must be a DNS name, not an IP address")];
  return named(path, host, host.includes(anyHost) ? wildcardDns1123Subdomain : dns1123Subdomain);
}

function backendMistakes(path: string, { resource, service }: Partial<IngressBackend>): FieldError[] {
  if (resource && service) return [invalidValue(path, "", "cannot set both resource and service backends")];
  if (resource) return [];
  if (!service) return [invalidValue(path, "", "resource or service backend is required")];
  const mistakes = requiredName(`${path}.service.name`, service.name, dns1035Label);
  const { name, number } = service.port ?? {};
  if (name && number) mistakes.push(invalidValue(path, "", "cannot set both port name & port number"));
  else if (name) mistakes.push(...portMistakes(`${path}.service.port.name`, name));
  else if (number) mistakes.push(...portMistakes(`${path}.service.port.number`, number));
  else mistakes.push(required(path, "port name or number is required"));
  return mistakes;
}

const notInPaths = ["//", "/./", "/../", "%2f", "%2F"];
const notAtTheEnd = ["/..", "/."];

function pathMistakes(at: string, { path = "", pathType, backend }: HTTPIngressPath): FieldError[] {
  const mistakes: FieldError[] = [];
  if (!pathType) return [required(`${at}.pathType`, "pathType must be specified")];
  if (pathType === "Exact" || pathType === "Prefix") {
    if (!path.startsWith("/")) mistakes.push(invalidValue(`${at}.path`, path, "must be an absolute path"));
    for (const part of notInPaths)
      if (path.includes(part)) mistakes.push(invalidValue(`${at}.path`, path, `must not contain '${part}'`));
    for (const end of notAtTheEnd)
      if (path.endsWith(end)) mistakes.push(invalidValue(`${at}.path`, path, `cannot end with '${end}'`));
  } else if (pathType === "ImplementationSpecific") {
    if (path && !path.startsWith("/")) mistakes.push(invalidValue(`${at}.path`, path, "must be an absolute path"));
  } else mistakes.push(notSupported(`${at}.pathType`, pathType, ["Exact", "ImplementationSpecific", "Prefix"]));
  return [...mistakes, ...backendMistakes(`${at}.backend`, backend ?? {})];
}

export const ingresses: KindRules<Ingress> = {
  validate({ spec = {} }) {
    const { rules = [], defaultBackend, ingressClassName, tls } = spec;
    const mistakes: FieldError[] = [];
    if (rules.length === 0 && !defaultBackend)
      mistakes.push(invalidValue("spec", null, "either `defaultBackend` or `rules` must be specified"));
    if (defaultBackend) mistakes.push(...backendMistakes("spec.defaultBackend", defaultBackend));
    rules.forEach(({ host, http }, i) => {
      const at = `spec.rules[${i}]`;
      if (host) mistakes.push(...hostMistakes(`${at}.host`, host));
      if (!http) return;
      if (!http.paths?.length) mistakes.push(required(`${at}.http.paths`));
      http.paths?.forEach((path, j) => {
        mistakes.push(...pathMistakes(`${at}.http.paths[${j}]`, path));
      });
    });
    tls?.forEach(({ hosts, secretName }, i) => {
      const at = `spec.tls[${i}]`;
      mistakes.push(
        ...flat(hosts, (host, j) =>
          named(`${at}.hosts[${j}]`, host, host.includes(anyHost) ? wildcardDns1123Subdomain : dns1123Subdomain),
        ),
      );
      if (secretName) mistakes.push(...named(`${at}.secretName`, secretName, dns1123Subdomain));
    });
    return [...mistakes, ...named("spec.ingressClassName", ingressClassName, dns1123Subdomain)];
  },
};

const domainPath = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[!-~]+$/;

export const ingressClasses: KindRules<IngressClass> = {
  defaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= "Cluster";
  },
  validate({ spec }) {
    const { controller, parameters } = spec ?? {};
    const mistakes: FieldError[] = [];
    if (!controller) mistakes.push(required("spec.controller"));
    else if (!domainPath.test(controller))
      mistakes.push(
        invalidValue("spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")'),
      );
    if (!parameters) return mistakes;
    const at = "spec.parameters";
    if (!parameters.kind) mistakes.push(required(`${at}.kind`));
    if (!parameters.name) mistakes.push(required(`${at}.name`));
    return [...mistakes, ...oneOf(`${at}.scope`, parameters.scope, ["Cluster", "Namespace"])];
  },
  validateUpdate: ({ spec }, before) =>
    spec?.controller === before.spec?.controller ? [] : [immutable("spec.controller", spec?.controller)],
};
