/** The controllers of objectives over a real API, in simulated time: statuses, Events, marks, receivers, restarts. */
import { type Running, runControllers } from "@flotilla/client";
import {
  Events,
  getCondition,
  Namespaces,
  newObject,
  Secrets,
  type ServiceLevelObjective,
  type ServiceLevelObjectiveSpec,
  ServiceLevelObjectives,
} from "@flotilla/objects";
import { type SimulatedCluster, simulatedCluster } from "@flotilla/testkit";
import { afterEach, expect, test } from "vitest";
import { attribute } from "../attributes.ts";
import type { LogsData } from "../otlp/types.ts";
import { QueryError, type Telemetry } from "../telemetry.ts";
import type { Post } from "./deliveries.ts";
import { exactly, type Incident, objectiveFor, start } from "./incidents.fixture.ts";
import { type ObjectiveControllers, objectiveControllers } from "./objective-controllers.ts";

interface Sent {
  /** Seconds since the start. */
  readonly at: number;
  readonly url: string;
  readonly body: unknown;
}

/** A cluster with the controllers, a telemetry that can be exchanged, and receivers that note what they get. */
class World {
  readonly cluster: SimulatedCluster;
  telemetry: Pick<Telemetry, "instant">;
  answer: (url: string) => number | Error = () => 200;
  readonly sent: Sent[] = [];
  readonly marks: LogsData[] = [];
  markFails = false;
  #made: ObjectiveControllers | undefined;
  #running: Running | undefined;

  constructor(cluster: SimulatedCluster, incidents: readonly Incident[]) {
    this.cluster = cluster;
    this.telemetry = exactly(incidents);
    this.begin();
  }

  get seconds(): number {
    return Math.round((this.cluster.world.clock.now() - start) / 1000);
  }

  begin(): void {
    const { api, world } = this.cluster;
    const post: Post = async (url, { body }) => {
      this.sent.push({ at: this.seconds, url, body: JSON.parse(body) });
      const answer = this.answer(url);
      if (answer instanceof Error) throw answer;
      return { status: answer };
    };
    this.#made = objectiveControllers({
      telemetry: { instant: (query, at) => this.telemetry.instant(query, at) },
      api,
      clock: world.clock,
      post,
      mark: (marks) => {
        if (this.markFails) throw new Error("disk full");
        this.marks.push(marks);
      },
    });
    const { controllers, effects } = this.#made;
    this.#running = runControllers({ api, clock: world.clock, random: world.random, controllers, effects });
  }

  async end(): Promise<void> {
    await this.cluster.run(this.#running?.stop() ?? Promise.resolve());
    await this.#made?.stop();
  }

  async apply(spec: Partial<ServiceLevelObjectiveSpec> = {}): Promise<void> {
    const { metadata, ...rest } = objectiveFor(spec);
    const { name, namespace } = metadata;
    await this.cluster.apply({
      ...rest,
      metadata: { name, namespace, labels: { "app.kubernetes.io/part-of": "shop" } },
    });
  }

  get object(): ServiceLevelObjective {
    const found = this.cluster.get(ServiceLevelObjectives, "web", "shop");
    if (!found) throw new Error("there is no objective");
    return found;
  }

  get states(): string[] {
    return (this.object.status?.alerts ?? []).map(({ severity, state }) => `${severity} ${state}`);
  }

  condition(type: string): string {
    const found = getCondition(this.object.status?.conditions, type);
    return `${found?.status} ${found?.reason}`;
  }

  get events(): string[] {
    return this.cluster.list(Events, { namespace: "shop" }).map(({ type, reason }) => `${type} ${reason}`);
  }

  async until(second: number): Promise<void> {
    await this.cluster.advance((second - this.seconds) * 1000);
  }
}

let open: World | undefined;
afterEach(async () => {
  await open?.end();
  open = undefined;
});

async function world(incidents: readonly Incident[] = []): Promise<World> {
  const cluster = await simulatedCluster({ seed: 1, nodes: 0 });
  await cluster.apply(newObject(Namespaces, { metadata: { name: "shop" }, spec: {} }));
  open = new World(cluster, incidents);
  return open;
}

const outage: Incident = { from: 60, to: 660, ratio: 1 };
const hook = { webhook: { url: "https://hooks.example/alerts" } };

