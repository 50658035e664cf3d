/** Hands out the addresses of a range: the lowest that is free and has not been somebody's a short while ago. */
import type { Clock } from "@flotilla/ambient";

export interface Addresses {
  /** `wanted`: the one it had before, kept when nobody else has it. Throws when all are taken. */
  take(owner: string, wanted?: string): string;
  release(owner: string): void;
}

/** So that connections to the former owner do not reach the next one. Milliseconds. */
const restsFor = 60_000;

const toNumber = (address: string) => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const toText = (address: number) => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");

/** `cidr`: "127.96.1.0/24". The first and the last address of it are nobody's. */
export function addresses(cidr: string, clock: Clock): Addresses {
  const [base = "", bits = "32"] = cidr.split("/");
  const first = toNumber(base) + 1;
  const last = toNumber(base) + 2 ** (32 - Number(bits)) - 2;
  if (!/^\d+(\.\d+){3}$/.test(base) || !(last >= first)) throw new Error(`podCIDR ${cidr} has no addresses to give`);
  const owners = new Map<number, string>();
  const rested = new Map<number, number>();

  const choose = (): number | undefined => {
    let tired: number | undefined;
    for (let address = first; address <= last; address++) {
      if (owners.has(address)) continue;
      const since = rested.get(address);
      if (since === undefined || clock.now() - since >= restsFor) return address;
      if (tired === undefined || since < (rested.get(tired) ?? 0)) tired = address;
    }
    return tired;
  };

  return {
    take(owner, wanted) {
      const before = wanted === undefined ? undefined : toNumber(wanted);
      const keeps = before !== undefined && before >= first && before <= last && !owners.has(before);
      const address = keeps ? before : choose();
      if (address === undefined) throw new Error(`all addresses of ${cidr} are taken`);
      owners.set(address, owner);
      return toText(address);
    },
    release(owner) {
      for (const [address, name] of owners)
        if (name === owner) {
          owners.delete(address);
          rested.set(address, clock.now());
        }
    },
  };
}
