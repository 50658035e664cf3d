/** ServiceAccounts. Source: kubernetes pkg/registry/core/serviceaccount */
import type { ServiceAccount } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

export const serviceAccounts: KindRules<ServiceAccount> = {
  prepare(account) {
    if (account.secrets) account.secrets = account.secrets.map(({ name }) => ({ name }));
  },
};
