// Asks a real API server about every rendered object; see README.md.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { installGatewayApi } from "./gateway-api.ts";
import { environments, type Rendered, rendered, type Verdict } from "./rendered.ts";

if (!process.env.KUBECONFIG) throw new Error("set KUBECONFIG to a cluster that may be thrown away");

const kubectl = (input: string, ...args: string[]) => spawnSync("kubectl", args, { input, encoding: "utf8" });

function must(input: string, ...args: string[]): string {
  const { status, stdout, stderr } = kubectl(input, ...args);
  if (status !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
  return stdout;
}

function judge({ hash, object }: Rendered): Verdict {
  const { status, stdout, stderr } = kubectl(JSON.stringify(object), "apply", "--dry-run=server", "-f", "-");
  const warnings = stderr.split("\n").filter((line) => line.startsWith("Warning:"));
  return { hash, accepted: status === 0, said: (status === 0 ? stdout : stderr).trim(), warnings };
}

const { serverVersion } = JSON.parse(must("", "version", "-o", "json")) as { serverVersion: { gitVersion: string } };
installGatewayApi((...args) => must("", ...args));

const verdicts: Record<string, Verdict> = {};
for (const environment of environments) {
  for (const one of rendered(environment)) {
    const verdict = judge(one);
    verdicts[one.name] = verdict;
    // What comes after it can only be judged where it is.
    if (one.object.kind === "Namespace") must(JSON.stringify(one.object), "apply", "-f", "-");
    console.log(
      verdict.accepted && verdict.warnings.length === 0 ? "ok " : "BAD",
      one.name,
      verdict.warnings.join(" "),
      verdict.accepted ? "" : verdict.said,
    );
  }
}
writeFileSync(
  new URL("testdata/render.json", import.meta.url),
  `${JSON.stringify({ server: serverVersion.gitVersion, verdicts }, null, 2)}\n`,
);
