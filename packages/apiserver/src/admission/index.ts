/** Every rule that looks at other objects before a write is accepted, in the order in which they run. */
import { addRequester } from "./certificate-signing-request.ts";
import { acceptNames, removeDefined } from "./custom-resource-definition.ts";
import { chooseIngressClass } from "./ingress-class.ts";
import { checkLimits, setDefaultLimits } from "./limit-range.ts";
import { furnishNamespace, namespaceMayGo, namespaceTakesContent } from "./namespace.ts";
import { taintNewNode } from "./node-taint.ts";
import { checkPodSecurity } from "./pod-security.ts";
import { setPriority } from "./priority.ts";
import type { AdmissionRequest, AdmissionStep } from "./request.ts";
import { checkQuotas, updateQuotas } from "./resource-quota.ts";
import { giveServiceAccount } from "./service-account.ts";
import { giveAddresses } from "./service-addresses.ts";
import { chooseStorageClass } from "./storage-class.ts";
import { addTolerations } from "./tolerations.ts";

/** May change the object; before validation. */
const changing: readonly AdmissionStep[] = [
  namespaceTakesContent,
  setDefaultLimits,
  giveServiceAccount,
  taintNewNode,
  setPriority,
  addTolerations,
  chooseStorageClass,
  chooseIngressClass,
  addRequester,
  acceptNames,
  giveAddresses,
];

/** May only refuse; after validation. */
const checking: readonly AdmissionStep[] = [namespaceMayGo, checkLimits, checkPodSecurity, checkQuotas];

/** Changes of other objects that belong to the same write; after it has been staged. */
const after: readonly AdmissionStep[] = [furnishNamespace, removeDefined, updateQuotas];

const run = (steps: readonly AdmissionStep[]) => (request: AdmissionRequest) => {
  for (const step of steps) step(request);
};

export const admit = { changing: run(changing), checking: run(checking), after: run(after) };
