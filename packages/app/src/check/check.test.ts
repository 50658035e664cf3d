import { expect, test } from "vitest";
import { files, shop } from "../example.fixture.ts";
import { knownFiles } from "../files.ts";
import { check, checked, nameOf } from "./check.ts";
import { formatMistake, ModelError } from "./mistake.ts";

const here = knownFiles({ "web/server.ts": "", "sql/1.sql": "select 1", "k8s/redis.yaml": "" });
const web = { source: "./web", port: 3000 };

/** The mistakes of an app with these parts, as they are printed. */
const say = (parts: Record<string, unknown>, options: Partial<Parameters<typeof check>[1]> = {}) => {
  const app = { name: "shop", services: { web }, ...parts };
  return check(app, { files: here, ...options }).map((mistake) => formatMistake(nameOf(app), mistake));
};
const service = (fields: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  say({ services: { web: { ...web, ...fields }, ...more } });

/** As a text of the model refers to an address. */
const reference = (content: string) => `\${${content}}`;

test("the example has no mistakes", () => expect(check(shop, { files })).toEqual([]));
test("a service is three words", () => expect(say({})).toEqual([]));

test.each([
  ["not an app", () => check("text", { files: here }).map((m) => m.message), ["the file does not describe an app"]],
  ["no name", () => say({ name: undefined }), ["App (unnamed): name: is missing; add it: the app's name"]],
  [
    "a name that is none",
    () => say({ name: "My Shop" }),
    [expect.stringMatching(/^App My Shop: name: "My Shop" is not a DNS label .*; write for example/)],
  ],
  [
    "an unknown field",
    () => service({ replica: 2 }),
    ['App shop: services.web.replica: no such field; did you mean "replicas"?'],
  ],
  [
    "an unknown field far from all",
    () => say({ zzzzzzz: 1 }),
    [expect.stringMatching(/^App shop: zzzzzzz: no such field; there are name, team/)],
  ],
  [
    "a wrong type",
    () => service({ port: "3000" }),
    ['App shop: services.web.port: "3000" is not a number; write a number'],
  ],
  [
    "a number for a text",
    () => service({ env: { A: 1 } }),
    [
      "App shop: services.web.env.A: 1 is not a text, {secret, key} or {fieldRef}; write a text, {secret, key} or {fieldRef}",
    ],
  ],
  [
    "a number that needs quotes",
    () => say({ backing: { db: { type: "postgres", version: 18 } } }),
    ['App shop: backing.db.version: 18 is not a version as text; write it in quotes: "18"'],
  ],
  [
    "a number out of range",
    () => service({ port: 70000 }),
    ["App shop: services.web.port: 70000 is not a whole number from 1 to 65535; write a whole number from 1 to 65535"],
  ],
  [
    "a unit",
    () => service({ resources: { memory: "128MB" } }),
    [
      expect.stringMatching(
        /services.web.resources.memory: "128MB" is not a quantity with its unit; write for example "100m" or "128Mi"/,
      ),
    ],
  ],
  [
    "a duration",
    () => service({ terminationGracePeriod: "30" }),
    [expect.stringMatching(/"30" is not a duration with its unit/)],
  ],
  [
    "a choice",
    () => service({ kind: "Deploiment" }),
    ['App shop: services.web.kind: no "Deploiment" here; did you mean "Deployment"?'],
  ],
  [
    "a key that is no name",
    () => service({}, { Web_2: web }),
    [expect.stringMatching(/services.Web_2: the name "Web_2" is not a DNS label/)],
  ],
  [
    "a call to nobody",
    () => service({ calls: ["catalog", "paymnets"] }, { catalog: web, payments: web }),
    ['App shop: services.web.calls[1]: no service "paymnets"; did you mean "payments"?'],
  ],
  [
    "a call to itself",
    () => service({ calls: ["web"] }),
    ["App shop: services.web.calls[0]: calls itself; leave it out"],
  ],
  [
    "a call to a worker",
    () => service({ calls: ["worker"] }, { worker: { source: "./web" } }),
    ["App shop: services.web.calls[0]: services.worker has no port; give it one: services.worker.port"],
  ],
  [
    "a call of another app",
    () => service({ calls: ["billing/invoices"] }),
    ["App shop: services.web.calls[0]: calls of other apps are not built yet; leave it out"],
  ],
  [
    "use of nothing",
    () => service({ uses: ["db"] }),
    ['App shop: services.web.uses[0]: no backing "db"; add it to backing'],
  ],
  [
    "neither source nor image",
    () => say({ services: { web: { port: 1 } } }),
    [expect.stringMatching(/^App shop: services.web: has neither source nor image; /)],
  ],
  [
    "both source and image",
    () => service({ image: "a/b:1" }),
    ["App shop: services.web: has both source and image; leave one of them out"],
  ],
  [
    "a missing folder",
    () => service({ source: "./wbe" }),
    ['App shop: services.web.source: there is no folder "./wbe"; correct the path, or make the folder'],
  ],
  [
    "a folder outside",
    () => service({ source: "../web" }),
    [expect.stringMatching(/"..\/web" lies outside of the app's folder/)],
  ],
  [
    "port and ports",
    () => service({ ports: { http: { port: 1 } } }),
    ["App shop: services.web.port: is stated beside ports; leave one of them out"],
  ],
  [
    "the same port twice",
    () => service({ port: undefined, ports: { a: { port: 1 }, b: { port: 1, targetPort: 2 } } }),
    ["App shop: services.web.ports.b.port: 1 is the port of a already; choose another"],
  ],
  [
    "tcp and udp may share a number",
    () => service({ port: undefined, ports: { a: { port: 53, protocol: "tcp" }, b: { port: 53, protocol: "udp" } } }),
    [],
  ],
  [
    "routes without a port",
    () => service({ port: undefined, routes: [{}] }),
    ["App shop: services.web.routes: there is no port to send requests to; add services.web.port"],
  ],
  [
    "two ways to probe",
    () => service({ probes: { readiness: { http: "/", tcp: true } } }),
    ["App shop: services.web.probes.readiness: states http and tcp; state exactly one of http, grpc, tcp and exec"],
  ],
  [
    "a probe of no port",
    () => service({ probes: { liveness: { tcp: true, port: "htpp" } } }),
    ['App shop: services.web.probes.liveness.port: no port "htpp"; did you mean "http"?'],
  ],
  [
    "replicas and scale",
    () => service({ replicas: 2, scale: { max: 3, cpu: "70%" } }),
    ["App shop: services.web.replicas: is stated beside scale; leave one of them out"],
  ],
  [
    "scale by nothing",
    () => service({ scale: { max: 3 } }),
    ['App shop: services.web.scale: does not say by what; add cpu: "70%"'],
  ],
  [
    "scale to nothing",
    () => service({ scale: { min: 0, max: 3, cpu: "70%" } }),
    ["App shop: services.web.scale.min: 0 needs rps or lag, which are not built yet; write at least 1"],
  ],
  [
    "max below min",
    () => service({ scale: { min: 4, max: 3, cpu: "70%" } }),
    ["App shop: services.web.scale.max: 3 is less than min, 4; write at least 4"],
  ],
  [
    "fields that are not built",
    () => service({ objectives: { lag: 5, availability: "99.9%" }, dev: {} }),
    [
      "App shop: services.web.objectives.lag: not built yet; leave it out",
      "App shop: services.web.dev: not built yet; leave it out",
    ],
  ],
  [
    "a strategy that is not built",
    () => service({ release: { strategy: "canary" } }),
    ['App shop: services.web.release.strategy: "canary" is not built yet; choose one of "rolling"'],
  ],
  [
    "a database that is not built",
    () => say({ backing: { db: { type: "mysql" } } }),
    ['App shop: backing.db.type: "mysql" is not built yet; choose one of "postgres"'],
  ],
  [
    "a secret's key",
    () =>
      say({
        services: { web: { ...web, env: { K: { secret: "pay", key: "pni" } } } },
        secrets: { pay: { keys: ["pin"] } },
      }),
    ['App shop: services.web.env.K.key: secret "pay" has no key "pni"; did you mean "pin"?'],
  ],
  [
    "no such secret",
    () => service({ env: { K: { secret: "pay", key: "pin" } } }),
    ['App shop: services.web.env.K.secret: no secret "pay"; add it to secrets'],
  ],
  [
    "a reference in a text",
    () => service({ env: { A: reference("wbe.url") } }),
    ['App shop: services.web.env.A: no service "wbe"; did you mean "web"?'],
  ],
  [
    "a reference that is none",
    () => service({ env: { A: reference("web") } }),
    [expect.stringMatching(/\$\{web\} is no reference; write \$\{name.host\}/)],
  ],
  [
    "a reference that the network would stop",
    () => service({ env: { A: reference("b.url") } }, { b: web }),
    [
      'App shop: services.web.env.A: "b" is not among its calls, so the network policy would keep it away; add it to services.web.calls',
    ],
  ],
  ["what looks like a reference and is escaped", () => service({ env: { A: `$${reference("HOME")}` } }), []],
  [
    "a missing file",
    () => service({ files: { "/a.json": { file: "./a.json" } } }),
    ['App shop: services.web.files["/a.json"].file: there is no file "./a.json"; correct the path, or make the file'],
  ],
  [
    "a mount taken twice",
    () => service({ files: { "/a": { text: "" } }, volumes: { a: { mount: "/a", ephemeral: true } } }),
    ['App shop: services.web.volumes.a.mount: /a is taken by services.web.files["/a"]; choose another path'],
  ],
  [
    "a volume of one node for several replicas",
    () => service({ replicas: 2, volumes: { a: { mount: "/a", size: "1Gi" } } }),
    [expect.stringMatching(/services.web.volumes.a: only one node may mount it, but there are several replicas/)],
  ],
  [
    "no migrations",
    () => say({ backing: { db: { type: "postgres", migrations: "./web" } } }),
    [
      'App shop: backing.db.migrations: there is no *.sql file in "./web"; correct the path, or add one, as 0001-first.sql',
    ],
  ],
  [
    "a job and a service of one name",
    () => say({ jobs: { web: { source: "./web" } } }),
    ['App shop: jobs.web: the name "web" is taken by services.web; rename one of them'],
  ],
  [
    "a schedule that never can be",
    () => say({ jobs: { j: { source: "./web", schedule: "0 25 * * *", timeZone: "Europe/Berlln" } } }),
    [
      'App shop: jobs.j.schedule: "0 25 * * *": end of range (25) above maximum (23): 25; write minute, hour, day, month and weekday: "0 3 * * *"',
      'App shop: jobs.j.timeZone: no time zone "Europe/Berlln"; use a name of the IANA database, such as "Europe/Berlin"',
    ],
  ],
  [
    "a schedule that nothing runs by",
    () => say({ jobs: { j: { source: "./web", schedule: "0 3 * * *", run: "manual" } } }),
    ['App shop: jobs.j.schedule: is stated beside run: "manual"; leave one of them out'],
  ],
  [
    "a container that is none",
    () => service({ sidecars: [{ name: "a", imagee: "b" }] }),
    ["App shop: services.web.sidecars[0].imagee: no such field; write a Container as Kubernetes has it"],
  ],
  [
    "a patch of nothing",
    () => service({ patches: [{ kind: "Deployment", metadata: { name: "wbe" } }] }),
    [
      expect.stringMatching(
        /^App shop: services.web.patches\[0\]: there is no Deployment wbe to patch; there are .*Deployment web/,
      ),
    ],
  ],
  [
    "a patch of an unknown field",
    () => service({ patches: [{ kind: "Deployment", spec: { replicsa: 2 } }] }),
    ["App shop: services.web.patches[0]: Deployment web has no field spec.replicsa; see kubectl explain deployment"],
  ],
  [
    "no manifests",
    () => say({ objects: ["./nothing"] }),
    ['App shop: objects[0]: no manifest at "./nothing"; correct the path, or add a .yaml or .json file there'],
  ],
  ["no services", () => say({ services: {} }), [expect.stringMatching(/^App shop: services: there is none; add one/)]],
] as [string, () => unknown[], unknown[]][])("%s", (_, mistakes, expected) => expect(mistakes()).toEqual(expected));

test("all mistakes at once", () => expect(service({ port: "x", replica: 1, calls: ["nobody"] })).toHaveLength(3));

test("an image that nothing here can run is refused on a laptop only", () => {
  const parts = { services: { web: { image: "docker.io/library/nginx:1.27", port: 80 } } };
  const runs = () => false;
  expect(say(parts, { environment: "local", runs })).toEqual([
    expect.stringMatching(
      /services.web.image: nothing on this machine can run the image docker.io\/library\/nginx:1.27; .*environments.local.services.web.enabled: false/,
    ),
  ]);
  expect(
    say(
      {
        ...parts,
        environments: { local: { services: { web: { enabled: false } } } },
        jobs: { j: { source: "./web" } },
      },
      { environment: "local", runs },
    ),
  ).toEqual([]);
  expect(say(parts, { runs: () => true })).toEqual([]);
});

test("what an environment changes is checked as it will be there", () => {
  expect(say({ environments: { production: { services: { web: { port: null, routes: [{ path: "/" }] } } } } })).toEqual(
    [
      "App shop: services.web.routes: in environment production: there is no port to send requests to; add services.web.port",
    ],
  );
  expect(say({ environments: { production: { services: { wbe: { replicas: 2 } } } } })).toEqual([
    expect.stringMatching(/services.wbe: in environment production: has neither source nor image/),
  ]);
  expect(say({}, { environment: "prod" })).toEqual([expect.stringMatching(/no environment "prod"/)]);
});

test("manifests are checked against their kinds", () => {
  const manifests = (text: string) =>
    say({ objects: ["k8s"] }, { files: knownFiles({ "web/a": "", "k8s/a.yaml": text }) });
  const config = (more: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${more}`;
  expect(manifests(config("data: {a: b}"))).toEqual([]);
  expect(manifests(config("dta: {a: b}"))).toEqual([
    expect.stringMatching(/objects \(k8s\/a.yaml\): ConfigMap a has no field dta/),
  ]);
  expect(manifests("kind: ConfigMap")).toEqual([
    expect.stringMatching(/is no object of Kubernetes; state apiVersion, kind and metadata.name/),
  ]);
  expect(manifests("a: [")).toEqual([expect.stringMatching(/objects \(k8s\/a.yaml\): .*; correct the YAML/)]);
  expect(manifests("apiVersion: a.example/v1\nkind: Thing\nmetadata: {name: a}")).toEqual([
    expect.stringMatching(/no kind Thing in a.example\/v1/),
  ]);
});

test("checked gives the app or throws all mistakes", () => {
  expect(checked(shop, { files }).name).toBe("shop");
  expect(() => checked({ name: "x" }, { files })).toThrow(ModelError);
});

test("a wrong shape hides no other mistake, and leads to none", () => {
  const app = {
    name: "My shop",
    services: {
      web: { source: "./nowhere", port: "3000", calls: ["orders"], routes: [{ path: "/" }] },
      orders: { source: ".", port: 3000, scale: { min: 5, max: 2, cpu: "70%" }, calls: ["web", "nobody"] },
      files: { source: ".", ports: { admin: { port: "x" } }, env: { A: reference("nobody.url") } },
      last: { source: ".", port: 3000, calls: ["files"], env: { S: { secret: "keys" } } },
    },
    jobs: { night: {} },
  };
  const paths = check(app, { files: knownFiles({ "a.txt": "" }) }).map(({ path }) => path);
  expect(paths.sort()).toEqual([
    "jobs.night",
    "name",
    "services.files.env.A",
    "services.files.ports.admin.port",
    "services.last.env.S.key",
    "services.last.env.S.secret",
    "services.orders.calls[1]",
    "services.orders.scale.max",
    "services.web.port",
    "services.web.source",
  ]);
});

test("a value that nothing can be made of is one mistake", () =>
  expect(check({ name: "shop", services: 5 }, { files: knownFiles({}) }).map(({ path }) => path)).toEqual([
    "services",
  ]));
