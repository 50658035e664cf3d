/**
 * W3C trace context: what comes with a request, what goes on with it. Pure but for the chance that new ids are made of.
 * Source: www.w3.org/TR/trace-context.
 */
import type { Random } from "@flotilla/ambient";

/** What a request brought. */
export interface Parent {
  /** Lower-case hex. */
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
}

const sampledFlag = 1;

export const isSampled = ({ flags }: Pick<Parent, "flags">): boolean => (flags & sampledFlag) !== 0;

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Undefined: there is none or it is malformed, so that a new trace begins. Later versions are read as far as this one goes. */
export function parentOf(traceparent: string | undefined): Parent | undefined {
  if (traceparent === undefined) return undefined;
  const parts = form.exec(traceparent);
  if (!parts) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", rest] = parts;
  if (version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

export const traceparentOf = (traceId: string, spanId: string, sampled: boolean): string =>
  `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;

/** Source: the specification's limit of list members. */
const mostMembers = 32;

/** Puts `member` (`key=value`) first; another one of its key goes, and the last ones where there are too many. */
export function withMember(tracestate: string, member: string): string {
  const key = member.slice(0, member.indexOf("=") + 1);
  const others = tracestate
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "" && !each.startsWith(key));
  return [member, ...others.slice(0, mostMembers - 1)].join(",");
}

export const hasMember = (tracestate: string, member: string): boolean =>
  tracestate !== "" && tracestate.split(",").some((each) => each.trim() === member);

const pooled = 4096;

/** Ids for traces and spans, of randomness that is fetched for many at once. */
export class TraceIds {
  readonly #random: Random;
  #digits = "";
  #at = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  readonly trace = (): string => this.#next(32);
  readonly span = (): string => this.#next(16);

  #next(length: number): string {
    if (this.#at + length > this.#digits.length) {
      this.#digits = Buffer.from(this.#random.bytes(pooled)).toString("hex");
      this.#at = 0;
    }
    const id = this.#digits.slice(this.#at, this.#at + length);
    this.#at += length;
    // All zeros is no id.
    return id.startsWith("00000000") && /^0+$/.test(id) ? this.#next(length) : id;
  }
}
