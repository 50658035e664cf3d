/** Where controllers get measurements from: an effect asks telemetry, and the answer is a value of a source. */
import type { Clock } from "@flotilla/ambient";
import type { Key, Source } from "@flotilla/client";
import type { ServiceLevelObjective } from "@flotilla/objects";
import type { Telemetry } from "../telemetry.ts";
import { type Measurement, measure } from "./measure.ts";

/** The name by which the effect is known to the runner. */
export const measureName = "measure-objective";

/** Values are kept by uid, so that what is made anew begins anew. */
export const idOf = ({ metadata: { namespace, name, uid } }: ServiceLevelObjective): string =>
  `${namespace}/${name}/${uid}`;

export const keyOfId = (id: string): Key => {
  const [namespace, name = ""] = id.split("/");
  return { namespace, name };
};

export interface Measurements {
  readonly source: Source<Measurement>;
  /** The effect: its argument is the objective. Never rejects; what went wrong is in the measurement. */
  measure(effect: unknown): Promise<void>;
}

export function measurements(telemetry: Pick<Telemetry, "instant">, clock: Clock): Measurements {
  const known = new Map<string, Measurement>();
  let set: ((id: string, value: Measurement | undefined) => void) | undefined;
  // One after the other: many objectives never ask all at once.
  let last: Promise<void> = Promise.resolve();

  const one = async (object: ServiceLevelObjective) => {
    const { generation = 1 } = object.metadata;
    const id = idOf(object);
    const before = known.get(id);
    const measurement = await measure(object.spec, telemetry, { at: clock.now(), generation, before });
    forgetOthers(known, id);
    known.set(id, measurement);
    set?.(id, measurement);
  };

  return {
    source: {
      name: "objective-measurements",
      start(found) {
        set = found;
        for (const [id, value] of known) found(id, value);
      },
      keys: (id) => [keyOfId(id)],
    },
    measure(effect) {
      const next = last.then(() => one(effect as ServiceLevelObjective));
      last = next.catch(() => undefined);
      return next;
    },
  };
}

/** Forgets what is of earlier objectives of the same name. */
export function forgetOthers(known: Map<string, unknown>, id: string): void {
  const name = id.slice(0, id.lastIndexOf("/") + 1);
  for (const other of known.keys()) if (other !== id && other.startsWith(name)) known.delete(other);
}
