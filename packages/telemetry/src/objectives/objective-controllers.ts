/** The controllers of objectives with their effects, for whoever composes a process. */
import type { Clock } from "@flotilla/ambient";
import type { Api, Controller, Effects } from "@flotilla/client";
import type { LogsData } from "../otlp/types.ts";
import type { Telemetry } from "../telemetry.ts";
import { markName } from "./alert-mark.ts";
import { alertDeliveries, notifyName, type Post } from "./deliveries.ts";
import { measurements, measureName } from "./measurements.ts";
import { objectiveController } from "./objective-controller.ts";

export interface ObjectiveControllersOptions {
  /** Where indicators are asked. */
  readonly telemetry: Pick<Telemetry, "instant">;
  /** Reads the Secrets that hold receivers' addresses. */
  readonly api: Pick<Api, "get">;
  readonly clock: Clock;
  /** Keeps marks; throws what the store throws, and is then called again with the same. */
  readonly mark: (marks: LogsData) => void | Promise<void>;
  /** Default: the global `fetch`. */
  readonly post?: Post;
  /** Milliseconds between two measurements of one objective. Default: 15 s. */
  readonly interval?: number;
}

export interface ObjectiveControllers {
  readonly controllers: readonly Controller[];
  /** To be handed to the runner. */
  readonly effects: Effects;
  /** After the runner was stopped. */
  stop(): Promise<void>;
}

export function objectiveControllers(options: ObjectiveControllersOptions): ObjectiveControllers {
  const { telemetry, api, clock, mark, post = fetch as Post, interval = 15_000 } = options;
  const measured = measurements(telemetry, clock);
  const deliveries = alertDeliveries({ api, clock, post });
  return {
    controllers: [objectiveController({ measurements: measured, deliveries, interval }) as Controller],
    effects: {
      [measureName]: measured.measure,
      [notifyName]: deliveries.notify,
      [markName]: async (marks) => mark(marks as LogsData),
    },
    stop: () => deliveries.stop(),
  };
}
