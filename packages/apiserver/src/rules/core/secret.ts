/** Secrets. Source: kubernetes pkg/apis/core (v1/conversion.go, v1/defaults.go, validation), pkg/registry/core/secret */
import {
  configMapKey,
  deepEqual,
  type FieldError,
  invalidValue,
  required,
  type Secret,
  tooLong,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { immutable, named } from "../mistakes.ts";
import { dataLimit, immutableMistakes } from "./immutable-data.ts";

const accountName = "kubernetes.io/service-account.name";

function secretMistakes({ metadata, type, data = {} }: Secret): FieldError[] {
  const mistakes = Object.keys(data).flatMap((key) => named(`data[${key}]`, key, configMapKey));
  let size = 0;
  for (const value of Object.values(data)) size += Buffer.byteLength(value, "base64");
  if (size > dataLimit) mistakes.push(tooLong("data", dataLimit));
  const needs = (...keys: string[]) => {
    for (const key of keys) if (data[key] === undefined) mistakes.push(required(`data[${key}]`));
  };
  switch (type) {
    case "kubernetes.io/service-account-token":
      if (!metadata.annotations?.[accountName]) mistakes.push(required(`metadata.annotations[${accountName}]`));
      break;
    case "kubernetes.io/dockercfg":
      mistakes.push(...jsonMistakes(".dockercfg", data));
      break;
    case "kubernetes.io/dockerconfigjson":
      mistakes.push(...jsonMistakes(".dockerconfigjson", data));
      break;
    case "kubernetes.io/basic-auth":
      if (data.username === undefined && data.password === undefined) needs("username", "password");
      break;
    case "kubernetes.io/ssh-auth":
      if (!data["ssh-privatekey"]) mistakes.push(required("data[ssh-privatekey]"));
      break;
    case "kubernetes.io/tls":
      needs("tls.crt", "tls.key");
  }
  return mistakes;
}

function jsonMistakes(key: string, data: Readonly<Record<string, string>>): FieldError[] {
  const value = data[key];
  if (value === undefined) return [required(`data[${key}]`)];
  const text = Buffer.from(value, "base64").toString();
  try {
    JSON.parse(text);
    return [];
  } catch {
    const why = text.trim() === "" || isCutShort(text) ? "unexpected end of JSON input" : "invalid character in JSON";
    return [invalidValue(`data[${key}]`, "<secret contents redacted>", why)];
  }
}

/** Ends while something is still open. */
const isCutShort = (text: string) => (text.match(/[{[]/g)?.length ?? 0) > (text.match(/[}\]]/g)?.length ?? 0);

export const secrets: KindRules<Secret> = {
  defaults(secret) {
    secret.type ||= "Opaque";
    // Written only: never kept, never answered.
    if (secret.stringData) {
      const data: Record<string, string> = { ...secret.data };
      for (const [key, text] of Object.entries(secret.stringData)) data[key] = Buffer.from(text).toString("base64");
      if (Object.keys(data).length > 0) secret.data = data;
    }
    delete secret.stringData;
  },
  prepare(secret, before) {
    if (before && !secret.type) secret.type = before.type;
  },
  validate: secretMistakes,
  validateUpdate: (secret, before) => [
    ...(secret.type === before.type ? [] : [immutable("type", secret.type)]),
    ...(before.immutable ? immutableMistakes(secret.immutable, [["data", !deepEqual(secret.data, before.data)]]) : []),
  ],
  fields: ({ type }) => ({ type: type ?? "" }),
};
