/** What `flotilla up` shows: redrawn lines on a terminal, lines without one, JSON events for programs. */
import { type Cancel, type Clock, systemClock } from "@flotilla/ambient";
import { jsonText, printLines } from "./legible.ts";
import { changedLines, failureLines, progressLines } from "./progress.ts";
import type { ServiceState } from "./service-state.ts";
import { isColoured, LiveLines, painter, terminal } from "./terminal.ts";

export interface Ready {
  readonly seconds: number;
  /** Absent where the application has no route. */
  readonly url?: string;
  readonly kubeconfig: string;
  /** The application's folder, as the user would type it; "" for the current one. */
  readonly dir: string;
}

export interface Reporter {
  note(text: string): void;
  states(states: readonly ServiceState[]): void;
  ready(ready: Ready): void;
  /** What keeps it from being ready, after which nobody waits any longer. */
  notReady(states: readonly ServiceState[]): void;
  /** Nothing is drawn any more. */
  stop(): void;
}

const next = ({ url, kubeconfig, dir }: Ready) => {
  const at = dir ? ` -C ${dir}` : "";
  return [
    ...(url ? [["open", url]] : []),
    ["kubeconfig", kubeconfig],
    ["try", `npx flotilla status${dir ? ` ${dir}` : ""}`],
    ["", `npx flotilla logs${at} -f`],
    ["", `npx flotilla top${dir ? ` ${dir}` : ""}`],
    ["", `npx flotilla trace${at}`],
    ["", `npx flotilla kubectl${at} get pods`],
    ["", "edit a source file, and see it served"],
  ].map(([what = "", text = ""]) => `  ${what.padEnd(12)}${text}`);
};

const readyLine = ({ seconds }: Ready) => `Ready in ${seconds.toFixed(1)} s.`;

/** Milliseconds that a state must last to be worth a line: what passes in less is not read. */
const lasting = 300;

export function lineReporter(stream: Pick<NodeJS.WriteStream, "write">, clock: Clock = systemClock): Reporter {
  let printed: readonly ServiceState[] = [];
  let now: readonly ServiceState[] = [];
  let pending: Cancel | undefined;
  const print = (text: string) => printLines(stream, text.split("\n"));
  const flush = () => {
    pending = void pending?.();
    changedLines(printed, now).forEach(print);
    printed = now;
  };
  return {
    note: print,
    states(states) {
      now = states;
      pending ??= clock.after(lasting, flush);
    },
    ready(ready) {
      flush();
      [readyLine(ready), ...next(ready)].forEach(print);
    },
    notReady(states) {
      printed = now;
      ["Not ready:", ...states.flatMap(failureLines)].forEach(print);
    },
    stop: flush,
  };
}

export function liveReporter(stream: NodeJS.WriteStream, name: string): Reporter {
  const paint = painter(isColoured(stream));
  const screen = terminal(stream);
  const live = new LiveLines(screen);
  let states: readonly ServiceState[] = [];
  let tick = 0;
  let stopped = false;
  let footer: string[] = [];
  const told = new Map<string, string>();
  const draw = () => {
    if (stopped) return;
    // A line for the name, and one that the cursor stands in.
    const room = screen.rows - footer.length - 2;
    live.draw([paint("bold", name), ...progressLines(states, tick, paint, room), ...footer]);
  };
  const animate = () =>
    systemClock.after(
      100,
      () => {
        if (stopped) return;
        tick++;
        if (states.some(({ state }) => state === "building" || state === "starting")) draw();
        animate();
      },
      { background: true },
    );
  animate();
  return {
    note(text) {
      // The terminal has written ^C where the cursor is.
      if (stopped) return void stream.write(`\r\x1b[K${text}\n`);
      live.print(text);
      draw();
    },
    states(now) {
      for (const one of now) {
        if (one.state !== "failing") continue;
        const lines = failureLines(one);
        const text = lines.join("\n");
        // What fits beside its name is not said twice.
        if (text.includes("\n") && told.get(one.name) !== text)
          live.print([paint("red", lines[0] as string), ...lines.slice(1)].join("\n"));
        told.set(one.name, text);
      }
      states = now;
      draw();
    },
    ready(ready) {
      footer = ["", paint("green", readyLine(ready)), ...next(ready), "", paint("dim", "  Ctrl-C stops everything.")];
      draw();
    },
    notReady: (failing) => {
      printLines(stream, ["Not ready:", ...failing.flatMap(failureLines).flatMap((line) => line.split("\n"))]);
    },
    stop() {
      stopped = true;
      live.done();
    },
  };
}

/** One event a line: {"event": "note" | "service" | "ready" | "not ready", ...}. */
export function jsonReporter(stream: NodeJS.WriteStream): Reporter {
  const last = new Map<string, string>();
  const emit = (event: string, fields: object) => stream.write(`${jsonText({ event, ...fields })}\n`);
  return {
    note: (message) => emit("note", { message }),
    states(states) {
      for (const state of states) {
        const text = JSON.stringify(state);
        if (last.get(state.name) !== text) emit("service", state);
        last.set(state.name, text);
      }
    },
    ready: (ready) => emit("ready", ready),
    notReady: (services) => emit("not ready", { services }),
    stop() {},
  };
}
