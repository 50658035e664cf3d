/** What `flotilla up` shows: redrawn lines on a terminal, lines without one, JSON events for programs. */
import { systemClock } from "@flotilla/ambient";
import { changedLines, progressLines } from "../progress.ts";
import type { ServiceState } from "../service-state.ts";
import { isColoured, LiveLines, painter, terminal } from "../terminal.ts";

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
    ["", `npx flotilla kubectl${at} get pods`],
    ["", "edit a source file, and see it served"],
  ].map(([what = "", text = ""]) => `  ${what.padEnd(12)}${text}`);
};

const readyLine = ({ seconds }: Ready) => `Ready in ${seconds.toFixed(1)} s.`;

const notReadyLines = (states: readonly ServiceState[]) =>
  states.flatMap(({ name, state, message }) => [`${name}: ${state}${message ? `: ${message}` : ""}`]);

export function lineReporter(stream: NodeJS.WriteStream): Reporter {
  let last: readonly ServiceState[] = [];
  const print = (line: string) => stream.write(`${line}\n`);
  return {
    note: print,
    states(states) {
      changedLines(last, states).forEach(print);
      last = states;
    },
    ready(ready) {
      [readyLine(ready), ...next(ready)].forEach(print);
    },
    notReady: (states) => ["Not ready:", ...notReadyLines(states)].forEach(print),
    stop() {},
  };
}

export function liveReporter(stream: NodeJS.WriteStream, name: string): Reporter {
  const paint = painter(isColoured(stream));
  const live = new LiveLines(terminal(stream));
  let states: readonly ServiceState[] = [];
  let tick = 0;
  let stopped = false;
  let footer: string[] = [];
  const draw = () => {
    if (!stopped) live.draw([paint("bold", name), ...progressLines(states, tick, paint), ...footer]);
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
      if (stopped) return void stream.write(`${text}\n`);
      live.print(text);
      draw();
    },
    states(now) {
      const failures = now.filter((one) => one.state === "failing" && one.message?.includes("\n"));
      for (const one of failures) {
        const before = states.find(({ name }) => name === one.name);
        if (before?.message !== one.message) live.print(paint("red", `${one.name}: ${one.message}`));
      }
      states = now;
      draw();
    },
    ready(ready) {
      footer = ["", paint("green", readyLine(ready)), ...next(ready), "", paint("dim", "  Ctrl-C stops everything.")];
      draw();
    },
    notReady: (failing) => {
      stream.write(`Not ready:\n${notReadyLines(failing).join("\n")}\n`);
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
  const emit = (event: string, fields: object) => stream.write(`${JSON.stringify({ event, ...fields })}\n`);
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
