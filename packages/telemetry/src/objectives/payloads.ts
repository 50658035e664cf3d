/**
 * What receivers of alerts are sent.
 *
 * Source: alertmanager notify/webhook and template.Data (version "4"), api/v2 postableAlert; Slack's incoming webhooks.
 */
import type { Notification } from "./notification.ts";

type Strings = Readonly<Record<string, string>>;

const separator = 255;
const prime = 0x100000001b3n;
const mask = (1n << 64n) - 1n;

/** FNV-1a of the labels in order of their names. Source: prometheus common/model (LabelSet.Fingerprint). */
export function fingerprint(labels: Strings): string {
  let hash = 0xcbf29ce484222325n;
  const add = (bytes: Iterable<number>) => {
    for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * prime) & mask;
  };
  for (const name of Object.keys(labels).sort()) {
    for (const text of [name, labels[name] ?? ""]) {
      add(Buffer.from(text));
      add([separator]);
    }
  }
  return hash.toString(16).padStart(16, "0");
}

/** Alertmanager's zero time: the alert has not ended. */
const notYet = "0001-01-01T00:00:00Z";

/** What alerts are one message by: those of one objective and severity. */
const groupedBy = ["alertname", "namespace", "severity", "slo"] as const;

export function webhookPayload({ labels, annotations, state, startsAt, endsAt, receiver }: Notification) {
  const groupLabels = Object.fromEntries(
    groupedBy.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]])),
  );
  const shown = Object.entries(groupLabels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const status = state === "Firing" ? "firing" : "resolved";
  return {
    version: "4",
    groupKey: `{}:{${shown.join(", ")}}`,
    truncatedAlerts: 0,
    status,
    receiver: receiver.name ?? "webhook",
    groupLabels,
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: "",
    alerts: [
      {
        status,
        labels,
        annotations,
        startsAt,
        endsAt: endsAt ?? notYet,
        generatorURL: "",
        fingerprint: fingerprint(labels),
      },
    ],
  };
}

/** How long an Alertmanager believes an alert that it hears of no more. Source: Prometheus sends 4 times the interval. */
const believed = 4 * 60_000;

/** For POST /api/v2/alerts. */
export const alertmanagerPayload = ({ labels, annotations, startsAt, endsAt }: Notification, now: number) => [
  {
    labels,
    annotations,
    startsAt,
    endsAt: endsAt ?? new Date(now + believed).toISOString(),
  },
];

const escaped = (text: string): string =>
  text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? sign);

/** One message; its colour is what is seen first. */
export function slackPayload({ labels, annotations, state, startsAt, endsAt }: Notification) {
  const firing = state === "Firing";
  const title = escaped(`${firing ? "FIRING" : "RESOLVED"} ${labels.severity}: ${annotations.summary}`);
  const fields = (["app", "service", "namespace"] as const).flatMap((name) =>
    labels[name] === undefined ? [] : [{ title: name, value: escaped(labels[name]), short: true }],
  );
  return {
    text: title,
    attachments: [
      {
        color: firing ? "danger" : "good",
        fallback: title,
        ...(annotations.runbook_url && { title: "Runbook", title_link: annotations.runbook_url }),
        text: escaped(annotations.description ?? ""),
        fields,
        ts: Math.floor(Date.parse(endsAt ?? startsAt) / 1000),
      },
    ],
  };
}
