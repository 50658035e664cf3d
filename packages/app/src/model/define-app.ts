/** `defineApp`: the identity, typed so that a name that is not in the file does not compile. */
import type { App, Environment, ObjectPatch } from "./model.ts";
import type { Backing, External, Job, Secret } from "./parts.ts";
import type { Route } from "./route.ts";
import type { Service } from "./service.ts";

interface NamesOf<
  S extends string,
  B extends string,
  X extends string,
  J extends string,
  K extends Record<string, string>,
> {
  service: S;
  backing: B;
  external: X;
  job: J;
  secrets: K;
}

/** Keys are where names are learned; everything that refers to them is kept out of inference. */
interface Definition<
  S extends string,
  B extends string,
  X extends string,
  J extends string,
  K extends Record<string, string>,
> extends Pick<App, "name" | "team" | "labels" | "annotations" | "imports" | "objects"> {
  defaults?: Partial<Service<NoInfer<NamesOf<S, B, X, J, K>>>>;
  services: { [Name in S]: Service<NoInfer<NamesOf<S, B, X, J, K>>> };
  backing?: { [Name in B]: Backing };
  external?: { [Name in X]: External };
  jobs?: { [Name in J]: Job<NoInfer<NamesOf<S, B, X, J, K>>> };
  routes?: readonly Route<NoInfer<NamesOf<S, B, X, J, K>>>[];
  secrets?: { [Name in keyof K]: Secret<K[Name]> };
  environments?: Record<string, Environment<NoInfer<NamesOf<S, B, X, J, K>>>>;
  exports?: readonly NoInfer<S>[];
  patches?: readonly ObjectPatch[];
}

/** Describes an application. What it returns is what it was given: plain data. */
export function defineApp<
  S extends string,
  B extends string = never,
  X extends string = never,
  J extends string = never,
  // biome-ignore lint/complexity/noBannedTypes: the keys of no secrets, of which a reference can be to none
  K extends Record<string, string> = {},
>(app: Definition<S, B, X, J, K>): App {
  return app as unknown as App;
}
