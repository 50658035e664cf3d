/** Chooses the form of an answer by the Accept header. */
import type { IncomingMessage } from "node:http";
import { notAcceptable } from "@flotilla/objects";

export interface Form {
  readonly encoding: "json" | "yaml";
  /** What the objects are turned into first. */
  readonly as?: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  /** Version of meta.k8s.io for `as`. */
  readonly version?: string;
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const plainJson: Form = { encoding: "json" };
const encodings: Readonly<Record<string, "json" | "yaml">> = {
  "application/json": "json",
  "application/*": "json",
  "*/*": "json",
  "application/yaml": "yaml",
};
const transforms = ["Table", "PartialObjectMetadata", "PartialObjectMetadataList"] as const;

/** The first of the accepted forms that can be served; throws NotAcceptable when none can. */
export function negotiate(request: IncomingMessage): Form {
  const header = request.headers.accept;
  if (!header) return plainJson;
  for (const { type, parameters } of clauses(header)) {
    const encoding = encodings[type];
    if (!encoding) continue;
    const name = parameters.get("as");
    if (name === undefined) return encoding === "json" ? plainJson : { encoding };
    const as = transforms.find((each) => each === name);
    const version = parameters.get("v") ?? "v1";
    const isKnown = parameters.get("g") === "meta.k8s.io" && (version === "v1" || version === "v1beta1");
    if (as && isKnown) return { encoding, as, version };
  }
  throw notAcceptable(["application/json", "application/yaml"]);
}

/** The version of aggregated discovery that the client prefers to the plain documents. */
export function aggregatedDiscovery(request: IncomingMessage): string | undefined {
  for (const { type, parameters } of clauses(request.headers.accept ?? "")) {
    if (encodings[type] !== "json") continue;
    const version = parameters.get("v") ?? "";
    if (parameters.get("as") === "APIGroupDiscoveryList" && parameters.get("g") === "apidiscovery.k8s.io")
      if (version === "v2" || version === "v2beta1") return version;
    if (!parameters.has("as")) return undefined;
  }
  return undefined;
}

/** In the client's order of preference. */
function clauses(header: string): Clause[] {
  const found = header.split(",").map((clause) => {
    const [type = "", ...pairs] = clause.split(";").map((part) => part.trim());
    const parameters = new Map(pairs.map((pair) => splitOnce(pair)));
    return { type: type.toLowerCase(), parameters, quality: Number(parameters.get("q") ?? 1) };
  });
  return found.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality);
}

function splitOnce(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return at < 0 ? [pair, ""] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
}
