import { Endpoints, newObject, type Service, Services } from "@flotilla/objects";
import { expect, test } from "vitest";
import { endpointsController } from "./endpoints.ts";
import { meta, ready, terminating, unready } from "./testing/objects.ts";
import { World } from "./testing/world.ts";

const key = { namespace: "shop", name: "web" };
const service: Service = newObject(Services, {
  metadata: meta("web"),
  spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: 3000 }] },
});
const subsets = (...pods: Parameters<World["add"]>[0][]) => {
  const world = new World(service, ...pods);
  world.look(endpointsController, key);
  expect(world.look(endpointsController, key)).toBe(0);
  return world.get(Endpoints, key)?.subsets;
};

test("ready and not ready pods are listed apart", () =>
  expect(subsets(ready("a"), unready("b"))).toMatchObject([
    {
      addresses: [{ ip: "10.0.0.1", targetRef: { name: "a" } }],
      notReadyAddresses: [{ targetRef: { name: "b" } }],
      ports: [{ name: "http", port: 3000, protocol: "TCP" }],
    },
  ]));
test("terminating pods are left out", () => expect(subsets(terminating("a"))).toEqual([]));
test("without pods it is empty", () => expect(subsets()).toEqual([]));
