/** The rules of every kind that has any beyond the table. */
import { type Resource, resourceName } from "@flotilla/objects";
import type { KindRules } from "../kind-rules.ts";

const rules: Readonly<Record<string, KindRules>> = {};

const none: KindRules = {};

export const rulesOf = (resource: Resource): KindRules => rules[resourceName(resource)] ?? none;
