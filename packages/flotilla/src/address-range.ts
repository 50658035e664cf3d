/**
 * Loopback addresses for clusters side by side: each claims a /20 of 127.96.0.0/12 and 127.112.0.0/12 in a registry of the user,
 * one file a range, made exclusively, so that two clusters never share one. A claim whose state folder is gone, or has come to hold another
 * range, is free again.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const ranges = 512; // 127.96 to 127.127, sixteen /20 each

export interface AddressRange {
  /** "127.96.16.0/20" */
  readonly all: string;
  /** The lower half: addresses of Services. */
  readonly services: string;
  /** The upper half: addresses of pods. */
  readonly pods: string;
}

/** The `index`-th of the 512 ranges. */
export function addressRange(index: number): AddressRange {
  const second = 96 + (index >> 4);
  const third = (index & 15) << 4;
  return {
    all: `127.${second}.${third}.0/20`,
    services: `127.${second}.${third}.0/21`,
    pods: `127.${second}.${third + 8}.0/21`,
  };
}

/** Shared by all clusters of this user on this machine. */
export const registryFolder = (environment: NodeJS.ProcessEnv = process.env): string =>
  join(environment.XDG_STATE_HOME || join(homedir(), ".local", "state"), "flotilla", "address-ranges");

/** The index of a range that is `owner`'s (a state folder) from now on. `holds` tells whether another owner still has the range. */
export function claimAddressRange(
  registry: string,
  owner: string,
  holds: (otherOwner: string, index: number) => boolean,
): number {
  mkdirSync(registry, { recursive: true });
  const first = createHash("sha256").update(owner).digest().readUInt16BE(0) % ranges;
  for (let i = 0; i < ranges; i++) {
    const index = (first + i) % ranges;
    const file = join(registry, `${index}`);
    try {
      writeFileSync(file, owner, { flag: "wx" });
      return index;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const other = readFileSync(file, "utf8");
    if (other === owner) return index;
    if (holds(other, index)) continue;
    rmSync(file, { force: true });
    i--;
  }
  throw new Error(`All ${ranges} address ranges are claimed; remove files of clusters that are gone from ${registry}`);
}
