/** OpenAPI documents: one a group version (v3), all in one (v2). Built when asked for, kept until the served resources change. */
import { apiVersionOf, isRecord, openApiV3, type Resource } from "@flotilla/objects";
import { isCustom } from "../custom/custom-resource.ts";
import { answer, type KeptDocument, keptDocument, send, sendKept } from "./answer.ts";
import type { Exchange, Serving } from "./serving.ts";

export interface OpenApi {
  /** Answers what is below /openapi; false when there is nothing. */
  serve(exchange: Exchange): Promise<boolean>;
}

// Source: kube-openapi pkg/handler: asked for by the first name, answered by the second, which is a valid media type.
const protobufV2Asked = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const protobufV2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

export function createOpenApi(serving: Serving): OpenApi {
  let documents = new Map<string, KeptDocument>();
  serving.registry.onResourcesChange(() => {
    documents = new Map();
  });

  const kept = (key: string, build: () => unknown): KeptDocument => {
    const found = documents.get(key) ?? keptDocument(build());
    documents.set(key, found);
    return found;
  };

  /** By "api/v1" or "apis/apps/v1". */
  function groupVersions(): Map<string, Resource[]> {
    const found = new Map<string, Resource[]>();
    for (const resource of serving.registry.resources()) {
      const place = `${resource.group ? "apis" : "api"}/${apiVersionOf(resource)}`;
      const known = found.get(place);
      if (known) known.push(resource);
      else found.set(place, [resource]);
    }
    return found;
  }

  const documentOf = (place: string, resources: readonly Resource[]): KeptDocument =>
    kept(place, () => openApiV3(place.slice(place.indexOf("/") + 1), resources, customSchema));

  return {
    async serve(exchange) {
      const path = exchange.path.replace(/\/$/, "");
      if (path === "/openapi/v2") return serveV2(exchange);
      if (path === "/openapi/v3") {
        // The hash of each document is part of its address, so that clients may keep it for ever.
        const paths: Record<string, { serverRelativeURL: string }> = {};
        for (const [place, resources] of groupVersions()) {
          const hash = documentOf(place, resources).etag.slice(1, -1);
          paths[place] = { serverRelativeURL: `/openapi/v3/${place}?hash=${hash}` };
        }
        await answer(exchange, 200, { paths });
        return true;
      }
      if (!path.startsWith("/openapi/v3/")) return false;
      const place = path.slice("/openapi/v3/".length);
      const resources = groupVersions().get(place);
      if (!resources) return false;
      const document = documentOf(place, resources);
      if (exchange.query.get("hash") === document.etag.slice(1, -1)) {
        exchange.response.setHeader("Cache-Control", "public, immutable");
        exchange.response.setHeader("Expires", new Date(serving.clock.now() + 365 * 24 * 3600_000).toUTCString());
      }
      await sendKept(exchange, document, "application/json");
      return true;
    },
  };

  async function serveV2(exchange: Exchange): Promise<boolean> {
    // Go clients of old read this document as protobuf and use none of it; the JSON form is whole.
    if (
      exchange.request.headers.accept?.includes(protobufV2Asked) &&
      !exchange.request.headers.accept.includes("json")
    ) {
      await send(exchange, 200, emptyV2, protobufV2);
      return true;
    }
    const document = kept("v2", () => {
      const definitions: Record<string, unknown> = {};
      for (const [place, resources] of groupVersions())
        Object.assign(definitions, schemasOf(documentOf(place, resources)));
      const info = { title: "Kubernetes", version: serving.version.gitVersion };
      return { swagger: "2.0", info, paths: {}, definitions };
    });
    await sendKept(exchange, document, "application/json");
    return true;
  }
}

const customSchema = (resource: Resource) =>
  isCustom(resource) ? (resource.custom.schema as Record<string, unknown>) : undefined;

function schemasOf({ text }: KeptDocument): Record<string, unknown> {
  const document: unknown = JSON.parse(text.replaceAll("#/components/schemas/", "#/definitions/"));
  const components = isRecord(document) && isRecord(document.components) ? document.components : {};
  return isRecord(components.schemas) ? components.schemas : {};
}

// openapi.v2.Document {swagger: "2.0", info: {title: "Kubernetes", version: "v1"}, paths: {}}. Source: gnostic-models openapiv2.
const emptyV2 = "\x0a\x032.0\x12\x10\x0a\x0aKubernetes\x12\x02v1\x42\x00";
