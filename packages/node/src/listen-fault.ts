/**
 * Names what makes a server unreachable: it listens on every address, or on another port than it declares. All pods share the
 * machine's network: a listener on 0.0.0.0 answers for every pod and keeps the others from their own port.
 */
import type { CheckTarget } from "./checks.ts";
import type { Fault } from "./local-pod.ts";
import { type Listener, listeners, socketsOf } from "./process-table.ts";
import type { Runtime } from "./runtime.ts";

export async function listenFault(
  runtime: Runtime,
  { id, podIP, container, lowestPort }: CheckTarget,
): Promise<Fault | undefined> {
  const ports = (container.ports ?? [])
    .filter(({ protocol = "TCP" }) => protocol === "TCP")
    .map((each) => each.containerPort);
  if (ports.length === 0) return undefined;
  const pids = (await runtime.list()).find((each) => each.id === id)?.pids ?? [];
  const sockets = socketsOf(pids);
  const all = listeners();
  return faultOf(
    podIP,
    ports,
    all.filter(({ inode }) => sockets.has(inode)),
    all.filter(({ inode }) => !sockets.has(inode)),
    lowestPort,
  );
}

const everywhere = new Set(["0.0.0.0", "::"]);

/** Pure: what the container's own listeners and those of everybody else mean for its declared ports. */
export function faultOf(
  podIP: string,
  ports: readonly number[],
  own: readonly Listener[],
  others: readonly Listener[],
  lowestPort = 0,
): Fault | undefined {
  const wrong = (message: string): Fault => ({ reason: "WrongListener", message });
  for (const port of ports) {
    const mine = own.filter((each) => each.port === port);
    if (mine.some(({ address }) => address === podIP)) continue;
    const open = mine.find(({ address }) => everywhere.has(address));
    if (open) return wrong(`listens on ${shown(open)}; bind to $HOST`);
    const [local] = mine;
    if (local)
      return wrong(`listens on ${shown(local)}, where only this machine's own programs reach it; bind to $HOST`);
    if (port < lowestPort)
      return {
        reason: "PrivilegedPort",
        message: `may not listen on port ${port}: on this machine ports below ${lowestPort} are for root; give it a port from ${lowestPort} up`,
      };
    const taken = others.find((each) => each.port === port && (each.address === podIP || everywhere.has(each.address)));
    if (taken) return wrong(`cannot have port ${port}: another program listens on ${shown(taken)}`);
    const elsewhere = own.filter((each) => !ports.includes(each.port)).map(shown);
    if (elsewhere.length > 0)
      return wrong(`listens on ${elsewhere.join(", ")}, not on its port ${port}; listen on $HOST:$PORT`);
  }
  return undefined;
}

const shown = ({ address, port }: Listener) => `${address.includes(":") ? `[${address}]` : address}:${port}`;
