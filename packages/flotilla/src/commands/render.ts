// flotilla render: the native objects of the application, to be read, kept or applied by hand.
import { expand, filesOf, local, namespaceObject, renderJson, renderYaml } from "@flotilla/app";
import { checkedModel, modelPlace } from "../model.ts";

export interface RenderOptions {
  environment?: string;
  output: "yaml" | "json";
}

export async function render(dir: string, { environment, output }: RenderOptions): Promise<void> {
  const { model, dir: folder } = await checkedModel(modelPlace(dir), environment);
  const objects = expand(model, {
    environment,
    files: filesOf(folder),
    target: environment === local ? "local" : "cluster",
  });
  const all = [namespaceObject(model, environment), ...objects];
  process.stdout.write(output === "json" ? renderJson(all) : renderYaml(all));
}
