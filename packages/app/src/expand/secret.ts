/** The app's own secrets. A generated one is rendered without values: they are random, made once and never seen here. */
import { type KubeObject, newObject, Secrets } from "@flotilla/objects";
import { annotation, type Expansion, labelsOf } from "./context.ts";

/** Secrets that somebody else makes are not rendered. */
export function secretsOf(expansion: Expansion): KubeObject[] {
  return Object.entries(expansion.app.secrets ?? {}).flatMap(([name, secret]) => {
    if (secret.from !== "generate") return [];
    const { "app.kubernetes.io/component": _, ...labels } = labelsOf(expansion, { name, component: "service" });
    const annotations = { ...expansion.app.annotations, [annotation.generate]: secret.keys.join(",") };
    return [
      newObject(Secrets, { metadata: { name, namespace: expansion.namespace, labels, annotations }, type: "Opaque" }),
    ];
  });
}

/** The keys of a Secret that are to be filled and have no value yet. */
export function missingKeys(secret: {
  metadata: { annotations?: Record<string, string> };
  data?: Record<string, string>;
}): string[] {
  const wanted = secret.metadata.annotations?.[annotation.generate]?.split(",") ?? [];
  return wanted.filter((key) => key !== "" && !secret.data?.[key]);
}
