/**
 * What the processes of a cluster have in common. Each composes its own parts, and loads nothing else:
 * `processes/control-plane.ts`, `processes/data-plane.ts`, `processes/telemetry.ts`, `processes/agent.ts`.
 */
import { systemClock, systemRandom } from "@flotilla/ambient";
import { httpApi, type Log } from "@flotilla/client";
import type { Cluster } from "./cluster.ts";
import { readCertificates, serverOf } from "./kubeconfig.ts";
import type { StateFolder } from "./state-folder.ts";

export const clock = systemClock;
export const random = systemRandom;

/** Everything of one cluster is on one machine. */
export const host = "127.0.0.1";
export const nodeName = "laptop";

export function apiAs(folder: StateFolder, cluster: Cluster, token: string, userAgent: string) {
  return httpApi({ server: serverOf(cluster), ca: readCertificates(folder).ca, token, userAgent, clock });
}

/** Where everybody sends telemetry. */
export const otlpEndpoint = ({ ports }: Cluster): string => `http://${host}:${ports.otlpHttp}`;

/** One line each, with what went wrong in words; a stack only for what nobody foresaw. */
export function logTo(stream: NodeJS.WriteStream): Log {
  return ({ level, message, controller, key, error }) => {
    if (level === "info" && !process.env.FLOTILLA_DEBUG) return;
    const about = [controller, key && [key.namespace, key.name].filter(Boolean).join("/")].filter(Boolean).join(" ");
    const detail = error instanceof Error && !message.includes(error.message) ? `: ${error.message}` : "";
    stream.write(`${new Date(clock.now()).toISOString()} ${level} ${about ? `${about}: ` : ""}${message}${detail}\n`);
  };
}
