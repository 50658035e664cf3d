/**
 * Which names, label values and ports Kubernetes accepts. Each function returns what is wrong, in Kubernetes' words; none: valid.
 *
 * Source: apimachinery pkg/util/validation.
 */

interface Format {
  readonly pattern: string;
  readonly message: string;
  readonly examples: readonly string[];
}

/** Lengths are in bytes. */
const longer = (value: string, most: number): boolean => encoder.encode(value).length > most;
const encoder = new TextEncoder();
const longestMessage = (most: number): string => `must be no more than ${most} characters`;
const empty = "must be non-empty";

const formatMessage = ({ message, pattern, examples }: Format): string =>
  `${message} (e.g. ${examples.map((each) => `'${each}', `).join(" or ")}regex used for validation is '${pattern}')`;

function check(value: string, most: number, format: Format, regex: RegExp): string[] {
  const wrong: string[] = [];
  if (longer(value, most)) wrong.push(longestMessage(most));
  if (!regex.test(value)) wrong.push(formatMessage(format));
  return wrong;
}

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const qualified = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`, "s");

const labelRegex = whole(label);
const subdomainRegex = whole(subdomain);
const qualifiedRegex = whole(qualified);

/** At most 63 of a-z, 0-9 and "-": the name of a Namespace, a container, a StatefulSet's pod. */
export function dns1123Label(value: string): string[] {
  const wrong = longer(value, 63) ? [longestMessage(63)] : [];
  if (labelRegex.test(value)) return wrong;
  if (subdomainRegex.test(value)) return [...wrong, "must not contain dots"];
  return [
    ...wrong,
    formatMessage({
      message:
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
      pattern: label,
      examples: ["my-name", "123-abc"],
    }),
  ];
}

/** Labels with dots between, at most 253 in all: the name of most objects. */
export const dns1123Subdomain = (value: string): string[] =>
  check(
    value,
    253,
    {
      message:
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
      pattern: subdomain,
      examples: ["example.com"],
    },
    subdomainRegex,
  );

const wildcard = `\\*\\.${subdomain}`;
const wildcardRegex = whole(wildcard);

/** "*.example.com" */
export const wildcardDns1123Subdomain = (value: string): string[] =>
  check(
    value,
    253,
    {
      message:
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      pattern: wildcard,
      examples: ["*.example.com"],
    },
    wildcardRegex,
  );

const dns1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const dns1035Regex = whole(dns1035);

/** As a DNS-1123 label, but begins with a letter: the name of a Service. */
export const dns1035Label = (value: string): string[] =>
  check(
    value,
    63,
    {
      message:
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
      pattern: dns1035,
      examples: ["my-name", "abc-123"],
    },
    dns1035Regex,
  );

const qualifiedMessage = formatMessage({
  message:
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  pattern: qualified,
  examples: ["MyName", "my.name", "123-abc"],
});

/** The key of a label or an annotation: a name, optionally behind a DNS subdomain and "/". */
export function qualifiedName(value: string): string[] {
  const parts = value.split("/");
  if (parts.length > 2) {
    return [
      `a qualified name ${qualifiedMessage} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const wrong: string[] = [];
  const name = parts.at(-1) ?? "";
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    const faults = prefix === "" ? [empty] : dns1123Subdomain(prefix);
    wrong.push(...faults.map((fault) => `prefix part ${fault}`));
  }
  if (name === "") wrong.push(`name part ${empty}`);
  else if (longer(name, 63)) wrong.push(`name part ${longestMessage(63)}`);
  if (!qualifiedRegex.test(name)) wrong.push(`name part ${qualifiedMessage}`);
  return wrong;
}

const labelValuePattern = `(${qualified})?`;
const labelValueRegex = whole(labelValuePattern);

export const labelValue = (value: string): string[] =>
  check(
    value,
    63,
    {
      message:
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      pattern: labelValuePattern,
      examples: ["MyValue", "my_value", "12345"],
    },
    labelValueRegex,
  );

/** What an environment variable may be called: any printable ASCII but "=". */
export function envVarName(value: string): string[] {
  const wrong = value === "" ? [`environment variable name ${empty}`] : [];
  if (/[^ -<>-~]/s.test(value)) {
    wrong.push("a valid environment variable name must consist only of printable ASCII characters other than '='");
  }
  return wrong;
}

const configKey = "[-._a-zA-Z0-9]+";
const configKeyRegex = whole(configKey);

/** The key of a ConfigMap or a Secret; it may become a file's name, so "." and "..*" are refused. */
export function configMapKey(value: string): string[] {
  const wrong = check(
    value,
    253,
    {
      message: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
      pattern: configKey,
      examples: ["key.name", "KEY_NAME", "key-name"],
    },
    configKeyRegex,
  );
  if (value === ".") wrong.push("must not be '.'");
  else if (value === "..") wrong.push("must not be '..'");
  else if (value.startsWith("..")) wrong.push("must not start with '..'");
  return wrong;
}

/** The name of a port (IANA service name): at most 15 of a-z, 0-9 and "-", with a letter. */
export function portName(value: string): string[] {
  const wrong: string[] = [];
  if (longer(value, 15)) wrong.push(longestMessage(15));
  if (!/^[-a-z0-9]+$/s.test(value)) {
    wrong.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(value)) wrong.push("must contain at least one letter (a-z)");
  if (value.includes("--")) wrong.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) wrong.push("must not begin or end with a hyphen");
  return wrong;
}

export const portNumber = (value: number): string[] =>
  Number.isInteger(value) && value >= 1 && value <= 65535 ? [] : ["must be between 1 and 65535, inclusive"];
