/**
 * What the gateway costs. In the running shop, the same pod asked through it and directly: the load comes from this process and
 * shares the machine. And the data plane alone (data-plane.ts), beside the least proxy that node:http allows.
 */
import { measureDataPlane } from "./data-plane.ts";
import { load } from "./load.ts";
import { median } from "./measure.ts";
import type { Shop } from "./shop.ts";
import { type Figure, ms } from "./table.ts";

const rounds = 3;
const many = 32;
/** Milliseconds, each. */
const duration = 3000;

export async function gateway(shop: Shop): Promise<Figure[]> {
  await shop.up();
  const through = `http://127.0.0.1:${shop.cluster.ports.gateway}/healthz`;
  const direct = `${await shop.podAddress("storefront", 3000)}/healthz`;
  const of = async (url: string, connections: number) => {
    const result = await load(url, connections, duration);
    if (result.failed > 0) throw new Error(`${url}: ${result.failed} requests failed`);
    return result;
  };
  const rates = { through: [] as number[], direct: [] as number[] };
  const added: number[] = [];
  let latency = 0;
  for (const url of [through, direct]) await load(url, many, 1000);
  for (let i = 0; i < rounds; i++) {
    rates.through.push((await of(through, many)).perSecond);
    rates.direct.push((await of(direct, many)).perSecond);
    const [one, other] = [await of(through, 1), await of(direct, 1)];
    latency = other.latency;
    added.push(one.latency - other.latency);
  }
  const [our, their] = [median(rates.through), median(rates.direct)];
  return [
    {
      what: `shop, gateway: requests/s, ${many} connections`,
      ours: our.toFixed(0),
      peer: `${their.toFixed(0)} direct`,
      ratio: `${(our / their).toFixed(2)} of it`,
    },
    { what: "shop, gateway: added to a request's median", ours: ms(median(added)), peer: `${ms(latency)} direct` },
  ];
}

export async function dataPlane(): Promise<Figure[]> {
  const figures = await measureDataPlane();
  const micro = (value: number) => `${Math.round(value)} us`;
  return Object.entries(figures).flatMap(([method, { processor, time }]) => {
    const row = (what: string, our: number, their: number, whose = "least proxy") => ({
      what: `data plane, ${method}: ${what}`,
      ours: micro(our),
      peer: `${micro(their)} ${whose}`,
      ratio: `${(our / their).toFixed(2)} of it`,
    });
    return [
      row("processor time", processor.gateway, processor.minimal),
      row("added to a request", time.gateway - time.direct, time.minimal - time.direct),
      row("every request counted and traced: median", time.told, time.gateway, "without"),
      row("... processor time", processor.told, processor.gateway, "without"),
    ];
  });
}
