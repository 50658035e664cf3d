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

export class SpanNames {
  readonly #known = new Set<string>();

  /** "GET /orders/{id}" of "/orders/7?full"; the method alone for what cannot be told. */
  of(method: string, path: string): string {
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
