import type { ObjectiveAlert, ObjectiveReceiver } from "@flotilla/objects";
import { expect, test } from "vitest";
import { objectiveFor } from "./incidents.fixture.ts";
import { type Delivery, type Notification, notificationsOf } from "./notification.ts";

const minute = 60_000;
const hour = 60 * minute;
const began = Date.UTC(2026, 0, 1);
const at = (ms: number) => new Date(began + ms).toISOString();

const firing: ObjectiveAlert = { severity: "page", state: "Firing", since: at(0), firedAt: at(0) };
const resolved: ObjectiveAlert = { ...firing, state: "Resolved", resolvedAt: at(hour) };
const hook: ObjectiveReceiver = { webhook: { url: "https://hooks.example/a" } };
const manager: ObjectiveReceiver = { alertmanager: { url: "https://alerts.example" } };
const told = (state: "Firing" | "Resolved", ms: number): Delivery => ({ told: { state, at: began + ms }, failures: 0 });
const failed = (failures: number, ms: number, refused = false): Delivery => ({
  failures,
  failedAt: began + ms,
  refused,
});

interface Given {
  alert?: ObjectiveAlert;
  receiver?: ObjectiveReceiver;
  delivery?: Delivery;
  alerting?: { repeat?: string; resolved?: boolean };
}

/** What is told at `now`, else when something will be, in ms since the alert began. */
function when(now: number, { alert = firing, receiver = hook, delivery, alerting }: Given) {
  const object = objectiveFor({ alerting: { notify: [receiver], ...alerting } });
  const name = receiver.webhook ? "webhook" : "alertmanager";
  const { due, next } = notificationsOf(
    { ...object, status: { alerts: [alert] } },
    delivery ? { [`page ${name}`]: delivery } : {},
    began + now,
  );
  return due.length > 0 ? due.map(({ state }: Notification) => state).join() : next && next - began;
}

test.each<[string, number, Given, unknown]>([
  ["what fires, at once", 0, {}, "Firing"],
  ["what is pending, not", 0, { alert: { ...firing, state: "Pending" } }, undefined],
  ["what was told, in four hours", minute, { delivery: told("Firing", 0) }, 4 * hour],
  ["or as stated", minute, { delivery: told("Firing", 0), alerting: { repeat: "30m" } }, 30 * minute],
  ["then", 4 * hour, { delivery: told("Firing", 0) }, "Firing"],
  ["an Alertmanager, each minute", 1000, { delivery: told("Firing", 0), receiver: manager }, minute],
  ["what ended, at once", hour, { alert: resolved, delivery: told("Firing", 0) }, "Resolved"],
  [
    "what ended soon, five minutes after it began",
    hour,
    { alert: resolved, delivery: told("Firing", 58 * minute) },
    63 * minute,
  ],
  ["what ended and was never told, not", hour, { alert: resolved }, undefined],
  [
    "what ended and was told, not again by a webhook",
    9 * hour,
    { alert: resolved, delivery: told("Resolved", hour) },
    undefined,
  ],
  [
    "what ended, not where nobody wants to know",
    hour,
    { alert: resolved, delivery: told("Firing", 0), alerting: { resolved: false } },
    undefined,
  ],
  [
    "but an Alertmanager has to",
    hour,
    { alert: resolved, receiver: manager, delivery: told("Firing", 0), alerting: { resolved: false } },
    "Resolved",
  ],
  ["what failed, after ten seconds", 1000, { delivery: failed(1, 0) }, 10_000],
  ["what failed often, after five minutes", minute, { delivery: failed(9, 0) }, 5 * minute],
  ["what failed too often, in four hours", minute, { delivery: failed(20, 0) }, 4 * hour],
  ["what was refused, in four hours", minute, { delivery: failed(1, 0, true) }, 4 * hour],
  ["other severities, not", 0, { receiver: { ...hook, severities: ["ticket"] } }, undefined],
])("told: %s", (_, now, given, expected) => expect(when(now, given)).toBe(expected));
