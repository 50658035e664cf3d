/** Whether somebody listens on all addresses of a port, which keeps everybody else from listening on any of them. */
import { readFile } from "node:fs/promises";

/** "0.0.0.0", "[::]" or undefined. Linux only; elsewhere nobody is found. */
export async function portHolder(port: number): Promise<string | undefined> {
  for (const [file, name] of [
    ["/proc/net/tcp", "0.0.0.0"],
    ["/proc/net/tcp6", "[::]"],
  ] as const) {
    // Without this file there is nothing to say.
    const text = await readFile(file, "utf8").catch(() => "");
    if (listensEverywhere(text, port)) return name;
  }
  return undefined;
}

/** Source: Linux Documentation/networking/proc_net_tcp: local address and port in hexadecimal, state 0A is LISTEN. */
export function listensEverywhere(table: string, port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return table.split("\n").some((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    return state === "0A" && /^0+:/.test(local) && local.endsWith(`:${hex}`);
  });
}
