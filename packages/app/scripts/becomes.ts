/** What each field of the model becomes: by path, with "*" for the keys of a record. `document.ts` puts it beside the field. */

/** Of services and jobs alike; what environments share with the app, and jobs with services, is said once. */
const program: Readonly<Record<string, string>> = {
  enabled: "nothing at all when false",
  source: "an image; user 1000 in the pod",
  image: "the container's image",
  command: "the container's command",
  args: "the container's args",
  workingDir: "the container's workingDir",
  env: "the container's env; a Secret's key as secretKeyRef",
  files: "ConfigMap `<name>-files` and read-only mounts; a hash of it on the pod template, so that a change rolls",
  calls: "`<NAME>_URL`, NetworkPolicies on both sides; for an external also `<NAME>_SERVICE_HOST` and `_PORT`",
  uses: "`DATABASE_URL`, `PG*` from the database's Secret, NetworkPolicies; several: `<NAME>_DATABASE_URL` each",
  resources: "the container's resources; no CPU limit",
  volumes:
    "PersistentVolumeClaim `<service>-<volume>` (StatefulSet: volumeClaimTemplates), or emptyDir; always one for /tmp",
  init: "initContainers, restricted like the container itself",
  sidecars: "containers, restricted like the container itself",
  terminationGracePeriod: "terminationGracePeriodSeconds",
  identity: "ServiceAccount; Role and RoleBinding where there are rules",
  placement: "nodeSelector, tolerations, topologySpreadConstraints, priorityClassName, runtimeClassName",
  securityContext: "the container's securityContext",
  patches: "changes of the objects above, last of all",
};

const overlaid: Readonly<Record<string, string>> = {
  labels: "labels of every object",
  annotations: "annotations of every object",
  defaults: "fields of every service, unless it states its own",
  routes: "HTTPRoute `<app>-routes`, attached to Gateway flotilla-system/flotilla",
  objects: "the objects as they are, in the app's namespace, with its labels",
  patches: "changes of any object, after those of services and jobs",
};

const under = (path: string, fields: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(fields).map(([key, text]) => [`${path}.${key}`, text]));

export const becomes: Readonly<Record<string, string>> = {
  name: "label app.kubernetes.io/part-of; the namespace",
  team: "label flotilla.dev/team",
  ...overlaid,
  environments: "what `render --environment` gives; `local` is what `up` runs",

  ...under("environments.*", {
    namespace: "metadata.namespace",
    registry: "`<registry>/<app>-<service>:dev` where no version is known",
    domain: "hostnames of HTTPRoutes",
    telemetry: "`OTEL_*` of the containers, NetworkPolicies, rules; on local what the telemetry process does",
  }),

  ...under("environments.*.telemetry", {
    otlp: "`OTEL_EXPORTER_OTLP_*`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, NetworkPolicies; on local forwarding",
    prometheus: "nothing in objects; where `flotilla query -e` asks",
    rules: "PrometheusRule `<app>-objectives`, or a ConfigMap of that name with `objectives.rules.yaml`",
    metrics: "the queries of objectives",
    retention: "nothing in objects; what the telemetry process keeps",
    alerts: "spec.alerting.notify of ServiceLevelObjectives",
  }),
  "environments.*.telemetry.metrics.match": `\`job="\${app}/\${service}"\` of otel`,

  ...under("services.*", {
    ...program,
    port: "a port named http: containerPort, Service, `PORT`, readiness, preStop sleep of 3 s",
    ports: "containerPorts, Service; the first is `PORT`",
    routes: "HTTPRoute of the service's name",
    probes: "startupProbe, readinessProbe, livenessProbe; without readiness a TCP connection to the first port",
    replicas: "spec.replicas",
    scale: "HorizontalPodAutoscaler; spec.replicas is left to it",
    kind: "the workload; a StatefulSet also gets the headless Service `<name>-pods`",
    disruption: "PodDisruptionBudget; not made on a laptop unless stated",
    objectives:
      "ServiceLevelObjectives `<service>-availability`, `-latency-p95`, `-success` on local; elsewhere rules of Prometheus",
    release: "strategy of the Deployment: maxSurge 25%, maxUnavailable 0; Recreate with a ReadWriteOnce volume",
  }),
  ...under("services.*.objectives", {
    availability: "the share without code 5xx",
    latency: "of p95, 95% are to be faster; failed requests do not count",
    success: "the share without codes 4xx and 5xx, or what the queries say",
    window: "spec.window, and with it the windows of burn-rate alerts",
    runbook: "spec.runbook; annotation runbook_url of alerts",
  }),
  "services.*.calls.[].optional": "nothing yet; it says what the caller can do without",
  "services.*.ports.*.protocol": "appProtocol http, kubernetes.io/h2c (grpc), kubernetes.io/ws; none for tcp and udp",
  "services.*.release.maxDuration": "progressDeadlineSeconds",
  "services.*.scale.stabilization": "behavior.scaleDown.stabilizationWindowSeconds",
  "services.*.probes.readiness.period": "periodSeconds",
  "services.*.probes.readiness.timeout": "timeoutSeconds",
  "services.*.probes.readiness.failures": "failureThreshold; 60 for a startup probe that is given as a path",
  "services.*.resources.gpu": "nvidia.com/gpu, request and limit",
  "services.*.identity.rules": "Role, RoleBinding; the account's token is mounted",

  ...under("jobs.*", {
    run: "a CronJob (manual: suspended, for `kubectl create job --from`), or a Job for each release",
    schedule: "CronJob spec.schedule",
    timeZone: "CronJob spec.timeZone",
    concurrencyPolicy: "CronJob spec.concurrencyPolicy",
    backoffLimit: "Job spec.backoffLimit",
    deadline: "Job spec.activeDeadlineSeconds",
  }),

  ...under("backing.*", {
    enabled: "nothing at all when false",
    type: "StatefulSet, two Services, Secret, NetworkPolicy, ServiceAccount, all named `<name>-postgres`",
    version: "the image's tag",
    driver: "process and statefulset: a StatefulSet; cnpg: a Cluster of CloudNativePG; external: nothing",
    storage: "the claim's request",
    class: "the claim's storageClassName",
    migrations:
      "an immutable ConfigMap and a Job, named for their content; the App's controller lets what uses it wait",
    secret: "the Secret that `PG*` and `DATABASE_URL` are read from",
  }),

  ...under("external.*", {
    enabled: "nothing at all when false",
    host: "`<NAME>_URL`, `<NAME>_SERVICE_HOST`",
    port: "`<NAME>_SERVICE_PORT`; the port of the caller's NetworkPolicy",
    protocol: "the scheme of `<NAME>_URL`",
  }),

  ...under("secrets.*", {
    enabled: "nothing at all when false",
    keys: "what `{secret, key}` may name",
    from: "generate: a Secret that is filled once by the App's controller; existing: nothing is rendered",
  }),

  ...under("routes.[]", {
    hosts: "hostnames; one HTTPRoute for each set of hosts",
    path: "matches[].path.value",
    pathType: "matches[].path.type",
    headers: "matches[].headers, exact",
    methods: "one match each",
    backends: "backendRefs",
    mirror: "filter RequestMirror",
    rewrite: "filter URLRewrite",
    redirect: "filter RequestRedirect",
    timeout: "timeouts.request",
  }),
};
