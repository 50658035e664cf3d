import { simulation } from "@flotilla/ambient";
import { expect, test } from "vitest";
import type { ServiceState, State } from "./service-state.ts";
import { jsonReporter, lineReporter } from "./up-reporter.ts";

const stream = () => {
  const lines: string[] = [];
  const write = (text: string) => lines.push(...text.trimEnd().split("\n")) > 0;
  return { lines, stream: { write } as unknown as NodeJS.WriteStream };
};
const web = (state: State, more: Partial<ServiceState> = {}): ServiceState[] => [{ name: "web", state, ...more }];
const end = { seconds: 1.25, kubeconfig: ".flotilla/kubeconfig", dir: "", url: "http://localhost:8080" };

test("without a terminal: what lasts is told, what passes is not", async () => {
  const { lines, stream: out } = stream();
  const { clock, advance } = simulation(1);
  const report = lineReporter(out, clock);
  report.states(web("ready"));
  report.states(web("building"));
  report.states(web("starting"));
  await advance(500);
  report.states(web("failing", { message: "it exited", output: ["no moon"] }));
  await advance(500);
  expect(lines).toEqual(["web: starting", "web: failing: it exited", "  | no moon"]);
});
test("the end tells everything at once, and where to go from here", () => {
  const { lines, stream: out } = stream();
  const report = lineReporter(out, simulation(1).clock);
  report.states(web("ready"));
  report.ready(end);
  expect(lines.slice(0, 3)).toEqual(["web: ready", "Ready in 1.3 s.", "  open        http://localhost:8080"]);
  expect(lines.join("\n")).toContain("npx flotilla logs -f");
});
test("commands to try name the folder where it is not the current one", () => {
  const { lines, stream: out } = stream();
  lineReporter(out, simulation(1).clock).ready({ ...end, dir: "examples/shop" });
  for (const command of ["status examples/shop", "logs -C examples/shop -f", "kubectl -C examples/shop get pods"])
    expect(lines.join("\n")).toContain(`npx flotilla ${command}`);
});
test("what is not ready is told with its reason and its last words", () => {
  const { lines, stream: out } = stream();
  const report = lineReporter(out, simulation(1).clock);
  report.states(web("failing", { message: "it exited" }));
  report.notReady(web("failing", { message: "it exited", output: ["no moon"] }));
  report.stop();
  expect(lines).toEqual(["Not ready:", "web: failing: it exited", "  | no moon"]);
});
test("JSON: one event a line, each change once", () => {
  const { lines, stream: out } = stream();
  const report = jsonReporter(out);
  report.note("Port 8080 is taken");
  report.states(web("starting"));
  report.states(web("starting"));
  report.states(web("ready"));
  report.ready(end);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: "note", message: "Port 8080 is taken" },
    { event: "service", name: "web", state: "starting" },
    { event: "service", name: "web", state: "ready" },
    { event: "ready", seconds: 1.25, url: "http://localhost:8080" },
  ]);
});