test("without errors it is healthy, with all of its budget", async () => {
  const it = await world();
  await it.apply();
  await it.until(60);
  expect(it.condition("Healthy")).toBe("True WithinBudget");
  expect(it.object.status).toMatchObject({
    current: "100%",
    errorBudget: { ratio: 0.001, time: "43m12s", remaining: 1, remainingTime: "43m12s" },
    burnRates: { "5m": 0, "1h": 0, "3d": 0 },
  });
  expect(it.events).toEqual([]);
});

test("an outage alerts, and is over some time after it ends", async () => {
  const it = await world([{ from: 60, to: 120, ratio: 1 }]);
  await it.apply({ window: "1d" });
  await it.until(105);
  expect(it.states).toEqual(["page Firing", "ticket Firing"]);
  expect(it.condition("Alerting")).toBe("True Page");
  expect(it.condition("Healthy")).toBe("False Alerting");
  expect(it.events).toContain("Warning AlertFiring");
  const { alerts: [page] = [] } = it.object.status ?? {};
  // 1.73 s after it began, and seen at most one interval later.
  expect(Date.parse(page?.firedAt ?? "") - start).toBeGreaterThanOrEqual(61_000);
  expect(Date.parse(page?.firedAt ?? "") - start).toBeLessThanOrEqual(61_730 + 15_000);
  await it.until(300);
  expect(it.states).toEqual(["page Resolved", "ticket Firing"]);
  await it.until(900);
  expect(it.states).toEqual(["page Resolved", "ticket Resolved"]);
  expect(it.condition("Healthy")).toBe("True WithinBudget");
  expect(it.events.filter((text) => text === "Normal AlertResolved")).toHaveLength(2);
  expect(it.marks.flatMap(({ resourceLogs = [] }) => resourceLogs).flatMap(markOf)).toEqual([
    "page Firing",
    "ticket Firing",
    "page Resolved",
    "ticket Resolved",
  ]);
});

const markOf = ({ scopeLogs = [] }: NonNullable<LogsData["resourceLogs"]>[number]) =>
  scopeLogs
    .flatMap(({ logRecords = [] }) => logRecords)
    .map((record) =>
      record.eventName === "flotilla.alert"
        ? `${attribute(record.attributes, "flotilla.alert.severity")} ${attribute(record.attributes, "flotilla.alert.state")}`
        : "no mark",
    );

test("a budget that is gone is said to be", async () => {
  const it = await world([{ from: 0, to: 300, ratio: 1 }]);
  await it.apply({ window: "1d" });
  await it.until(300);
  expect(it.condition("BudgetExhausted")).toBe("True BudgetExhausted");
  expect(it.condition("Healthy")).toBe("False BudgetExhausted");
  expect(it.object.status?.errorBudget?.remainingTime).toMatch(/^-/);
  expect(getCondition(it.object.status?.conditions, "BudgetExhausted")?.message).toMatch(
    /^the error budget of 1m26s is spent 3\.\d+ times$/,
  );
});

test("too few bad events to judge by are said, with all figures", async () => {
  const it = await world([{ from: 0, to: 60, ratio: 1 }]);
  it.telemetry = exactly([{ from: 0, to: 60, ratio: 1 }], 1 / 30);
  await it.apply({ window: "1d", alerting: { minimumBad: 10 } });
  await it.until(60);
  expect(it.states).toEqual([]);
  expect(it.condition("Alerting")).toBe("False TooFewEvents");
  expect(getCondition(it.object.status?.conditions, "Alerting")?.message).toMatch(
    /^the error budget burns \d+(\.\d)? times too fast \(2m\/30s\), by 2 bad events; it takes 10 to judge by$/,
  );
  expect(it.object.status?.burnRates?.["2m"]).toBeGreaterThan(100);
  expect(it.condition("Healthy")).toBe("True WithinBudget");
  await it.until(1800);
  expect(it.condition("Alerting")).toBe("False NoAlert");
});

