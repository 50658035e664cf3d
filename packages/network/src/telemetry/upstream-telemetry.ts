/** What is known of each cluster at any moment: its endpoints, what is under way, who was put aside. */
import type { Upstream } from "../upstream.ts";
import type { Meter, Observation } from "./meter.ts";

const labels = ["service", "app", "namespace", "port"];

const labelsOf = ({ name, app, namespace, port }: Upstream): string[] => [name, app, namespace, String(port)];

export function observeUpstreams(meter: Meter, upstreams: () => Iterable<Upstream>): void {
  meter.observe(
    {
      name: "flotilla.requests.active",
      unit: "{request}",
      description: "Requests and connections that are under way.",
      labels,
    },
    false,
    function* () {
      for (const upstream of upstreams()) {
        let value = 0;
        for (const { outstanding } of upstream.endpoints()) value += outstanding;
        yield { labels: labelsOf(upstream), value };
      }
    },
  );
  meter.observe(
    {
      name: "flotilla.endpoints",
      unit: "{endpoint}",
      description: "Endpoints by state: ready, draining, ejected (put aside after failures), unready.",
      labels: [...labels, "state"],
    },
    false,
    function* () {
      for (const upstream of upstreams()) yield* states(upstream);
    },
  );
  meter.observe(
    {
      name: "flotilla.ejections",
      unit: "{ejection}",
      description: "Endpoints that were put aside after they could not be connected to.",
      labels,
    },
    true,
    function* () {
      for (const upstream of upstreams()) yield { labels: labelsOf(upstream), value: upstream.ejections };
    },
  );
}

function* states(upstream: Upstream): Generator<Observation> {
  const counts = { ready: 0, draining: 0, ejected: 0, unready: upstream.unready };
  for (const { state, ejected } of upstream.endpoints()) counts[ejected ? "ejected" : state]++;
  for (const [state, value] of Object.entries(counts)) yield { labels: [...labelsOf(upstream), state], value };
}
