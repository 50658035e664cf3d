/** By what a process knows requests that it sent on itself: forwarding to one's own receiver would go round for ever. */
import { systemRandom, uuid } from "@flotilla/ambient";

export const forwardMark = { header: "flotilla-forwarded-by", value: uuid(systemRandom) } as const;
