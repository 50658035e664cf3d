/**
 * What a namespace's labels ask of the pods in it.
 *
 * Source: pod-security-admission api/helpers.go, api/constants.go.
 */
import { type FieldError, invalidValue } from "@flotilla/objects";

/** From free to strict. */
const levels = ["privileged", "baseline", "restricted"] as const;

export type Level = (typeof levels)[number];

export interface LevelVersion {
  readonly level: Level;
  /** "latest" or "v1.34". Shown, and otherwise without effect: all pods are judged as the latest version says. */
  readonly version: string;
}

export interface Policy {
  /** Others are refused. */
  readonly enforce: LevelVersion;
  /** Others come with a warning. */
  readonly warn: LevelVersion;
}

export const textOf = ({ level, version }: LevelVersion): string => `${level}:${version}`;

/** Positive when `a` is stricter. */
export const compareLevels = (a: Level, b: Level): number => levels.indexOf(a) - levels.indexOf(b);

const isLevel = (text: string): text is Level => (levels as readonly string[]).includes(text);

const prefix = "pod-security.kubernetes.io/";

/** An enforced level that cannot be read is the strictest, another the freest. */
export function policyOf(labels: Readonly<Record<string, string>> = {}): { policy: Policy; mistakes: FieldError[] } {
  const mistakes: FieldError[] = [];
  const read = (mode: string, otherwise: Level) => {
    const [level, version] = [labels[prefix + mode], labels[`${prefix}${mode}-version`]];
    const wrong = (label: string, value: string, why: string) =>
      mistakes.push(invalidValue(`metadata.labels[${prefix}${label}]`, value, why));
    const isKnown = level === undefined || isLevel(level);
    if (!isKnown) wrong(mode, level, `must be one of ${levels.join(", ")}`);
    const isVersion = version === undefined || version === "latest" || /^v1\.(0|[1-9]\d*)$/.test(version);
    if (!isVersion) wrong(`${mode}-version`, version, 'must be "latest" or "v1.x"');
    return {
      stated: isKnown ? level : undefined,
      isStated: level !== undefined,
      level: isKnown ? (level ?? "privileged") : otherwise,
      version: isVersion ? version : undefined,
    };
  };
  const enforced = read("enforce", "restricted");
  read("audit", "privileged");
  const warned = read("warn", "privileged");
  const enforce: LevelVersion = { level: enforced.level, version: enforced.version ?? "latest" };
  // Whoever enforces wants to hear of Deployments whose pods would be refused.
  const follows = !warned.isStated && enforced.stated !== undefined && enforced.stated !== "privileged";
  const warn: LevelVersion = follows
    ? { level: enforced.level, version: warned.version ?? enforce.version }
    : { level: warned.level, version: warned.version ?? "latest" };
  return { policy: { enforce, warn }, mistakes };
}
