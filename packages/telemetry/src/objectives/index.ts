/** What of objectives the model needs: rules for other clusters, documents of OpenSLO, the check of a query. */
export { isOpenSlo, readOpenSlo } from "./open-slo.ts";
export { queryMistake } from "./open-slo-queries.ts";
export { prometheusRules, type RuleFile } from "./rules.ts";
