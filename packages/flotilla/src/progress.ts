/** The list of parts as `flotilla up` shows it. Pure: a tick in, lines out. */
import { type ServiceState, type State, settledStates } from "./service-state.ts";
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

/** `room`: how many lines there are; what is ready makes place for what is not. */
export function progressLines(
  states: readonly ServiceState[],
  tick: number,
  paint: (style: Style, text: string) => string,
  room = Number.POSITIVE_INFINITY,
): string[] {
  const unsettled = states.filter(({ state }) => !settledStates.includes(state));
  const most = Math.max(room - 1, 1);
  const shown =
    states.length <= room ? states : [...unsettled, ...states.filter((one) => !unsettled.includes(one))].slice(0, most);
  const left = states.length - shown.length;
  const rows = shown.map((one) => {
    const { mark, style } = marks[one.state];
    return [
      `  ${paint(style, mark || (spinner[tick % spinner.length] as string))} ${one.name}`,
      paint(style, one.state),
      replicas(one),
      paint("dim", firstLine(one.message)),
    ];
  });
  return left > 0 ? [...columns(rows), paint("dim", `  … and ${left} more`)] : columns(rows);
}

const firstLine = (text = "") => text.split("\n", 1)[0] as string;

/** A part that fails, with all that is known of why. */
export function failureLines({ name, state, message, output = [] }: ServiceState): string[] {
  return [[name, state, message].filter(Boolean).join(": "), ...output.map((line) => `  | ${line}`)];
}

/** Without a terminal: one line for each part whose state or reason has changed. */
export function changedLines(before: readonly ServiceState[], after: readonly ServiceState[]): string[] {
  const old = new Map(before.map((one) => [one.name, one]));
  const gone = before.filter(({ name, state }) => state === "failing" && !after.some((one) => one.name === name));
  const changed = after
    .filter((one) => old.get(one.name)?.state !== one.state || old.get(one.name)?.message !== one.message)
    .flatMap(failureLines);
  return [...changed, ...gone.map(({ name }) => `${name}: fails no longer`)];
}
