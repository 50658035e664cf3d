/** Cuts a label selector's text into tokens. Source: the lexer of apimachinery pkg/labels. */

export interface Token {
  readonly kind: "word" | "in" | "notin" | "," | "!" | "=" | "==" | "!=" | ">" | "<" | "(" | ")" | "end" | "unknown";
  readonly text: string;
}

const special = /[=!(),><]/;
const space = /[ \t\r\n]/;
const symbols: readonly Token["kind"][] = ["==", "!=", "=", "!", ">", "<", "(", ")", ","];

/** Ends with a token of kind "end". */
export function scanSelector(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? "";
    if (space.test(char)) {
      at++;
      continue;
    }
    const symbol = symbols.find((each) => text.startsWith(each, at));
    if (symbol) {
      tokens.push({ kind: symbol, text: symbol });
      at += symbol.length;
      continue;
    }
    let end = at;
    while (end < text.length && !special.test(text[end] ?? "") && !space.test(text[end] ?? "")) end++;
    const word = text.slice(at, end);
    tokens.push({ kind: word === "in" || word === "notin" ? word : "word", text: word });
    at = end;
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}
