/** One try of a probe or a hook, as the agent asks for it; real ones are in `network-checks.ts`. */
import type { Container, ExecAction, GRPCAction, HTTPGetAction, TCPSocketAction } from "@flotilla/objects";
import type { Fault } from "./local-pod.ts";
import type { ProbeOutcome } from "./probe-schedule.ts";

export interface Action {
  readonly exec?: ExecAction;
  readonly httpGet?: HTTPGetAction;
  readonly tcpSocket?: TCPSocketAction;
  readonly grpc?: GRPCAction;
}

export interface CheckTarget {
  /** The runtime's id of the container. */
  readonly id: string;
  readonly podIP: string;
  readonly container: Container;
  /** It may listen on this port and those above; undefined: on all. */
  readonly lowestPort?: number;
}

export interface Checks {
  /** Never rejects: what fails is an outcome. */
  check(action: Action, target: CheckTarget, timeoutMs: number): Promise<ProbeOutcome>;
  /** Never rejects. What makes the container unreachable although it runs ("listens on 0.0.0.0:8000; bind to $HOST"); undefined: nothing. */
  fault(target: CheckTarget): Promise<Fault | undefined>;
}
