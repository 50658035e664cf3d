/** What a node has, what its pods have been promised, and what is left. cpu in thousandths, everything else in whole units. */
import { type Node, type Pod, podRequests, type Quantity, quantityMilliValue, quantityValue } from "@flotilla/objects";

type Amounts = Readonly<Record<string, number>>;

const amount = (resource: string, quantity: Quantity) =>
  resource === "cpu" ? quantityMilliValue(quantity) : quantityValue(quantity);

const amounts = (list: Readonly<Record<string, Quantity>> | undefined): Record<string, number> =>
  Object.fromEntries(Object.entries(list ?? {}).map(([resource, quantity]) => [resource, amount(resource, quantity)]));

/** One node while pods are being placed on it. */
export class Room {
  readonly node: Node;
  readonly pods: Pod[] = [];
  readonly #total: Amounts;
  readonly #used: Record<string, number> = {};

  constructor(node: Node) {
    this.node = node;
    this.#total = amounts(node.status?.allocatable ?? node.status?.capacity);
  }

  add(pod: Pod): void {
    this.pods.push(pod);
    for (const [resource, value] of Object.entries(amounts(podRequests(pod))))
      this.#used[resource] = (this.#used[resource] ?? 0) + value;
  }

  /** What there is not enough of for the pod, in Kubernetes' words. */
  lacks(pod: Pod): string[] {
    const reasons: string[] = [];
    if (this.#total.pods !== undefined && this.pods.length + 1 > this.#total.pods) reasons.push("Too many pods");
    for (const [resource, value] of Object.entries(amounts(podRequests(pod))))
      if (value > 0 && value > (this.#total[resource] ?? 0) - (this.#used[resource] ?? 0))
        reasons.push(`Insufficient ${resource}`);
    return reasons;
  }

  /** The part (0 to 1) of cpu and memory that would stay free with the pod there. */
  free(pod: Pod): number {
    const wanted = amounts(podRequests(pod));
    const parts = ["cpu", "memory"].map((resource) => {
      const total = this.#total[resource] ?? 0;
      return total === 0 ? 0 : Math.max(0, 1 - ((this.#used[resource] ?? 0) + (wanted[resource] ?? 0)) / total);
    });
    return parts.reduce((sum, part) => sum + part, 0) / parts.length;
  }

  /** A host port of the pod that one of its pods has already. */
  clashes(pod: Pod): boolean {
    const taken = this.pods.flatMap(hostPorts);
    return hostPorts(pod).some((port) =>
      taken.some(
        (other) =>
          port.number === other.number && port.protocol === other.protocol && sameAddress(port.address, other.address),
      ),
    );
  }
}

const sameAddress = (a: string, b: string) => a === b || a === "0.0.0.0" || b === "0.0.0.0";

const hostPorts = (pod: Pod) =>
  pod.spec.containers.flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, protocol, hostIP }) =>
      hostPort ? [{ number: hostPort, protocol: protocol ?? "TCP", address: hostIP || "0.0.0.0" }] : [],
    ),
  );
