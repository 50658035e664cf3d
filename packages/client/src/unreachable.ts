/** The API did not answer at all. */

/** `address` is where it was looked for; the message says why it was not found there and what to do. */
export class ApiUnreachableError extends Error {
  override readonly name = "ApiUnreachableError";
  readonly address: string;
  /** Node's code of the failure: "ECONNREFUSED", "CERT_HAS_EXPIRED", ... */
  readonly code: string;

  constructor(address: string, cause: unknown) {
    const code = codeOf(cause);
    const [why, remedy] = explanations[code] ?? [cause instanceof Error ? cause.message : String(cause), check];
    super(`cannot reach the API at ${address}: ${why}; ${remedy}`, { cause });
    this.address = address;
    this.code = code;
  }
}

const check = "check the address in the kubeconfig and whether the cluster is up";
const start = "nothing listens there: start the cluster, or choose another context";
const trust = "the kubeconfig belongs to another cluster, or certificate-authority-data is missing in it";

const explanations: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ECONNREFUSED: ["connection refused", start],
  ENOTFOUND: ["there is no host of that name", check],
  EAI_AGAIN: ["the host's name could not be resolved", check],
  EHOSTUNREACH: ["no route to the host", check],
  ENETUNREACH: ["no route to the network", check],
  ETIMEDOUT: ["no answer in time", check],
  ECONNRESET: ["the connection was cut", "try again; look into the API server's log if it stays so"],
  EPIPE: ["the connection was cut", "try again; look into the API server's log if it stays so"],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["its certificate is not trusted", trust],
  SELF_SIGNED_CERT_IN_CHAIN: ["its certificate is not trusted", trust],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["its certificate is not trusted", trust],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["its certificate is not trusted", trust],
  CERT_SIGNATURE_FAILURE: ["its certificate is not trusted", trust],
  CERT_HAS_EXPIRED: ["its certificate has expired", "renew it, or set this machine's clock"],
  ERR_TLS_CERT_ALTNAME_INVALID: ["its certificate is for another name", trust],
  ERR_SSL_WRONG_VERSION_NUMBER: ["what listens there does not speak TLS", check],
};

/** Where several addresses were tried, the code of the first that has one. */
function codeOf(cause: unknown): string {
  if (cause instanceof AggregateError && !("code" in cause && cause.code)) return codeOf(cause.errors[0]);
  return typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "UNKNOWN";
}
