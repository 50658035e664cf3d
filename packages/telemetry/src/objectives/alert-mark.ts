/** A change of an alert as a mark on the time axis: a log record with an event's name. */
import type { ServiceLevelObjective } from "@flotilla/objects";
import { attributesOf } from "../attributes.ts";
import type { LogRecord, LogsData } from "../otlp/types.ts";
import type { AlertChange } from "./alerts.ts";
import { summaryOf } from "./notification.ts";

/** The name by which the effect is known to the runner. */
export const markName = "mark-alert";

export const alertEvent = "flotilla.alert";

const severityOf = ({ alert, to }: AlertChange): Pick<LogRecord, "severityNumber" | "severityText"> => {
  if (to === "Resolved") return { severityNumber: 9, severityText: "INFO" };
  return alert.severity === "ticket"
    ? { severityNumber: 13, severityText: "WARN" }
    : { severityNumber: 17, severityText: "ERROR" };
};

/** `at`: when it was seen, ms. */
export function alertMarks(object: ServiceLevelObjective, changes: readonly AlertChange[], at: number): LogsData {
  const { metadata, spec } = object;
  const time = `${BigInt(at) * 1_000_000n}`;
  return {
    resourceLogs: [
      {
        resource: {
          attributes: attributesOf({
            "service.name": spec.service,
            "service.namespace": metadata.labels?.["app.kubernetes.io/part-of"],
            "k8s.namespace.name": metadata.namespace,
          }),
        },
        scopeLogs: [
          {
            scope: { name: "flotilla/objectives" },
            logRecords: changes.map((change) => ({
              timeUnixNano: time,
              observedTimeUnixNano: time,
              ...severityOf(change),
              body: { stringValue: summaryOf(object, change.alert) },
              eventName: alertEvent,
              attributes: attributesOf({
                "flotilla.slo": metadata.name,
                "flotilla.alert.severity": change.alert.severity,
                "flotilla.alert.state": change.to,
                "flotilla.alert.windows": change.alert.windows?.join(", "),
                "flotilla.alert.burn_rate": change.alert.burnRate,
              }),
            })),
          },
        ],
      },
    ],
  };
}
