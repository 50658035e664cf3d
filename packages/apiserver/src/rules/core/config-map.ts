/** ConfigMaps. Source: kubernetes pkg/apis/core/validation */
import { type ConfigMap, configMapKey, deepEqual, type FieldError, invalidValue, tooLong } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { named } from "../mistakes.ts";
import { dataLimit, immutableMistakes } from "./immutable-data.ts";

export const configMaps: KindRules<ConfigMap> = {
  validate({ data = {}, binaryData = {} }) {
    const mistakes: FieldError[] = [];
    let size = 0;
    for (const [key, value] of Object.entries(data)) {
      mistakes.push(...named(`data[${key}]`, key, configMapKey));
      if (binaryData[key] !== undefined)
        mistakes.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
      size += Buffer.byteLength(value);
    }
    for (const [key, value] of Object.entries(binaryData)) {
      mistakes.push(...named(`binaryData[${key}]`, key, configMapKey));
      size += Buffer.byteLength(value, "base64");
    }
    if (size > dataLimit) mistakes.push(tooLong("", dataLimit));
    return mistakes;
  },
  validateUpdate: (map, before) =>
    before.immutable
      ? immutableMistakes(map.immutable, [
          ["data", !deepEqual(map.data, before.data)],
          ["binaryData", !deepEqual(map.binaryData, before.binaryData)],
        ])
      : [],
};
