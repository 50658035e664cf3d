/** What `uses` gives to a container: DATABASE_URL and libpq's variables, from the Secret of the database. */
import type { EnvVar } from "@flotilla/objects";
import { type Expansion, variableName } from "../context.ts";
import { databasePort } from "../ports.ts";
import { databaseSecret, driverOf, hostOf } from "./postgres.ts";

const from = (secret: string, name: string, key: string): EnvVar => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key } },
});

/**
 * With several databases all names are prefixed: ORDERS_DATABASE_URL, ORDERS_PGHOST. The URL is put together by the kubelet
 * from variables that stand before it, so that no Secret has to repeat the password.
 */
export function databaseVariables(expansion: Expansion, name: string, several: boolean): EnvVar[] {
  const backing = expansion.app.backing?.[name];
  if (!backing) return [];
  const prefix = several ? `${variableName(name)}_` : "";
  const secret = databaseSecret(name, backing, driverOf(expansion, backing));
  if (driverOf(expansion, backing) === "external")
    return [
      from(secret.name, `${prefix}PGHOST`, "host"),
      from(secret.name, `${prefix}PGPORT`, "port"),
      from(secret.name, `${prefix}PGUSER`, secret.user),
      from(secret.name, `${prefix}PGPASSWORD`, secret.password),
      from(secret.name, `${prefix}PGDATABASE`, secret.database),
      from(secret.name, `${prefix}DATABASE_URL`, "url"),
    ];
  const reference = (variable: string) => `$(${prefix}${variable})`;
  return [
    { name: `${prefix}PGHOST`, value: hostOf(expansion, name) },
    { name: `${prefix}PGPORT`, value: String(databasePort) },
    from(secret.name, `${prefix}PGUSER`, secret.user),
    from(secret.name, `${prefix}PGPASSWORD`, secret.password),
    from(secret.name, `${prefix}PGDATABASE`, secret.database),
    {
      name: `${prefix}DATABASE_URL`,
      value: `postgresql://${reference("PGUSER")}:${reference("PGPASSWORD")}@${reference("PGHOST")}:${reference("PGPORT")}/${reference("PGDATABASE")}`,
    },
  ];
}
