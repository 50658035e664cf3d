/** Headers for another server, kept in a Secret as "name=value,name=value", as OTEL_EXPORTER_OTLP_HEADERS has them. */
import type { Api } from "@flotilla/client";
import { Secrets } from "@flotilla/objects";

export interface SecretKey {
  readonly namespace: string;
  readonly secret: string;
  readonly key: string;
}

/** Values are percent-decoded. What is missing is an error that names it; the values are in none. */
export async function secretHeaders(
  api: Pick<Api, "get">,
  { namespace, secret, key }: SecretKey,
): Promise<Record<string, string>> {
  const { data } = await api.get(Secrets, { namespace, name: secret });
  const text = data?.[key];
  if (text === undefined) throw new Error(`secret ${namespace}/${secret} has no key ${key}`);
  const pairs = Buffer.from(text, "base64").toString("utf8").split(",");
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new Error(`secret ${namespace}/${secret}, ${key}: write name=value, comma separated`);
      return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
    }),
  );
}
