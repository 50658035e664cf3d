/** The parts of an image's name. Source of grammar: github.com/distribution/reference */

/** "latest" where neither tag nor digest is said; undefined where a digest alone is. */
export function tagOf(image: string): string | undefined {
  const [name = "", digest] = split(image, "@");
  const tag = /:([\w][\w.-]{0,127})$/.exec(name)?.[1];
  return tag ?? (digest === undefined ? "latest" : undefined);
}

function split(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}
