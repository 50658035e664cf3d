import { newObject, type ObjectMeta, type Pod, Pods } from "@flotilla/objects";
import { expect, test } from "vitest";
import { podsByAddress, sameIdentity } from "./pods.ts";

const pod = (metadata: Partial<ObjectMeta> = {}, status: Pod["status"] = {}, spec: Partial<Pod["spec"]> = {}): Pod =>
  newObject(Pods, {
    metadata: { namespace: "shop", name: "web-5d8f-x2", ...metadata },
    spec: { containers: [], ...spec },
    status: { phase: "Running", podIP: "10.0.0.1", ...status },
  });

const owned = (kind: string, name: string) => [{ apiVersion: "v1", kind, name, uid: "u", controller: true }];

test.each<[string, Pod, string, string]>([
  [
    "its labels say",
    pod({ labels: { "app.kubernetes.io/name": "web", "app.kubernetes.io/version": "v1" } }),
    "web",
    "v1",
  ],
  [
    "its Deployment, where it has no label",
    pod({ labels: { "pod-template-hash": "5d8f" }, ownerReferences: owned("ReplicaSet", "front-5d8f") }),
    "front",
    "",
  ],
  ["its StatefulSet", pod({ ownerReferences: owned("StatefulSet", "db") }), "db", ""],
  ["nobody: its own name", pod(), "web-5d8f-x2", ""],
])("a pod's service is what %s", (_, given, service, version) =>
  expect(podsByAddress([given])).toEqual({ "10.0.0.1": { namespace: "shop", name: "web-5d8f-x2", service, version } }),
);

test.each<[string, Pod]>([
  ["has no address yet", pod({}, { podIP: undefined })],
  ["has ended: its address may be somebody else's", pod({}, { phase: "Succeeded" })],
  ["shares its node's address", pod({}, {}, { hostNetwork: true })],
])("a pod is left out that %s", (_, given) => expect(podsByAddress([given])).toEqual({}));

test.each<[string, Pod | undefined, Pod | undefined, boolean]>([
  ["a status that says nothing of it", pod(), pod({}, { message: "probed" }), true],
  ["an address", pod({}, { podIP: undefined }), pod(), false],
  ["another version", pod(), pod({ labels: { "app.kubernetes.io/version": "v2" } }), false],
  ["its end", pod(), undefined, false],
  ["one without an address that goes", pod({}, { podIP: undefined }), undefined, true],
])("who has which address changes by %s: %#", (_, before, after, same) =>
  expect(sameIdentity(before, after)).toBe(same),
);
