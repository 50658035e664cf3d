import { simulation } from "@flotilla/ambient";
import { type Api, ApiUnreachableError, type Write } from "@flotilla/client";

import { type App, Apps, notFound } from "@flotilla/objects";
import { afterEach, beforeEach, expect, test } from "vitest";
import { annotations } from "./annotations.ts";
import { type BuildResult, Developer, type Sources } from "./develop.ts";

/** What the API holds of the App, an edit, a build: everything that the loop touches. */
class World {
  readonly simulation = simulation(1);
  readonly built: string[] = [];
  readonly said: string[] = [];
  app: App | undefined;
  model: Sources = sources("web", "orders");
  mistake: string | undefined;
  result: (service: string) => BuildResult = (service) => ({ image: `${service}:${this.built.length}` });
  away = false;
  edit: (path: string) => void = () => {};
  readonly developer: Developer;

  constructor() {
    const world = this;
    const api = {
      async get() {
        world.#reach();
        if (!world.app) throw notFound(Apps, "shop");
        return world.app;
      },
      async write(write: Write) {
        world.#reach();
        const { patch } = write as { patch?: App };
        const sent = patch ?? (write as { object?: App }).object;
        const status = (write as { subresource?: string }).subresource === "status";
        world.app = status
          ? ({ ...world.app, status: sent?.status } as App)
          : ({ ...sent, status: world.app?.status } as App);
        return world.app;
      },
      async *watch(_: unknown, { signal }: { signal: AbortSignal }) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        yield* [];
      },
    } as unknown as Api;
    this.developer = new Developer({
      api,
      clock: this.simulation.clock,
      read: async () => {
        if (world.mistake) throw new Error(world.mistake);
        return world.model;
      },
      build: async (service) => {
        world.built.push(service);
        return world.result(service);
      },
      watch: (changed) => {
        world.edit = changed;
        return async () => {};
      },
      log: (text) => world.said.push(text),
    });
  }

  #reach(): void {
    if (this.away) throw new ApiUnreachableError("https://127.0.0.1:1", "connection refused");
  }

  async edits(...paths: string[]): Promise<void> {
    for (const path of paths) this.edit(path);
    await this.simulation.advance(100);
  }

  get versions(): Record<string, string> {
    return Object.fromEntries(Object.entries(this.app?.spec.versions ?? {}).map(([name, { image }]) => [name, image]));
  }

  get builds(): Record<string, string> {
    const builds = Object.entries(this.app?.status?.builds ?? {});
    return Object.fromEntries(builds.map(([name, { state, message }]) => [name, message ?? state]));
  }
}

function sources(...services: string[]): Sources {
  return {
    object: { metadata: { namespace: "shop", name: "shop" }, spec: {} } as unknown as App,
    services: new Map(services.map((name) => [name, { source: `/shop/${name}` }])),
  };
}

let world: World;
beforeEach(async () => {
  world = new World();
  world.developer.start("first");
  await world.simulation.advance(100);
});
afterEach(() => world.developer.stop());

test("builds every service, writes its version, and answers the request", () => {
  expect(world.versions).toEqual({ web: "web:1", orders: "orders:2" });
  expect(world.builds).toEqual({ web: "built", orders: "built" });
  expect(world.app?.metadata.annotations?.[annotations.synced]).toBe("first");
});
test("an edit builds the service it is in, and no other", async () => {
  await world.edits("/shop/web/a.ts", "/shop/web/b.ts", "/shop/README.md", "/shop/web-site/c.ts");
  expect(world.built.slice(2)).toEqual(["web"]);
  expect(world.versions).toEqual({ web: "web:3", orders: "orders:2" });
});
test("a build that fails leaves the version that runs; the next good edit repairs it", async () => {
  world.result = () => ({ failed: "no entry file" });
  await world.edits("/shop/web/a.ts");
  expect([world.versions.web, world.builds.web]).toEqual(["web:1", "no entry file"]);
  world.result = () => ({ image: "web:good" });
  await world.edits("/shop/web/a.ts");
  expect([world.versions.web, world.builds.web]).toEqual(["web:good", "built"]);
});
test("what this machine lacks is left out", async () => {
  world.result = () => ({ leftOut: "needs python3" });
  await world.edits("/shop/orders/main.py");
  expect([world.versions, world.builds.orders]).toEqual([{ web: "web:1" }, "needs python3"]);
});
test("a mistake in the model is told as such, and changes nothing else", async () => {
  world.mistake = "App shop: services.web.port: is missing";
  await world.edits("/shop/flotilla.ts");
  expect(world.builds).toEqual({ web: "built", orders: "built", "(model)": world.mistake });
  expect(world.versions).toEqual({ web: "web:1", orders: "orders:2" });
  world.mistake = undefined;
  await world.edits("/shop/flotilla.ts");
  expect(world.builds).toEqual({ web: "built", orders: "built" });
});
test("a service that the model no longer has is forgotten", async () => {
  world.model = sources("web");
  await world.edits("/shop/flotilla.ts");
  expect([world.versions, world.builds]).toEqual([{ web: "web:1" }, { web: "built" }]);
});
test("an edit while the API is away is written when it is back", async () => {
  world.away = true;
  await world.edits("/shop/web/a.ts");
  expect(world.versions.web).toBe("web:1");
  world.away = false;
  await world.simulation.advance(2000);
  expect(world.versions.web).toBe(`web:${world.built.length}`);
  expect(world.built.at(-1)).toBe("web");
});
test("versions of the last run are kept until something newer is built", async () => {
  const next = new World();
  next.app = { ...world.app, spec: { versions: { web: { image: "web:old" } } } } as unknown as App;
  next.result = () => ({ failed: "no" });
  next.away = true;
  next.developer.start("second");
  await next.simulation.advance(100);
  next.away = false;
  await next.simulation.advance(2000);
  await next.developer.stop();
  expect(next.versions).toEqual({ web: "web:old" });
});
test("nothing happens once it has stopped", async () => {
  await world.developer.stop();
  await world.edits("/shop/web/a.ts");
  expect([world.built, world.said]).toEqual([["web", "orders"], []]);
});
