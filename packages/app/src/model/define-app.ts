/** `defineApp`: the identity, typed so that a name that is not in the file does not compile. */
import type { App, Environment, ObjectPatch } from "./model.ts";
import type { Backing, External, Job, Secret } from "./parts.ts";
import type { Route } from "./route.ts";
import type { Service } from "./service.ts";

/** Without `secrets` the compiler takes any names for granted; then there are none. */
type Known<K> = string extends keyof K ? Record<never, never> : K;

interface NamesOf<
  S extends string,
  B extends string,
  X extends string,
  J extends string,
  K extends Record<string, string>,
> {
  service: NoInfer<S>;
  backing: NoInfer<B>;
  external: NoInfer<X>;
  job: NoInfer<J>;
  secrets: Known<K>;
}

/** Keys are where names are learned; everything that refers to them is kept out of inference. */
interface Definition<
  S extends string,
  B extends string,
  X extends string,
  J extends string,
  K extends Record<string, string>,
> extends Pick<App, "name" | "team" | "labels" | "annotations" | "imports" | "objects"> {
  defaults?: Partial<Service<NamesOf<S, B, X, J, K>>>;
  services: { [Name in S]: Service<NamesOf<S, B, X, J, K>> };
  backing?: { [Name in B]: Backing };
  external?: { [Name in X]: External };
  jobs?: { [Name in J]: Job<NamesOf<S, B, X, J, K>> };
  routes?: readonly Route<NamesOf<S, B, X, J, K>>[];
  secrets?: { [Name in keyof K]: Secret<K[Name]> };
  environments?: Record<string, Environment<NamesOf<S, B, X, J, K>>>;
  exports?: readonly NoInfer<S>[];
  patches?: readonly ObjectPatch[];
}

/** Describes an application. What it returns is what it was given: plain data. */
export function defineApp<
  S extends string,
  B extends string = never,
  X extends string = never,
  J extends string = never,
  K extends Record<string, string> = Record<never, never>,
>(app: Definition<S, B, X, J, K>): App {
  return app as unknown as App;
}
