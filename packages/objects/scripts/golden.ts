/**
 * Compares our protobuf with Kubernetes' golden encodings: `node scripts/golden.ts <k8s.io/api folder> [folder to copy to]`.
 * With a second folder, it copies the representative set that the tests use.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deepEqual } from "../src/equal.ts";
import { decodeProtobuf, encodeProtobuf } from "../src/protobuf.ts";

const [api, copyTo] = process.argv.slice(2);
if (!api) {
  console.error("usage: node scripts/golden.ts <k8s.io/api folder> [folder to copy to]");
  process.exit(2);
}
const folder = join(api, "testdata", "HEAD");

const representative = [
  "apps.v1.ControllerRevision",
  "apps.v1.Deployment",
  "authentication.k8s.io.v1.TokenReview",
  "authorization.k8s.io.v1.SelfSubjectAccessReview",
  "autoscaling.v2.HorizontalPodAutoscaler",
  "coordination.k8s.io.v1.Lease",
  "core.v1.ConfigMap",
  "core.v1.Event",
  "core.v1.Namespace",
  "core.v1.Pod",
  "core.v1.Secret",
  "core.v1.Service",
  "networking.k8s.io.v1.Ingress",
  "rbac.authorization.k8s.io.v1.Role",
];
if (copyTo) {
  mkdirSync(copyTo, { recursive: true });
  for (const name of representative) {
    for (const ending of ["json", "pb"]) {
      copyFileSync(join(folder, `${name}.${ending}`), join(copyTo, `${name}.${ending}`));
    }
  }
}

let passed = 0;
const wrong: string[] = [];
const unknown: string[] = [];
for (const file of readdirSync(folder).filter((name) => name.endsWith(".pb"))) {
  const bytes = readFileSync(join(folder, file));
  const json: unknown = JSON.parse(readFileSync(join(folder, file.replace(/pb$/, "json")), "utf8"));
  try {
    const decoded = decodeProtobuf(bytes);
    const encoded = encodeProtobuf(decoded);
    if (!deepEqual(decoded, json)) wrong.push(`${file}: JSON differs`);
    else if (!encoded || !bytes.equals(encoded)) wrong.push(`${file}: bytes differ`);
    else passed++;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    (message.startsWith("no kind") ? unknown : wrong).push(`${file}: ${message}`);
  }
}
console.log(`${passed} equal, ${wrong.length} wrong, ${unknown.length} of kinds that the table does not have`);
for (const line of wrong) console.log(line);
process.exitCode = wrong.length > 0 ? 1 : 0;
