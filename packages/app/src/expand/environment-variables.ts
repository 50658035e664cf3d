/** The environment of a container: what calls and uses give, and what the model states, with `${name.field}` filled in. */
import type { EnvVar } from "@flotilla/objects";
import type { App } from "../model/model.ts";
import type { Program, Service } from "../model/service.ts";
import { databaseVariables } from "./backing/database-variables.ts";
import { type Expansion, variableName } from "./context.ts";
import { addressOf, portsOf } from "./ports.ts";

/** `${payments.url}`; "$${" writes "${" itself. */
export const placeholder = /\$(\$\{)|\$\{([^}]*)\}/g;

const fieldsOfAddress = ["host", "port", "url"] as const;

export type Reference = { readonly name: string; readonly field: (typeof fieldsOfAddress)[number] };

export function parseReference(content: string): Reference | undefined {
  const dot = content.lastIndexOf(".");
  const field = fieldsOfAddress.find((known) => known === content.slice(dot + 1));
  return dot > 0 && field ? { name: content.slice(0, dot), field } : undefined;
}

function fillIn(text: string, app: App): string {
  return text.replace(placeholder, (all, escaped: string | undefined, content: string) => {
    if (escaped) return escaped;
    const reference = parseReference(content);
    const found = reference && addressOf(app, reference.name);
    return reference && found ? String(found[reference.field]) : all;
  });
}

export const calledNames = (program: Pick<Program, "calls">): string[] =>
  ((program.calls ?? []) as readonly (string | { service: string })[]).map((call) =>
    typeof call === "string" ? call : call.service,
  );

export const usedNames = (program: Pick<Program, "uses">): string[] =>
  ((program.uses ?? []) as readonly (string | { name: string })[]).map((use) =>
    typeof use === "string" ? use : use.name,
  );

/** `PAYMENTS_URL`, and `PAYMENTS_ADMIN_URL` for each further port. Hosts and ports in Kubernetes' own form come from the kubelet. */
function callVariables(app: App, name: string): EnvVar[] {
  const variable = variableName(name);
  const external = app.external?.[name];
  const address = addressOf(app, name);
  if (!address) return [];
  const variables = [{ name: `${variable}_URL`, value: address.url }];
  if (external)
    variables.push(
      { name: `${variable}_SERVICE_HOST`, value: address.host },
      { name: `${variable}_SERVICE_PORT`, value: String(address.port) },
    );
  const service = app.services[name];
  for (const port of service ? portsOf(service).slice(1) : [])
    variables.push({
      name: `${variable}_${variableName(port.name)}_URL`,
      value: `${port.protocol}://${name}:${port.port}`,
    });
  return variables;
}

/** In a stable order: PORT, calls, uses, then what is stated, which wins. */
export function environmentVariables(expansion: Expansion, program: Program | Service): EnvVar[] {
  const { app } = expansion;
  const first = portsOf(program as Service)[0];
  const uses = usedNames(program);
  const variables = new Map<string, EnvVar>();
  const add = (variable: EnvVar) => {
    variables.delete(variable.name);
    variables.set(variable.name, variable);
  };
  if (first) add({ name: "PORT", value: String(first.targetPort) });
  for (const name of calledNames(program)) for (const variable of callVariables(app, name)) add(variable);
  for (const name of uses) for (const variable of databaseVariables(expansion, name, uses.length > 1)) add(variable);
  for (const [name, value] of Object.entries(program.env ?? {}) as [string, string | Record<string, string>][]) {
    if (typeof value === "string") add({ name, value: fillIn(value, app) });
    else if (value.fieldRef) add({ name, valueFrom: { fieldRef: { fieldPath: value.fieldRef } } });
    else add({ name, valueFrom: { secretKeyRef: { name: value.secret as string, key: value.key as string } } });
  }
  return [...variables.values()];
}
