/**
 * Replaces $(NAME) by values; $$ stands for one dollar; what is unknown stays as it is.
 *
 * Source: kubernetes third_party/forked/golang/expansion/expand.go.
 */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, inner: string, name: string | undefined) =>
    inner === "$" ? "$" : (lookUp(name ?? "") ?? whole),
  );
}
