/**
 * Whether the disk takes writes. A disk that is full (or broken) stops telemetry alone: senders are told to come again, what is
 * there stays readable, and writing begins again by itself when there is room.
 */
import { statfsSync } from "node:fs";
import type { Clock } from "@flotilla/ambient";
import { UnavailableError } from "../sink.ts";

/** Milliseconds from a refused write to the next attempt. */
const retryAfter = 1000;

export class Disk {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #reserve: number;
  readonly #free: () => number;
  #fault: string | undefined;
  #retryAt = 0;

  /**
   * `reserve`: bytes that are left free for others on this file system, the control plane's store before all. `free`: how many
   * there are.
   */
  constructor(folder: string, clock: Clock, reserve: number, free = () => freeBytes(folder)) {
    this.#folder = folder;
    this.#clock = clock;
    this.#reserve = reserve;
    this.#free = free;
  }

  /** Why nothing can be written at the moment. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Refuses with an `UnavailableError` while the last write failed and it is too soon for another attempt. */
  ready(): void {
    const wait = this.#retryAt - this.#clock.now();
    // A clock that was set back must not keep it closed.
    if (this.#fault !== undefined && wait > 0 && wait <= retryAfter) throw new UnavailableError(this.#fault, wait);
  }

  /** Runs what writes to files below the folder. What the system refuses becomes an `UnavailableError`. */
  write<T>(run: () => T): T {
    this.ready();
    try {
      const free = this.#free();
      if (free < this.#reserve) throw new Error(`only ${free} bytes are free; ${this.#reserve} are left to others`);
      const result = run();
      this.#fault = undefined;
      return result;
    } catch (error) {
      this.#fault = `${this.#folder}: ${(error as Error).message}`;
      this.#retryAt = this.#clock.now() + retryAfter;
      throw new UnavailableError(this.#fault, retryAfter);
    }
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
