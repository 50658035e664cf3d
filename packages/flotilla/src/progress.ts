/** The list of parts as `flotilla up` shows it. Pure: a tick in, lines out. */
import type { ServiceState, State } from "./service-state.ts";
import { columns, type Style } from "./terminal.ts";

const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

const marks: Record<State, { mark: string; style: Style }> = {
  waiting: { mark: "·", style: "dim" },
  building: { mark: "", style: "cyan" },
  starting: { mark: "", style: "cyan" },
  ready: { mark: "✓", style: "green" },
  done: { mark: "✓", style: "green" },
  failing: { mark: "✗", style: "red" },
  "left out": { mark: "–", style: "yellow" },
};

const replicas = ({ ready, desired }: ServiceState) => (desired === undefined ? "" : `${ready ?? 0}/${desired}`);

export function progressLines(
  states: readonly ServiceState[],
  tick: number,
  paint: (style: Style, text: string) => string,
): string[] {
  const rows = states.map((one) => {
    const { mark, style } = marks[one.state];
    return [
      `  ${paint(style, mark || (spinner[tick % spinner.length] as string))} ${one.name}`,
      paint(style, one.state),
      replicas(one),
      paint("dim", firstLine(one.message)),
    ];
  });
  return columns(rows);
}

const firstLine = (text = "") => text.split("\n", 1)[0] as string;

/** Without a terminal: one line for each part whose state or reason has changed. */
export function changedLines(before: readonly ServiceState[], after: readonly ServiceState[]): string[] {
  const old = new Map(before.map((one) => [one.name, one]));
  return after
    .filter((one) => old.get(one.name)?.state !== one.state || old.get(one.name)?.message !== one.message)
    .map((one) => [one.name, one.state, one.message].filter(Boolean).join(": "));
}
