/**
 * What an app says of telemetry in the environment that it runs in, in numbers: for the process that keeps telemetry, which has no
 * use for the rest of this package and does not load it.
 */
import { type App, parsePeriod, quantityValue } from "@flotilla/objects";
import { local } from "./environment.ts";
import type { App as Model } from "./model/model.ts";
import type { Retention } from "./model/objectives.ts";

/** A key of a Secret in the app's namespace: "name=value,name=value". */
export interface SecretHeaders {
  readonly namespace: string;
  readonly secret: string;
  readonly key: string;
}

/** What is not stated is the store's own default. */
export interface RetentionSettings {
  /** Milliseconds. */
  readonly age?: number;
  /** Bytes. */
  readonly size?: number;
}

export interface TelemetrySettings {
  readonly retention: Readonly<Record<"traces" | "logs" | "metrics", RetentionSettings>>;
  /** Where everything that is taken in is sent on to. */
  readonly forward?: { readonly endpoint: string; readonly headers?: SecretHeaders };
}

const retentionOf = (stated: Retention | null | undefined): RetentionSettings => ({
  ...(stated?.age && { age: parsePeriod(stated.age) }),
  ...(stated?.size && { size: quantityValue(stated.size) }),
});

/** `object`: without mistakes (`check`). */
export function telemetrySettings(object: App): TelemetrySettings {
  const { environments, environment = local } = object.spec as unknown as Pick<Model, "environments"> & {
    readonly environment?: string;
  };
  const { otlp, retention } = environments?.[environment]?.telemetry ?? {};
  const namespace = object.metadata.namespace ?? "";
  const headersOf = (headers: { secret: PropertyKey; key: string } | null | undefined) =>
    headers ? { headers: { namespace, secret: String(headers.secret), key: headers.key } } : {};
  return {
    retention: {
      traces: retentionOf(retention?.traces),
      logs: retentionOf(retention?.logs),
      metrics: retentionOf(retention?.metrics),
    },
    ...(otlp && { forward: { endpoint: otlp.endpoint, ...headersOf(otlp.headers) } }),
  };
}
