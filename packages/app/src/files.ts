/** What a model refers to by path: read through this, so that everything else is pure. */

/** Paths are relative to the folder of the app's file; what lies outside of it does not exist. */
export interface Files {
  /** Undefined: no such file. */
  read(path: string): Uint8Array | undefined;
  /** Names in a folder, sorted, folders with a "/" at their end. Undefined: no such folder. */
  list(path: string): readonly string[] | undefined;
}

/** "./a//b/../c" as "a/c"; undefined when it leads out of the folder or is absolute. */
export function inside(path: string): string | undefined {
  if (path.startsWith("/") || path.includes("\\") || path.includes("\0")) return undefined;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

/** Files that are known already, by path. */
export function knownFiles(files: Readonly<Record<string, Uint8Array | string>>): Files {
  const all = new Map<string, Uint8Array>();
  for (const [path, content] of Object.entries(files)) {
    const key = inside(path);
    if (key !== undefined) all.set(key, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
  return {
    read: (path) => all.get(inside(path) ?? "/"),
    list(path) {
      const folder = inside(path);
      if (folder === undefined) return undefined;
      const prefix = folder === "" ? "" : `${folder}/`;
      const names = new Set<string>();
      for (const key of all.keys()) {
        if (!key.startsWith(prefix)) continue;
        const rest = key.slice(prefix.length);
        const slash = rest.indexOf("/");
        names.add(slash < 0 ? rest : rest.slice(0, slash + 1));
      }
      return names.size === 0 ? undefined : [...names].sort();
    },
  };
}

/** The text of UTF-8, or undefined when it is something else. */
export function asText(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}
