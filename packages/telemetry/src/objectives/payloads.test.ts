import { expect, test } from "vitest";
import type { Notification } from "./notification.ts";
import { alertmanagerPayload, fingerprint, slackPayload, webhookPayload } from "./payloads.ts";

const labels = { alertname: "ErrorBudgetBurn", severity: "page", slo: "web", namespace: "shop", service: "web" };
const firing: Notification = {
  objective: "shop/web/1",
  namespace: "shop",
  receiver: { webhook: { url: "https://hooks.example/a" } },
  state: "Firing",
  labels,
  annotations: { summary: "web: <burns> & burns", description: "Why", runbook_url: "https://runbooks.example/web" },
  startsAt: "2026-01-01T00:01:00Z",
};
const resolved: Notification = { ...firing, state: "Resolved", endsAt: "2026-01-01T00:31:00Z" };

// What github.com/prometheus/common v0.69 gives.
test.each([
  [labels, "07bfed29645c4d3c"],
  [{ a: "ä" }, "0023cb2f2451f6c3"],
  [{}, "cbf29ce484222325"],
])("the fingerprint of %o is Prometheus'", (set, expected) => expect(fingerprint(set)).toBe(expected));

test("a webhook gets what Alertmanager sends", () => {
  const payload = webhookPayload(firing);
  expect(Object.keys(payload).sort()).toEqual([
    "alerts",
    "commonAnnotations",
    "commonLabels",
    "externalURL",
    "groupKey",
    "groupLabels",
    "receiver",
    "status",
    "truncatedAlerts",
    "version",
  ]);
  expect(payload).toMatchObject({
    version: "4",
    status: "firing",
    receiver: "webhook",
    groupKey: '{}:{alertname="ErrorBudgetBurn", namespace="shop", severity="page", slo="web"}',
    commonLabels: labels,
    alerts: [{ status: "firing", startsAt: "2026-01-01T00:01:00Z", endsAt: "0001-01-01T00:00:00Z", labels }],
  });
  expect(webhookPayload(resolved)).toMatchObject({
    status: "resolved",
    alerts: [{ status: "resolved", endsAt: "2026-01-01T00:31:00Z" }],
  });
});

test("an Alertmanager is told how long to believe it", () => {
  const now = Date.UTC(2026, 0, 1, 0, 10);
  expect(alertmanagerPayload(firing, now)[0]?.endsAt).toBe("2026-01-01T00:14:00.000Z");
  expect(alertmanagerPayload(resolved, now)[0]?.endsAt).toBe("2026-01-01T00:31:00Z");
});

test("Slack gets a message without markup of its own", () => {
  const { text, attachments } = slackPayload(firing);
  expect(text).toBe("FIRING page: web: &lt;burns&gt; &amp; burns");
  expect(attachments[0]).toMatchObject({ color: "danger", title_link: "https://runbooks.example/web" });
  expect(slackPayload(resolved).attachments[0]).toMatchObject({
    color: "good",
    ts: Date.UTC(2026, 0, 1, 0, 31) / 1000,
  });
});
