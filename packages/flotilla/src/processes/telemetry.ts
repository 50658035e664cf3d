/**
 * Telemetry's process: takes in, keeps, answers. Whatever becomes of it (a flood, a full disk, a query that asks for everything),
 * traffic and the control plane go on.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Cancel, Clock } from "@flotilla/ambient";
import type { TelemetrySettings } from "@flotilla/app";
import { type Controller, discoverResources, runControllers } from "@flotilla/client";
import {
  activeTargets,
  countingSink,
  embeddedTelemetry,
  encodeLogs,
  forwardingSink,
  httpFetch,
  Intake,
  LogStore,
  Losses,
  MetricStore,
  objectiveControllers,
  podLogs,
  promqlEngine,
  Scraper,
  type Signal,
  type Sink,
  SpanStore,
  scrapeController,
  selfMetrics,
  startGrpcReceiver,
  startHttpReceiver,
  startMarks,
  startQueryServer,
  UnavailableError,
} from "@flotilla/telemetry";
import { apiAs, clock, host, logTo, nodeName, random } from "../compose.ts";
import { Forwarding } from "../forwarding.ts";
import { type Listening, listenAgain } from "../listen-again.ts";
import { readSettings, settingsController, settingsEffect, writeSettings } from "../telemetry-settings.ts";
import { telemetryStatus } from "../telemetry-status.ts";
import { runUntilTold, type Start } from "./run.ts";

/** What the App does not state is left to the store. */
const keep = ({ age, size }: TelemetrySettings["retention"][Signal]) => ({
  ...(age && { age }),
  ...(size && { bytes: size }),
});

const telemetry: Start = async ({ folder, cluster, stop }) => {
  const log = logTo(process.stderr);
  const onError = (error: unknown) => log({ level: "error", message: "telemetry", error });
  const at = (name: string) => join(folder.telemetry, name);
  const startedAt = clock.now();
  const api = apiAs(folder, cluster, cluster.tokens.telemetry, "flotilla-telemetry");
  const { ports, tokens } = cluster;

  const settings = readSettings(at("settings.json"));
  const { traces, logs: ofLogs, metrics: ofMetrics } = settings.retention;
  const losses = new Losses();
  const spans = SpanStore.open({ folder: at("traces"), clock, losses, limits: keep(traces) });
  const logs = LogStore.open({ folder: at("logs"), clock, losses, limits: keep(ofLogs) });
  const metrics = MetricStore.open({
    folder: at("metrics"),
    clock,
    losses,
    limits: { ...(ofMetrics.age && { maxAge: ofMetrics.age }), ...(ofMetrics.size && { maxBytes: ofMetrics.size }) },
  });
  const stores = { traces: spans, logs, metrics };

  const forwarding = new Forwarding({ api, clock, random, losses, log });
  // What needs a Secret waits for the API.
  if (!settings.forward?.headers) await forwarding.to(settings.forward);
  const kept: Sink = { traces: (it) => spans.add(it), logs: (it) => logs.add(it), metrics: (it) => metrics.add(it) };
  const { sink, received } = countingSink(forwardingSink(kept, forwarding));
  const intake = new Intake({ sink, losses, onError, collectGarbage: () => void globalThis.gc?.({ type: "minor" }) });
  const engine = promqlEngine({ source: metrics, clock });
  const telemetry = embeddedTelemetry({ metrics, engine, spans, logs });

  const scraper: Scraper = new Scraper({
    sink,
    clock,
    losses,
    fetch: httpFetch(clock),
    nodeName,
    kubelet: { url: `http://${host}:${ports.kubelet}`, token: tokens.kubelet },
    own: () => own(),
  });
  const own = () => {
    const kept = { traces: spans.stats(), logs: logs.stats(), metrics: metrics.stats() };
    return selfMetrics({
      losses,
      received,
      kept,
      series: kept.metrics.series,
      targets: scraper.targets(),
      ...(forwarding.state && { notForwarded: forwarding.state.dropped }),
      startedAt,
    });
  };
  const receivers: Listening[] = [];
  const listen = async (what: string, port: number, start: Parameters<typeof listenAgain>[1]) => {
    const listening = await listenAgain({ what, port, clock, onError }, start);
    receivers.push(listening);
    if (listening.fault) log({ level: "warn", message: `${listening.fault}; everything else goes on` });
  };
  const status = () => ({
    ...telemetryStatus({ stores, settings, losses, forwarding: forwarding.state }),
    faults: receivers.flatMap(({ fault }) => fault ?? []),
  });
  await listen("OTLP over HTTP", ports.otlpHttp, () =>
    startHttpReceiver({ host, port: ports.otlpHttp, intake, clock }),
  );
  await listen("OTLP over gRPC", ports.otlpGrpc, () =>
    startGrpcReceiver({ host, port: ports.otlpGrpc, intake, clock }),
  );
  await listen("the query API", ports.query, () =>
    startQueryServer({
      host,
      port: ports.query,
      source: metrics,
      engine,
      telemetry,
      token: tokens.admin,
      clock,
      selfMetrics: own,
      facts: { targets: () => activeTargets(scraper.targets()) },
      status,
      onError,
    }),
  );

  const lines = podLogs({
    folder: join(folder.node, "logs"),
    checkpoint: at("pod-logs.json"),
    nodeName,
    clock,
    sink,
    losses,
    log,
    // Of a moment; whatever it finds must be known.
    kept: (search) => logs.logs(search, Number.POSITIVE_INFINITY),
  });
  const marks = startMarks({
    api,
    resources: () => discoverResources(api.request),
    clock,
    random,
    sink,
    file: at("marks.json"),
    log,
  });
  const objectives = objectiveControllers({
    telemetry,
    api,
    clock,
    mark: (data) => void sink.logs(encodeLogs(data)),
  });
  const settingsChanged = async (given: unknown) => {
    const next = given as TelemetrySettings;
    writeSettings(at("settings.json"), next);
    // Stores are opened with their limits: the agent starts this process again, and senders try again until then.
    if (!isDeepStrictEqual(next.retention, settings.retention)) return stop();
    await forwarding.to(next.forward);
  };
  const controllers = runControllers({
    api,
    clock,
    random,
    controllers: [
      settingsController as Controller,
      scrapeController as Controller,
      lines.controller as Controller,
      ...objectives.controllers,
    ],
    effects: {
      [settingsEffect]: settingsChanged,
      scrape: scraper.perform,
      ...lines.effects,
      ...objectives.effects,
    },
    log,
  });

  // Somebody wanted the room: what is opened anew has it.
  const cancel = whenGone(clock, at("traces"), stop);

  return {
    async stop() {
      await Promise.all([controllers.stop(), marks.stop(), ...receivers.map((receiver) => receiver.close())]);
      await Promise.all([scraper.stop(), lines.stop(), objectives.stop()]);
      await forwarding.close();
      cancel();
      for (const store of Object.values(stores)) {
        try {
          store.close();
        } catch (error) {
          // A full disk: the others have something to write down as well.
          if (!(error instanceof UnavailableError)) onError(error);
          else log({ level: "warn", message: `what came last is not kept: ${error.message}` });
        }
      }
    },
  };
};

/** Milliseconds. */
const lookEvery = 5000;

/** Runs once, when the folder is not there any more. */
function whenGone(clock: Clock, folder: string, run: () => void): Cancel {
  let cancel: Cancel = () => {};
  const look = () => {
    if (!existsSync(folder)) return run();
    cancel = clock.after(lookEvery, look, { background: true });
  };
  look();
  return () => cancel();
}

await runUntilTold("telemetry", telemetry);
