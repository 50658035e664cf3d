/** The one place where a generated secret's values are made: the edge that the controller's effect goes to. */
import type { Random } from "@flotilla/ambient";
import type { Api } from "@flotilla/client";
import { Secrets } from "@flotilla/objects";
import { missingKeys } from "../expand/secret.ts";

export interface GenerateSecret {
  readonly namespace: string;
  readonly name: string;
}

/** Letters and digits need no escape in URLs, shells and SQL. 32 of them are 165 bits. */
const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
const length = 32;

export function randomValue(random: Random): string {
  // Bytes beyond the last multiple of the alphabet's length would favour its first letters.
  const limit = 256 - (256 % alphabet.length);
  let value = "";
  while (value.length < length)
    for (const byte of random.bytes(length))
      if (byte < limit && value.length < length) value += alphabet[byte % alphabet.length];
  return value;
}

/** Fills the keys that have no value; what has one is never overwritten, and of two at once one is refused and tries again. */
export const generateSecret =
  (api: Api, random: Random) =>
  async (effect: unknown): Promise<void> => {
    const { namespace, name } = effect as GenerateSecret;
    const secret = await api.get(Secrets, { namespace, name });
    const keys = missingKeys(secret);
    if (keys.length === 0) return;
    const data = Object.fromEntries(keys.map((key) => [key, Buffer.from(randomValue(random)).toString("base64")]));
    await api.write({
      verb: "patch",
      type: "merge",
      resource: Secrets,
      namespace,
      name,
      fieldManager: "flotilla-secrets",
      patch: { metadata: { resourceVersion: secret.metadata.resourceVersion }, data },
    });
  };
