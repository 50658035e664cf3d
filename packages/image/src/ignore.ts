/**
 * Which files of a source folder belong to its image: not what .dockerignore names, else not what .gitignore names; and never
 * what no image needs. Patterns as in both: later ones win, "!" takes back, what is below an ignored folder is ignored.
 * Sources: docs.docker.com/build/concepts/context, git-scm.com/docs/gitignore.
 */
import { matchesGlob } from "node:path";

interface Rule {
  readonly pattern: string;
  readonly negated: boolean;
  readonly foldersOnly: boolean;
}

const never = ["**/node_modules", "**/.git", "**/.flotilla", "**/.DS_Store", "**/__pycache__", "**/.venv"];

const rulesOf = (text: string, anywhere: boolean): Rule[] =>
  text.split(/\r?\n/).flatMap((line) => {
    let pattern = line.trim();
    if (pattern === "" || pattern.startsWith("#")) return [];
    const negated = pattern.startsWith("!");
    if (negated) pattern = pattern.slice(1);
    const foldersOnly = pattern.endsWith("/");
    pattern = pattern.replace(/\/+$/, "");
    // In .gitignore a pattern without a slash means a name at any depth; in .dockerignore all start at the top.
    const floating = anywhere && !pattern.includes("/");
    return [{ pattern: `${floating ? "**/" : ""}${pattern.replace(/^\.?\//, "")}`, negated, foldersOnly }];
  });

export interface IgnoreFiles {
  readonly dockerignore?: string;
  readonly gitignore?: string;
}

/** Whether a path relative to the source folder, with "/" between names, is left out. Folders are asked before what is in them. */
export function ignoring({ dockerignore, gitignore }: IgnoreFiles): (path: string, isFolder: boolean) => boolean {
  const rules = dockerignore !== undefined ? rulesOf(dockerignore, false) : rulesOf(gitignore ?? "", true);
  return (path, isFolder) => {
    if (never.some((pattern) => matchesGlob(path, pattern))) return true;
    let ignored = false;
    for (const { pattern, negated, foldersOnly } of rules)
      if ((isFolder || !foldersOnly) && matchesGlob(path, pattern)) ignored = !negated;
    return ignored;
  };
}
