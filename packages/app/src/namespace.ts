/** The namespace of an app: not part of its expansion, since the App itself lives in it. */
import { type Namespace, Namespaces, newObject } from "@flotilla/objects";
import { namespaceOf } from "./environment.ts";
import type { App } from "./model/model.ts";

/** Everything that we produce holds to the restricted standard; what a team adds is warned about, and never privileged. */
export function namespaceObject(app: App, environment: string | undefined): Namespace {
  return newObject(Namespaces, {
    metadata: {
      name: namespaceOf(app, environment),
      labels: {
        "app.kubernetes.io/part-of": app.name,
        "app.kubernetes.io/managed-by": "flotilla",
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/warn": "restricted",
      },
    },
    spec: {},
  });
}
