/**
 * Writes what a container prints in the format of the container runtime interface: time, stream, F or P (a part of a line that
 * goes on), text. Bytes pass as they are; a line longer than `partBytes` becomes several parts, so memory stays bounded.
 *
 * Source: kubernetes pkg/kubelet/kuberuntime/logs; containerd internal/cri/io/logger.go (16 KiB parts).
 */
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "@flotilla/ambient";

const partBytes = 16 * 1024;
const newline = Buffer.from("\n");
const lineFeed = 0x0a;

export type LogStream = "stdout" | "stderr";

export interface CriLog {
  write(stream: LogStream, chunk: Buffer): void;
  /** Writes what no newline has ended yet. */
  close(): void;
}

export interface CriLogOptions {
  readonly clock: Clock;
  /** Rotate above this; kubelet's containerLogMaxSize. */
  readonly maxBytes?: number;
  /** Files in all, the current one included; kubelet's containerLogMaxFiles. */
  readonly maxFiles?: number;
  /** Called when the disk refuses (full, gone); what was to be written is lost, the container goes on. */
  readonly onError?: (error: Error) => void;
}

export function openCriLog(path: string, options: CriLogOptions): CriLog {
  const { clock, maxBytes = 10 * 1024 * 1024, maxFiles = 5 } = options;
  mkdirSync(dirname(path), { recursive: true });
  let file: number | undefined = openSync(path, "a", 0o640);
  let size = fstatSync(file).size;
  const held: Record<LogStream, Buffer[]> = { stdout: [], stderr: [] };
  const heldBytes: Record<LogStream, number> = { stdout: 0, stderr: 0 };

  function rotate(open: number) {
    closeSync(open);
    file = undefined;
    const stamp = new Date(clock.now()).toISOString().replace(/[-:.TZ]/g, "");
    renameSync(path, `${path}.${stamp}`);
    const old = rotatedFiles(path);
    for (const surplus of old.slice(0, Math.max(0, old.length - (maxFiles - 1)))) unlinkSync(surplus);
    file = openSync(path, "a", 0o640);
    size = 0;
  }

  function append(pieces: Buffer[]) {
    const bytes = Buffer.concat(pieces);
    try {
      file ??= openSync(path, "a", 0o640);
      if (size > 0 && size + bytes.length > maxBytes) rotate(file);
      if (file === undefined) return;
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      size += bytes.length;
    } catch (error) {
      options.onError?.(error as Error);
    }
  }

  function write(stream: LogStream, chunk: Buffer) {
    const time = criTime(clock.now());
    const full = Buffer.from(`${time} ${stream} F `);
    const part = Buffer.from(`${time} ${stream} P `);
    const pieces: Buffer[] = [];
    const hold = held[stream];
    let start = 0;
    while (start < chunk.length) {
      const room = partBytes - heldBytes[stream];
      const end = chunk.indexOf(lineFeed, start);
      if (end >= 0 && end - start <= room) {
        pieces.push(full, ...hold, chunk.subarray(start, end), newline);
        start = end + 1;
      } else if (chunk.length - start >= room) {
        pieces.push(part, ...hold, chunk.subarray(start, start + room), newline);
        start += room;
      } else {
        hold.push(Buffer.from(chunk.subarray(start)));
        heldBytes[stream] += chunk.length - start;
        break;
      }
      hold.length = 0;
      heldBytes[stream] = 0;
    }
    if (pieces.length > 0) append(pieces);
  }

  return {
    write,
    close() {
      for (const stream of ["stdout", "stderr"] as const) {
        if (heldBytes[stream] === 0) continue;
        append([Buffer.from(`${criTime(clock.now())} ${stream} P `), ...held[stream], newline]);
        held[stream].length = 0;
        heldBytes[stream] = 0;
      }
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** RFC 3339 with nine digits, as readers of the format expect. */
const criTime = (now: number): string => new Date(now).toISOString().replace("Z", "000000Z");

/** Earlier files of a log, oldest first. */
export function rotatedFiles(path: string): string[] {
  const prefix = `${basename(path)}.`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix))
    .sort()
    .map((name) => join(dirname(path), name));
}
