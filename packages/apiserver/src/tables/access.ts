/** Rows of accounts, bindings, signing requests and admission kinds. Source: kubernetes pkg/printers/internalversion. */
import type {
  CertificateSigningRequest,
  ClusterRoleBinding,
  MutatingWebhookConfiguration,
  RoleBinding,
  ServiceAccount,
  Subject,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from "@flotilla/objects";
import { selectorText } from "./cells.ts";
import { ageColumn, humanDuration, integer, type Printer, printer, text, wide } from "./printer.ts";

export const serviceAccountPrinter: Printer<ServiceAccount> = printer(
  text("Secrets", ({ secrets }) => (secrets ?? []).length),
  ageColumn,
);

const subjects = (all: readonly Subject[] = [], kind: string): string =>
  all
    .filter((subject) => subject.kind === kind)
    .map(({ namespace, name }) => (kind === "ServiceAccount" && namespace ? `${namespace}/${name}` : name))
    .join(", ");

export const roleBindingPrinter: Printer<RoleBinding | ClusterRoleBinding> = printer(
  text("Role", ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  wide("Users", (binding) => subjects(binding.subjects, "User")),
  wide("Groups", (binding) => subjects(binding.subjects, "Group")),
  wide("ServiceAccounts", (binding) => subjects(binding.subjects, "ServiceAccount")),
);

export const signingRequestPrinter: Printer<CertificateSigningRequest> = printer(
  ageColumn,
  text("SignerName", ({ spec }) => spec.signerName || "<none>"),
  text("Requestor", ({ spec }) => spec.username ?? ""),
  text("RequestedDuration", ({ spec }) =>
    spec.expirationSeconds === undefined ? "<none>" : humanDuration(spec.expirationSeconds * 1000),
  ),
  text("Condition", ({ status }) => {
    const has = (type: string) => (status?.conditions ?? []).some((condition) => condition.type === type);
    const verdict = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
    return `${verdict}${has("Failed") ? ",Failed" : ""}${status?.certificate ? ",Issued" : ""}`;
  }),
);

export const webhookPrinter: Printer<ValidatingWebhookConfiguration | MutatingWebhookConfiguration> = printer(
  integer("Webhooks", ({ webhooks }) => (webhooks ?? []).length),
  ageColumn,
);

export const admissionPolicyPrinter: Printer<ValidatingAdmissionPolicy> = printer(
  integer("Validations", ({ spec }) => (spec.validations ?? []).length),
  text("ParamKind", ({ spec }) => (spec.paramKind ? `${spec.paramKind.apiVersion}/${spec.paramKind.kind}` : "<unset>")),
  ageColumn,
);

export const admissionPolicyBindingPrinter: Printer<ValidatingAdmissionPolicyBinding> = printer(
  text("PolicyName", ({ spec }) => spec.policyName),
  text("ParamRef", ({ spec }) => {
    const { paramRef } = spec;
    if (paramRef?.name) return `${paramRef.namespace || "*"}/${paramRef.name}`;
    return paramRef?.selector ? selectorText(paramRef.selector) : "<unset>";
  }),
  ageColumn,
);
