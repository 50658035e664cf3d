import { execFile } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubeconfig } from "../tls.ts";
import { type TestServer, testServer } from "./test-server.ts";

const binary = (process.env.PATH ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "kubectl"))
  .find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
if (!binary) process.stderr.write("kubectl.test.ts: SKIPPED: no kubectl on the PATH; install one to run these tests\n");

let server: TestServer;
let folder: string;

beforeAll(async () => {
  server = await testServer({ secure: true });
  folder = mkdtempSync(join(tmpdir(), "kubectl-test-"));
  writeFileSync(
    join(folder, "config"),
    kubeconfig({ server: server.url, ca: server.ca, token: "admin", name: "test" }),
  );
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(args: string[], input = ""): Promise<Outcome> {
  const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: join(folder, "config") };
  return new Promise((resolve, reject) => {
    const child = execFile(binary ?? "", args, { env, timeout: 20_000 }, (error, out, err) => {
      if (error && typeof error.code !== "number") reject(error);
      else resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
    child.stdin?.end(input);
  });
}

/** Runs kubectl, which must succeed without a warning; resolves with its output. */
async function kubectl(line: string, input = ""): Promise<string> {
  const { code, out, err } = await run(line.split(" "), input);
  const noise = err.replace(/^WARNING: version difference.*\n/gm, "");
  expect({ line, code, err: noise }).toEqual({ line, code: 0, err: "" });
  return out;
}

const deployment = (image: string, replicas = 2) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, labels: {app: shop}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: main
        image: ${image}
        ports: [{containerPort: 8080, name: http}]
`;

describe.skipIf(!binary)("kubectl", { timeout: 60_000 }, () => {
  test("version, cluster-info, get --raw", async () => {
    expect(await kubectl("version")).toContain("Server Version: v1.34");
    expect(await kubectl("get --raw /readyz")).toBe("ok");
    expect(await kubectl("cluster-info")).toContain("running at");
  });

  test("api-resources, api-versions", async () => {
    expect(await kubectl("api-resources --api-group=apps")).toMatch(
      /^deployments +deploy +apps\/v1 +true +Deployment$/m,
    );
    expect(await kubectl("api-resources --verbs=list --namespaced -o name")).toContain("configmaps\n");
    expect(await kubectl("api-versions")).toContain("gateway.networking.k8s.io/v1\n");
  });

  test("create and get", async () => {
    expect(await kubectl("create namespace n1")).toBe("namespace/n1 created\n");
    expect(await kubectl("create configmap c1 --from-literal=a=b")).toBe("configmap/c1 created\n");
    expect(await kubectl("create secret generic s1 --from-literal=a=b")).toBe("secret/s1 created\n");
    expect(await kubectl("create serviceaccount sa1")).toBe("serviceaccount/sa1 created\n");
    expect(await kubectl("create role r1 --verb=get --resource=pods")).toBe(
      "role.rbac.authorization.k8s.io/r1 created\n",
    );
    expect(await kubectl("create service clusterip svc1 --tcp=80:8080")).toBe("service/svc1 created\n");
    expect(await kubectl("get configmap c1 -o jsonpath={.data.a}")).toBe("b");
    expect(await kubectl("get configmap c1")).toMatch(/^NAME +DATA +AGE\nc1 +1 +\d+s\n$/);
    expect(await kubectl("get secret s1")).toMatch(/^NAME +TYPE +DATA +AGE\ns1 +Opaque +1 +\d+s\n$/);
    expect(await kubectl("get service svc1")).toMatch(/svc1 +ClusterIP +10\.96\.\S+ +<none> +80\/TCP/);
    expect(await kubectl("get ns n1 -o yaml")).toContain("kind: Namespace");
    expect(await kubectl("get cm -A --sort-by=.metadata.name")).toContain("c1");
  });

  test("get of nothing, and of what is not there", async () => {
    expect(await run(["get", "pods", "-n", "n1"])).toMatchObject({
      code: 0,
      err: expect.stringContaining("No resources found in n1 namespace."),
    });
    expect(await run(["get", "cm", "nobody"])).toMatchObject({
      code: 1,
      err: expect.stringContaining('Error from server (NotFound): configmaps "nobody" not found'),
    });
    expect((await run(["get", "unicorns"])).err).toContain('the server doesn\'t have a resource type "unicorns"');
  });

  test("apply, diff, apply again", async () => {
    expect(await kubectl("apply -f -", deployment("one"))).toBe("deployment.apps/shop created\n");
    expect(await kubectl("apply -f -", deployment("one"))).toBe("deployment.apps/shop unchanged\n");
    const diff = await run(["diff", "-f", "-"], deployment("two"));
    expect([diff.code, diff.out]).toEqual([1, expect.stringMatching(/^-.*image: one\n\+.*image: two$/m)]);
    expect(await kubectl("apply -f -", deployment("two"))).toBe("deployment.apps/shop configured\n");
    expect(await kubectl("get deploy shop -o jsonpath={.spec.template.spec.containers[0].image}")).toBe("two");
    expect(await kubectl("get deploy -o wide")).toMatch(/^shop +0\/2 +0 +0 +\S+ +main +two +app=shop$/m);
  });

  test("apply --server-side, with a conflict", async () => {
    const config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ssa}\ndata: {a: '1'}\n";
    expect(await kubectl("apply --server-side -f -", config)).toBe("configmap/ssa serverside-applied\n");
    await kubectl("annotate cm ssa x=y");
    const other = await run(
      ["apply", "--server-side", "--field-manager=other", "-f", "-"],
      config.replace("'1'", "'2'"),
    );
    expect([other.code, other.err]).toEqual([1, expect.stringContaining('conflict with "kubectl": .data.a')]);
    await kubectl("apply --server-side --field-manager=other --force-conflicts -f -", config.replace("'1'", "'2'"));
    expect(await kubectl("get cm ssa -o jsonpath={.data.a}")).toBe("2");
  });

  test("apply refuses unknown fields", async () => {
    const { code, err } = await run(["apply", "-f", "-"], deployment("one").replace("replicas", "replicsa"));
    expect([code, err]).toEqual([1, expect.stringContaining('unknown field "spec.replicsa"')]);
  });

  test("patch, label, annotate, scale, set image", async () => {
    expect(await kubectl('patch deploy shop -p {"spec":{"minReadySeconds":3}}')).toBe("deployment.apps/shop patched\n");
    expect(await kubectl('patch cm c1 --type=json -p [{"op":"add","path":"/data/z","value":"1"}]')).toBe(
      "configmap/c1 patched\n",
    );
    expect(await kubectl('patch cm c1 --type=merge -p {"data":{"a":null}}')).toBe("configmap/c1 patched\n");
    expect(await kubectl("get cm c1 -o jsonpath={.data}")).toBe('{"z":"1"}');
    expect(await kubectl("label deploy shop tier=web")).toBe("deployment.apps/shop labeled\n");
    expect(await kubectl("get deploy -l tier=web -o name")).toBe("deployment.apps/shop\n");
    expect(await kubectl("annotate deploy shop note=x")).toBe("deployment.apps/shop annotated\n");
    expect(await kubectl("scale deploy shop --replicas=5")).toBe("deployment.apps/shop scaled\n");
    expect(await kubectl("set image deploy/shop main=three")).toBe("deployment.apps/shop image updated\n");
    expect(await kubectl("rollout restart deploy/shop")).toBe("deployment.apps/shop restarted\n");
    expect(await kubectl("autoscale deploy shop --min=1 --max=3 --cpu-percent=80")).toBe(
      "horizontalpodautoscaler.autoscaling/shop autoscaled\n",
    );
    expect(await kubectl("get hpa")).toMatch(/^shop +Deployment\/shop +cpu: <unknown>\/80% +1 +3 +0 /m);
  });

  test("describe", async () => {
    expect(await kubectl("describe deploy shop")).toMatch(/^Replicas: +5 desired/m);
    expect(await kubectl("describe cm c1")).toContain("Name:         c1");
    expect(await kubectl("describe service svc1")).toMatch(/^Selector: +app=svc1$/m);
    expect(await kubectl("describe namespace default")).toContain("Status:       Active");
  });

  test("explain", async () => {
    const text = await kubectl("explain deployment.spec");
    expect(text).toMatch(/^GROUP: +apps\nKIND: +Deployment\nVERSION: +v1/);
    expect(text).toMatch(/^ {2}selector\t<LabelSelector> -required-$/m);
    expect(await kubectl("explain pod.spec.containers.env.valueFrom")).toContain("configMapKeyRef");
  });

  test("auth", async () => {
    expect(await kubectl("auth can-i create deployments")).toBe("yes\n");
    expect(await kubectl("auth whoami -o jsonpath={.status.userInfo.username}")).toBe("kubernetes-admin");
    const guest = await run(["--token=guest", "get", "pods"]);
    expect([guest.code, guest.err]).toEqual([1, expect.stringContaining('User "guest" cannot list resource "pods"')]);
  });

  test("wait, and delete which waits", async () => {
    const waiting = kubectl("wait --for=jsonpath={.data.ready}=yes configmap/c1 --timeout=15s");
    await kubectl('patch cm c1 --type=merge -p {"data":{"ready":"yes"}}');
    expect(await waiting).toBe("configmap/c1 condition met\n");
    expect(await kubectl("delete cm c1")).toBe('configmap "c1" deleted\n');
    expect(await kubectl("delete deploy,hpa --all")).toContain('deployment.apps "shop" deleted\n');
    expect((await run(["delete", "cm", "c1"])).code).toBe(1);
  });

  test("custom resources: columns, apply, get, explain", async () => {
    expect(await kubectl("apply -f -", definition)).toContain("created");
    expect(await kubectl("wait --for=condition=Established crd/boats.example.org --timeout=15s")).toContain(
      "condition met",
    );
    const boat = "apiVersion: example.org/v1\nkind: Boat\nmetadata: {name: b1}\nspec: {sails: 3}\n";
    expect(await kubectl("apply -f -", boat)).toBe("boat.example.org/b1 created\n");
    expect(await kubectl("apply -f -", boat.replace("3", "4"))).toBe("boat.example.org/b1 configured\n");
    expect(await kubectl("get boats")).toMatch(/^NAME +SAILS\nb1 +4\n$/);
    expect(await kubectl("get bt b1 -o wide")).toMatch(/^NAME +SAILS +AGE\nb1 +4 +\d+s\n$/);
    expect(await kubectl("explain boat.spec")).toContain("sails\t<integer>");
  });
});

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: boats, singular: boat, kind: Boat, shortNames: [bt]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Sails, type: integer, jsonPath: .spec.sails}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp, priority: 1}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              sails: {type: integer}
`;