test("a budget is not gone by too few bad events", async () => {
  const it = await world();
  it.telemetry = exactly([{ from: 0, to: 120, ratio: 1 }], 1 / 60);
  await it.apply({ window: "1d", alerting: { minimumBad: 3 } });
  await it.until(120);
  expect(it.condition("BudgetExhausted")).toBe("Unknown TooFewEvents");
  expect(it.condition("Healthy")).toBe("Unknown TooFewEvents");
  expect(getCondition(it.object.status?.conditions, "Healthy")?.message).toMatch(
    /^the error budget of 1m26s is spent 1\.\d+ times, by 2 bad events; it takes 3 to judge by$/,
  );
  expect(it.object.status?.errorBudget?.remaining).toBeLessThan(0);
});

test("the first data are seen at once, whatever the window", async () => {
  const it = await world();
  const good = it.telemetry;
  it.telemetry = { instant: async () => ({ resultType: "vector", result: [] }) };
  await it.apply({ window: "90d" });
  await it.until(60);
  expect(it.condition("Healthy")).toBe("Unknown NoData");
  it.telemetry = good;
  await it.until(75);
  expect(it.condition("Healthy")).toBe("True WithinBudget");
});

test("no data are not well", async () => {
  const it = await world();
  it.telemetry = { instant: async () => ({ resultType: "vector", result: [] }) };
  await it.apply();
  await it.until(60);
  expect(it.condition("Healthy")).toBe("Unknown NoData");
  expect(it.condition("Alerting")).toBe("Unknown NoData");
  expect(it.object.status?.errorBudget).toBeUndefined();
});

test("nothing asked is neither well nor an alert", async () => {
  const it = await world();
  it.telemetry = {
    instant: async (_, at) => ({ resultType: "vector", result: [{ metric: {}, value: [at / 1000, "NaN"] }] }),
  };
  await it.apply();
  await it.until(60);
  expect(it.condition("Healthy")).toBe("Unknown NoData");
  expect(it.condition("Evaluated")).toBe("True NoData");
  expect(it.condition("Alerting")).toBe("Unknown NoData");
});

test.each([
  ["a mistake in the query", new QueryError("1:3: parse error"), "Unknown QueryInvalid"],
  ["telemetry that is away", new Error("connection refused"), "Unknown TelemetryUnavailable"],
])("%s is told, and tried again", async (_, error, expected) => {
  const it = await world();
  const good = it.telemetry;
  it.telemetry = { instant: () => Promise.reject(error) };
  await it.apply();
  await it.until(60);
  expect(it.condition("Healthy")).toBe(expected);
  it.telemetry = good;
  await it.until(120);
  expect(it.condition("Healthy")).toBe("True WithinBudget");
});

test("an alert outlives missing data, but not for longer than its longest window", async () => {
  const it = await world([outage]);
  await it.apply({ window: "1d" });
  await it.until(120);
  it.telemetry = { instant: async () => ({ resultType: "vector", result: [] }) };
  // The page's longest window is 12 minutes, the ticket's more than two hours.
  await it.until(780);
  expect(it.states).toEqual(["page Firing", "ticket Firing"]);
  expect(it.condition("Alerting")).toBe("True Page");
  await it.until(900);
  expect(it.states).toEqual(["page Resolved", "ticket Firing"]);
});

test("a restart neither forgets an alert nor tells it again", async () => {
  const it = await world([outage]);
  await it.apply({ alerting: { notify: [hook] } });
  await it.until(330);
  await it.end();
  it.begin();
  await it.until(600);
  expect(it.states).toEqual(["page Firing", "ticket Firing"]);
  expect(it.sent).toHaveLength(2);
  expect(it.events.filter((text) => text === "Warning AlertFiring")).toHaveLength(2);
});

test("receivers are told of changes and, now and then, of what goes on", async () => {
  const it = await world([{ from: 0, to: 1000, ratio: 1 }]);
  await it.apply({ window: "1d", alerting: { repeat: "10m", notify: [{ ...hook, severities: ["page"] }] } });
  await it.until(1500);
  expect(it.sent.map(({ at, body }) => [at, (body as { status: string }).status])).toEqual([
    [15, "firing"],
    [615, "firing"],
    [1065, "resolved"],
  ]);
});

