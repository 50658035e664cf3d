/** Texts with a form: how each is written, for check and for the JSON schema. */

export interface Format {
  /** JSON schema reads it too, so no flags. */
  readonly pattern: string;
  readonly maxLength?: number;
  /** Completes "must be ...". */
  readonly says: string;
  /** Completes "write ...". */
  readonly example: string;
}

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const port = "([a-z0-9]+-)*[a-z0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*";

export const formats = {
  // Service names are DNS labels that start with a letter. Source: RFC 1035, kubernetes ValidateServiceName.
  name: {
    pattern: "^[a-z]([-a-z0-9]*[a-z0-9])?$",
    maxLength: 50,
    says: 'a DNS label (a to z, 0 to 9 and "-", from a letter, at most 50 long)',
    example: '"order-history"',
  },
  portName: {
    pattern: `^${port}$`,
    maxLength: 15,
    says: 'a port name (a to z, 0 to 9 and "-", at least one letter, at most 15 long)',
    example: '"grpc"',
  },
  namespace: {
    pattern: `^${label}$`,
    maxLength: 63,
    says: 'a DNS label (a to z, 0 to 9 and "-", at most 63 long)',
    example: '"shop-staging"',
  },
  host: {
    pattern: `^(\\*\\.)?${label}(\\.${label})*$`,
    maxLength: 253,
    says: "a host name in lower case",
    example: '"shop.example"',
  },
  duration: {
    pattern: "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$",
    says: "a duration with its unit",
    example: '"300ms", "15s" or "1h30m"',
  },
  quantity: {
    pattern: "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$",
    says: "a quantity with its unit",
    example: '"100m" or "128Mi"',
  },
  percent: { pattern: "^[0-9]{1,3}%$", says: "a percentage", example: '"70%"' },
  share: { pattern: "^[0-9]{1,2}(\\.[0-9]{1,9})?%$", says: "a share below 100%", example: '"99.9%"' },
  period: {
    pattern: "^([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$",
    says: "a period in whole weeks, days, hours, minutes",
    example: '"30d" or "1h30m"',
  },
  percentile: { pattern: "^p[0-9]{1,2}(\\.[0-9]{1,3})?$", says: "a percentile", example: '"p95"' },
  url: {
    pattern: "^https?://[^\\s]+$",
    says: "an http or https URL",
    example: '"http://collector.observability:4318"',
  },
  metric: {
    pattern: "^[a-zA-Z_:][a-zA-Z0-9_:]*$",
    says: "a name as Prometheus has them",
    example: '"http_server_request_duration_seconds"',
  },
  environmentVariable: {
    pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
    says: "the name of an environment variable",
    example: '"PAYMENT_KEY"',
  },
  secretKey: {
    pattern: "^[-._a-zA-Z0-9]+$",
    maxLength: 253,
    says: 'a key of a Secret (letters, digits, "-", "_" and ".")',
    example: '"api-key"',
  },
  absolutePath: { pattern: "^/.*[^/]$", says: "an absolute path in the container", example: '"/etc/shop/rules.json"' },
  folder: { pattern: "^\\./?$|^(\\./)?[^/].*$", says: "a path relative to the app's file", example: '"./orders"' },
  urlPath: { pattern: "^/", says: 'a path that starts with "/"', example: '"/readyz"' },
  image: {
    pattern:
      "^[a-z0-9]([-._a-z0-9]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]([-._a-z0-9]*[a-z0-9])?)*(:[A-Za-z0-9_][-.A-Za-z0-9_]{0,127})?(@sha256:[a-f0-9]{64})?$",
    says: "an image reference",
    example: '"registry.example/catalog:1.4"',
  },
  registry: {
    pattern: "^[a-z0-9]([-._a-z0-9]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]([-._a-z0-9]*[a-z0-9])?)*$",
    says: "a registry, with a path if it has one",
    example: '"registry.example/team"',
  },
  cron: {
    pattern: "^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[^ ]+( [^ ]+){4})$",
    says: "a cron schedule of five fields",
    example: '"0 3 * * *"',
  },
  labelKey: {
    pattern: `^(${label}(\\.${label})*/)?[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$`,
    says: "the key of a label",
    example: '"example.com/team"',
  },
  labelValue: {
    pattern: "^([A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?)?$",
    maxLength: 63,
    says: 'the value of a label (letters, digits, "-", "_" and ".", at most 63 long)',
    example: '"checkout"',
  },
  method: { pattern: "^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH)$", says: "a method", example: '"GET"' },
  version: { pattern: "^[0-9]+(\\.[0-9]+)*$", says: "a version as text", example: '"18"' },
  any: { pattern: ".+", says: "a text", example: '"text"' },
} satisfies Record<string, Format>;

export type FormatName = keyof typeof formats;

export const formatOf = (name: FormatName): Format => formats[name];

export function hasFormat(name: FormatName, value: string): boolean {
  const format = formatOf(name);
  return value.length <= (format.maxLength ?? Number.POSITIVE_INFINITY) && new RegExp(format.pattern).test(value);
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Milliseconds of a text that has the form of a duration. */
export function milliseconds(duration: string): number {
  let sum = 0;
  for (const [, amount, unit] of duration.matchAll(/([0-9.]+)(ms|s|m|h)/g))
    sum += Number(amount) * units[unit as keyof typeof units];
  return sum;
}

/** Whole seconds, rounded up, at least 1: as Kubernetes' fields want them. */
export const seconds = (duration: string): number => Math.max(1, Math.ceil(milliseconds(duration) / 1000));
