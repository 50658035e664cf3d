/** Reads the kernel's table of processes: who descends from whom, what they used, which sockets they listen on. Linux only. */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Clock ticks of itself and of its children that have ended. */
  readonly ticks: number;
  /** Since boot, in clock ticks; with the pid it names a process for good. */
  readonly startTicks: number;
}

/** USER_HZ, the unit of times in /proc, is 100 on every platform Node.js runs on. Source: proc_pid_stat(5). */
export const nanosecondsPerTick = 10_000_000;

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // Processes end while they are being looked at.
    return undefined;
  }
}

/** A line of numbers and a name of at most 64 bytes. One for all: hundreds are read at a time, every few seconds. */
const line = Buffer.alloc(1024);

function readLine(path: string): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    return line.toString("latin1", 0, readSync(file, line));
  } catch {
    // As above.
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

export function processEntry(pid: number): ProcessEntry | undefined {
  const stat = readLine(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name may hold spaces and parentheses; everything after the last one is numbers.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const at = (index: number) => Number(fields[index]);
  return { pid, parent: at(1), group: at(2), ticks: at(11) + at(12) + at(13) + at(14), startTicks: at(19) };
}

export function processTable(): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return entries;
  }
  for (const name of names) {
    const first = name.charCodeAt(0);
    if (first < 0x30 || first > 0x39) continue;
    const entry = processEntry(Number(name));
    if (entry) entries.push(entry);
  }
  return entries;
}

export function childrenOf(pid: number): number[] {
  const listed = readText(`/proc/${pid}/task/${pid}/children`);
  if (listed !== undefined) return listed.split(" ").filter(Boolean).map(Number);
  return processTable()
    .filter((entry) => entry.parent === pid)
    .map((entry) => entry.pid);
}

/** The process itself, all that descend from it, and all of its process group. */
export function familyOf(pid: number, table: readonly ProcessEntry[]): ProcessEntry[] {
  const known = new Set([pid]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const entry of table) {
      if (known.has(entry.pid) || !(known.has(entry.parent) || entry.group === pid)) continue;
      known.add(entry.pid);
      grown = true;
    }
  }
  return table.filter((entry) => known.has(entry.pid));
}

/** Anonymous and shared memory in bytes; pages of files are shared with everybody and do not count. */
export function memoryOf(pid: number): number {
  const status = readText(`/proc/${pid}/status`);
  if (status === undefined) return 0;
  let kib = 0;
  for (const [, value] of status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+)/gm)) kib += Number(value);
  return kib * 1024;
}

export interface Listener {
  /** As text: "127.96.0.3", "0.0.0.0", "::". */
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

const listenState = "0A";

/** Every TCP socket that listens, of all processes. */
export function listeners(): Listener[] {
  const found: Listener[] = [];
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const fields of listening(table)) {
      const [address = "", port = ""] = (fields[1] ?? "").split(":");
      found.push({ address: addressOf(address), port: Number.parseInt(port, 16), inode: fields[9] ?? "" });
    }
  }
  return found;
}

/**
 * The lines of the sockets that listen, which come before all others: the rest, thousands of connections on a busy machine, is not
 * read. Source: linux net/ipv4/tcp_ipv4.c, tcp_get_idx.
 */
function* listening(table: string): Generator<string[]> {
  let file: number;
  try {
    file = openSync(table, "r");
  } catch {
    // No IPv6, or no such system.
    return;
  }
  try {
    const chunk = Buffer.alloc(16 * 1024);
    let rest = "";
    let isHead = true;
    for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) {
      const lines = (rest + chunk.toString("latin1", 0, size)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const fields = line.trim().split(/\s+/);
        if (fields[3] === listenState) yield fields;
        else if (!isHead) return;
        isHead = false;
      }
    }
  } finally {
    closeSync(file);
  }
}

/** The inodes of the sockets that these processes hold. */
export function socketsOf(pids: readonly number[]): Set<string> {
  const inodes = new Set<string>();
  for (const pid of pids) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        if (inode) inodes.add(inode);
      }
    } catch {
      // Gone, or a descriptor was closed between the two calls.
    }
  }
  return inodes;
}

/** The kernel prints 32-bit words in the machine's byte order (little-endian wherever Node.js runs). */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  for (let word = 0; word < bytes.length; word += 4) bytes.subarray(word, word + 4).reverse();
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.every((byte) => byte === 0)) return "::";
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (mapped) return bytes.subarray(12).join(".");
  if (bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return "::1";
  return (bytes.toString("hex").match(/.{4}/g) ?? []).join(":");
}