test("flapping is told at most once in five minutes", async () => {
  // Each minute ten seconds of errors: the short window exceeds and does not, in turn.
  const flapping = Array.from({ length: 30 }, (_, i): Incident => ({ from: i * 60, to: i * 60 + 10, ratio: 1 }));
  const it = await world(flapping);
  const policies = [{ severity: "page", long: "1m", short: "15s", factor: 100 }];
  await it.apply({ alerting: { policies, notify: [hook] } });
  await it.until(1800);
  const times = it.sent.map(({ at }) => at);
  expect(it.events.length).toBeGreaterThan(0);
  expect(times.length).toBeGreaterThan(1);
  expect(times.length).toBeLessThanOrEqual(7);
});

test("what fails is tried again with growing delay, then said, and told when it works", async () => {
  const it = await world([{ from: 0, to: 3600, ratio: 1 }]);
  it.answer = () => 503;
  await it.apply({ alerting: { notify: [{ ...hook, severities: ["page"] }] } });
  await it.until(600);
  const gaps = it.sent.slice(1).map(({ at }, i) => at - (it.sent[i]?.at ?? 0));
  expect(gaps.slice(0, 5)).toEqual([10, 20, 40, 80, 160]);
  expect(it.condition("Notified")).toBe("False NotDelivered");
  expect(it.events.filter((text) => text === "Warning AlertNotDelivered")).toHaveLength(1);
  it.answer = () => 200;
  await it.until(1200);
  expect(it.condition("Notified")).toBe("True Delivered");
  const tries = it.sent.length;
  await it.until(1800);
  expect(it.sent).toHaveLength(tries);
});

test("what is refused is not tried again until the next repeat", async () => {
  const it = await world([{ from: 0, to: 3600, ratio: 1 }]);
  it.answer = () => 404;
  await it.apply({ alerting: { notify: [{ ...hook, severities: ["page"] }] } });
  await it.until(1800);
  expect(it.sent).toHaveLength(1);
});

test("an Alertmanager is told each minute, and of the end", async () => {
  const it = await world([{ from: 0, to: 60, ratio: 1 }]);
  await it.apply({ alerting: { notify: [{ alertmanager: { url: "http://alertmanager.example:9093/" } }] } });
  await it.until(900);
  expect(new Set(it.sent.map(({ url }) => url))).toEqual(new Set(["http://alertmanager.example:9093/api/v2/alerts"]));
  const ends = it.sent.map(({ body }) => (body as { endsAt: string }[])[0]?.endsAt ?? "");
  expect(it.sent.length).toBeGreaterThan(4);
  expect(Date.parse(ends.at(-1) ?? "") - start).toBeLessThan(400_000);
});

test("an address is read from its Secret and never said", async () => {
  const it = await world([{ from: 0, to: 3600, ratio: 1 }]);
  it.answer = () => Object.assign(new Error("https://hooks.example/hidden failed"), {});
  await it.apply({ alerting: { notify: [{ slack: { secret: "slack", key: "url" } }] } });
  await it.until(120);
  expect(getCondition(it.object.status?.conditions, "Notified")?.message).toMatch(/secrets "slack" not found/);
  const data = { url: Buffer.from("https://hooks.example/hidden\n").toString("base64") };
  await it.cluster.apply(newObject(Secrets, { metadata: { name: "slack", namespace: "shop" }, type: "Opaque", data }));
  await it.until(900);
  expect(it.sent[0]?.url).toBe("https://hooks.example/hidden");
  expect(JSON.stringify([it.object, it.cluster.list(Events), it.cluster.log])).not.toContain("hidden");
});

test("a mark that cannot be kept is kept later", async () => {
  const it = await world([outage]);
  it.markFails = true;
  await it.apply();
  await it.until(240);
  expect(it.marks).toEqual([]);
  it.markFails = false;
  await it.until(300);
  expect(it.marks.flatMap(({ resourceLogs = [] }) => resourceLogs).flatMap(markOf)).toEqual(["page Firing"]);
});

test("figures are written twice a minute, alerts at once", async () => {
  const it = await world([{ from: 0, to: 86_400, ratio: 0.0001 }]);
  await it.apply();
  await it.until(60);
  const versions = new Set<string | undefined>();
  for (let second = 75; second <= 660; second += 15) {
    await it.until(second);
    versions.add(it.object.metadata.resourceVersion);
  }
  expect(versions.size).toBeLessThanOrEqual(22);
  expect(versions.size).toBeGreaterThan(10);
});
