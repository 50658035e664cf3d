// Collects the expressions of published dashboards, alerts and rules (all Apache-2.0) into testdata/published.txt, from Go modules:
//
//     node packages/telemetry/scripts/collect-expressions.ts        (needs go)
import { execFileSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

interface Origin {
  readonly module: string;
  readonly what: string;
  readonly files: string;
}

/** kube-prometheus has the rendered kubernetes-mixin and node-mixin in it; the newer node-mixin is rendered here. */
const origins: readonly Origin[] = [
  {
    module: "github.com/coreos/prometheus-operator@v0.29.0",
    what: "kube-prometheus: kubernetes-mixin and node-mixin, rules and Grafana dashboards",
    files: "contrib/kube-prometheus/manifests/{prometheus-rules,grafana-dashboardDefinitions}.yaml",
  },
  {
    module: "github.com/thanos-io/thanos@v0.35.1",
    what: "thanos-mixin, rules, alerts and Grafana dashboards",
    files: "examples/{alerts,dashboards}/{alerts.yaml,rules.yaml,*.json}",
  },
  {
    module: "github.com/cilium/cilium@v1.15.0",
    what: "Cilium and Hubble, Grafana dashboards",
    files: "install/kubernetes/cilium/files/**/*dashboard.json",
  },
];

const rendered: readonly (Omit<Origin, "files"> & { readonly folder: string })[] = [
  {
    module: "github.com/prometheus/node_exporter@v1.12.1",
    what: "node-mixin, rules and alerts",
    folder: "docs/node-mixin",
  },
  {
    module: "github.com/prometheus/prometheus@v0.300.1",
    what: "prometheus-mixin, alerts",
    folder: "documentation/prometheus-mixin",
  },
  {
    module: "github.com/prometheus/alertmanager@v0.27.0",
    what: "alertmanager-mixin, alerts",
    folder: "doc/alertmanager-mixin",
  },
];

const jsonnet = "github.com/google/go-jsonnet/cmd/jsonnet@v0.22.0";

const go = (...args: string[]): string => execFileSync("go", args, { encoding: "utf8", maxBuffer: 2 ** 28 });
const folderOf = (module: string): string =>
  (JSON.parse(go("mod", "download", "-json", module)) as { Dir: string }).Dir;

/** Whatever is called `expr` in it; texts that hold JSON are looked into, as dashboards in ConfigMaps are. */
function* expressionsIn(value: unknown): Generator<string> {
  if (typeof value === "string") {
    if (value.trimStart().startsWith("{")) yield* expressionsIn(parsed(value));
  } else if (Array.isArray(value)) for (const item of value) yield* expressionsIn(item);
  else if (typeof value === "object" && value !== null)
    for (const [key, member] of Object.entries(value))
      if (key === "expr" && typeof member === "string") yield member;
      else yield* expressionsIn(member);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A text that only begins like JSON.
    return undefined;
  }
}

/** Grafana fills these in before it asks: lengths of time within brackets, names elsewhere. */
const filledIn = (expression: string): string =>
  expression
    .replaceAll(/\[\s*(\$\w+|\$\{\w+\}|\[\[\w+\]\])\s*(?=[\]:])/g, "[5m")
    .replaceAll(/\$__(rate_interval|interval|range)\b|\$interval\b|\$resolution\b/g, "5m")
    .replaceAll(/\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\]|\$([a-z]\w*)/gi, (_, a, b, c) => `${a ?? b ?? c}`)
    .trim()
    // On one line; the end of a comment stays an end.
    .replaceAll(/(#[^\n]*)\n\s*/g, "$1\\n")
    .replaceAll(/\s+/g, " ");

const lines: string[] = [
  "# Expressions of published dashboards, alerts and rules (Apache-2.0), collected by scripts/collect-expressions.ts; Grafana's variables are filled in.",
];
const seen = new Set<string>();

function add(module: string, what: string, values: readonly unknown[]): void {
  const found = [...expressionsIn(values)].map(filledIn).filter((expression) => expression && !seen.has(expression));
  for (const expression of found) seen.add(expression);
  lines.push("", `# ${module}: ${what}`, ...new Set(found));
}

for (const { module, what, files } of origins) {
  const folder = folderOf(module);
  const texts = globSync(files, { cwd: folder })
    .sort()
    .map((file) => readFileSync(join(folder, file), "utf8"));
  add(
    module,
    what,
    texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as unknown)),
  );
}
for (const { module, what, folder } of rendered) {
  const mixin = join(folderOf(module), folder, "mixin.libsonnet");
  const code = `local m = import '${mixin}'; [m.prometheusAlerts, if 'prometheusRules' in m then m.prometheusRules else {}]`;
  add(module, what, [JSON.parse(go("run", jsonnet, "-e", code))]);
}
writeFileSync(join(import.meta.dirname, "../src/promql/testdata/published.txt"), `${lines.join("\n")}\n`);
console.log(`${seen.size} expressions`);
