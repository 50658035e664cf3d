/** Requests and limits: memory is limited to what is requested, CPU is not limited. */
import type { ResourceRequirements } from "@flotilla/objects";
import type { Resources } from "../model/service.ts";

export function resourcesOf(resources: Resources = {}): ResourceRequirements {
  const { cpu = "50m", memory = "128Mi", gpu } = resources;
  const requests = resources.requests ?? { cpu, memory };
  const limits = resources.limits ?? (requests.memory === undefined ? {} : { memory: requests.memory });
  const gpus: Record<string, string> = gpu ? { "nvidia.com/gpu": String(gpu) } : {};
  const all = { ...limits, ...gpus };
  return { requests: { ...requests, ...gpus }, ...(Object.keys(all).length > 0 && { limits: all }) };
}
