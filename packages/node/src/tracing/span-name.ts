/**
 * Names of spans for requests whose route nobody knows. "POST" alone would be true of every order and every search; the path with
 * what changes taken out says which it was, and stays low in variety, as the semantic conventions want of names.
 *
 * What is guessed is in the name only: `http.route` is what the app itself calls the route.
 */
import { nameOf } from "./instruments.ts";

/** Different names; from then on only those that are known, for paths may be anything. */
const most = 100;
/** Characters of one part of a path. */
const longestPart = 32;
const mostParts = 6;

/** Made of digits, or of so many hexadecimal ones that it is no word; or of what only programs write. */
const changing = /^\d+$|\d{3}|^(?=.*\d)[\da-f-]{8,}$|[^\w.~:@-]/i;

/** Of paths that were asked for lately; most are asked for again and again. */
const remembered = 500;

export class SpanNames {
  readonly #known = new Set<string>();
  readonly #recent = new Map<string, string>();

  /** "GET /orders/{id}" of "/orders/7?full"; the method alone for what cannot be told. */
  of(method: string, path: string): string {
    const key = `${method} ${path}`;
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const name = this.#find(method, path);
    if (this.#recent.size >= remembered) this.#recent.clear();
    if (key.length < 200) this.#recent.set(key, name);
    return name;
  }

  #find(method: string, path: string): string {
    const parts = path.split(/[?#]/, 1)[0]?.split("/") ?? [];
    if (parts.length > mostParts) return nameOf(method);
    const pattern = parts.map((part) => (changing.test(part) || part.length > longestPart ? "{id}" : part)).join("/");
    const name = `${nameOf(method)} ${pattern}`;
    if (!this.#known.has(name)) {
      if (this.#known.size >= most) return nameOf(method);
      this.#known.add(name);
    }
    return name;
  }
}
