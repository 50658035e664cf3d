/** Small valid objects, in namespace "default". */
import { type Deployment, Deployments, newObject, type ObjectMeta } from "@flotilla/objects";

/** `version` is that of its image; changing it is a rollout. */
export const deployment = (
  name: string,
  replicas: number,
  { version = "1", ...spec }: Partial<Deployment["spec"]> & { version?: string } = {},
): Deployment =>
  newObject(Deployments, {
    metadata: { name, namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } } as unknown as ObjectMeta,
        spec: { containers: [container(version)], terminationGracePeriodSeconds: 5 },
      },
      ...spec,
    },
  });

/** With a probe, so that a simulated container is ready when it says so. */
const container = (version: string) => ({
  name: "main",
  image: `app:${version}`,
  ports: [{ containerPort: 8080 }],
  readinessProbe: { httpGet: { path: "/", port: 8080 } },
});
