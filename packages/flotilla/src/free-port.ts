/** Finds TCP ports that can be listened on at 127.0.0.1 and, where there is one, ::1. */
import { createServer } from "node:net";

const canListen = (port: number, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      // No IPv6 on this machine: nothing to be taken there.
      if (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT") resolve(port);
      else if (error.code === "EADDRINUSE") resolve(undefined);
      else if (error.code === "EACCES")
        reject(new Error(`Port ${port} needs more rights than this user has; choose one from 1024 on`));
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => {
      const { port: bound } = server.address() as { port: number };
      server.close(() => resolve(bound));
    });
  });

/** For each name the wanted port, or the next one up that is free, no other's, and that `claim` gives; 0: any, unclaimed. */
export async function freePorts<T extends Record<string, number>>(
  wanted: T,
  claim: (port: number) => boolean,
): Promise<T> {
  const found: Record<string, number> = {};
  // Whoever wants a certain port comes before whoever takes the next one: 4317 being taken must not cost the owner of 4318 its own.
  const inOrder = Object.entries(wanted).sort(([, a], [, b]) => b - a);
  for (const [name, port] of inOrder) {
    const refused: number[] = [];
    for (;;) {
      const free = await freePort(port, [...Object.values(found), ...refused]);
      found[name] = free;
      if (port === 0 || claim(free)) break;
      delete found[name];
      refused.push(free);
    }
  }
  return found as T;
}

/** `wanted`, or the next one up that is free and not among `taken`; 0: any. */
export async function freePort(wanted: number, taken: readonly number[] = []): Promise<number> {
  for (let port = wanted; port <= 65535; port++) {
    if (port !== 0 && taken.includes(port)) continue;
    const bound = await canListen(port, "127.0.0.1");
    if (bound !== undefined && !taken.includes(bound) && (await canListen(bound, "::1")) !== undefined) return bound;
    if (port === 0) port = -1;
  }
  throw new Error(`No free port from ${wanted} on`);
}
