/** Events. Source: kubernetes pkg/registry/core/event/strategy.go */
import { type Event, type EventsEvent, invalidValue, type ObjectReference } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

const fieldsOf = (about: Partial<ObjectReference> | undefined) => ({
  "involvedObject.kind": about?.kind ?? "",
  "involvedObject.namespace": about?.namespace ?? "",
  "involvedObject.name": about?.name ?? "",
  "involvedObject.uid": about?.uid ?? "",
  "involvedObject.apiVersion": about?.apiVersion ?? "",
  "involvedObject.resourceVersion": about?.resourceVersion ?? "",
  "involvedObject.fieldPath": about?.fieldPath ?? "",
});

export const events: KindRules<Event> = {
  validate: ({ metadata, involvedObject }) =>
    (involvedObject?.namespace || "default") === metadata.namespace
      ? []
      : [invalidValue("involvedObject.namespace", involvedObject?.namespace ?? "", "does not match event.namespace")],
  fields: ({ involvedObject, reason, reportingComponent, source, type }) => ({
    ...fieldsOf(involvedObject),
    reason: reason ?? "",
    reportingComponent: reportingComponent ?? "",
    source: source?.component || (reportingComponent ?? ""),
    type: type ?? "",
  }),
};

export const eventsEvents: KindRules<EventsEvent> = {
  fields: ({ regarding, reason, reportingController, deprecatedSource, type }) => ({
    ...fieldsOf(regarding),
    reason: reason ?? "",
    reportingComponent: reportingController ?? "",
    source: deprecatedSource?.component || (reportingController ?? ""),
    type: type ?? "",
  }),
};
