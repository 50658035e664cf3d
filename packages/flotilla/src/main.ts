// The command line. Each command is loaded when it is asked for, so that `flotilla status` does not pay for `flotilla up`.
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { CommandError, exitCodes, inWords } from "./errors.ts";
import { printLines } from "./legible.ts";

const version = "0.1.0";

const port = (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65535)
    throw new InvalidArgumentError("a port is a number from 1 to 65535");
  return value;
};
const seconds = (text: string) => {
  const value = Number(text);
  if (!(value > 0 && value <= 86_400)) throw new InvalidArgumentError("a number of seconds, from above 0 to 86400");
  return value;
};
const count = (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000)
    throw new InvalidArgumentError("a number from 1 to 10000");
  return value;
};
const gather = (text: string, before: readonly string[] = []) => [...before, text];
const output =
  (...allowed: string[]) =>
  (text: string) => {
    if (!allowed.includes(text)) throw new InvalidArgumentError(`one of: ${allowed.join(", ")}`);
    return text;
  };

const program = new Command("flotilla")
  .description(
    "Microservices on Kubernetes, from laptop to fleet. Describe the application once; run it here, release it there.",
  )
  .version(version)
  .configureHelp({ showGlobalOptions: true })
  .enablePositionalOptions()
  .exitOverride()
  .addHelpText(
    "after",
    `
[dir] is the folder with flotilla.ts or flotilla.yaml, or one below it; the current one if left out.

Exit codes: 0 done; 1 it could not be done, the text says why; 2 the command line is wrong; 130 interrupted.`,
  );

program
  .command("up")
  .summary("run the application")
  .description("Run the application of a folder and watch its sources; again: apply what changed.")
  .argument("[dir]", "folder of the application", ".")
  .option(
    "-d, --detach",
    "return when all is ready (exit 0), or say what is not (exit 1); it runs on until: flotilla down",
  )
  .option("-p, --port <port>", "where the gateway listens; the next free port if taken", port)
  .option("--reset", "forget everything first: objects, volumes, images")
  .option("--timeout <seconds>", "with --detach: how long to wait for all to be ready", seconds, 180)
  .option("-o, --output <format>", "json: one event a line", output("json"))
  .action(async (dir, options) => (await import("./commands/up.ts")).up(dir, options));

program
  .command("down")
  .summary("stop everything, keep state")
  .description("Stop everything that runs for the application; its data stays in .flotilla/.")
  .argument("[dir]", "folder of the application", ".")
  .action(async (dir) => (await import("./commands/down.ts")).down(dir));

program
  .command("status")
  .summary("services, versions, replicas, usage, addresses")
  .argument("[dir]", "folder of the application", ".")
  .option("-w, --watch", "again and again, until Ctrl-C")
  .option("-o, --output <format>", "json", output("json"))
  .action(async (dir, options) => (await import("./commands/status.ts")).status(dir, options));

program
  .command("logs")
  .summary("the services' output, merged")
  .argument("[services...]", "which services; all if left out")
  .option("-f, --follow", "go on until Ctrl-C")
  .option("--since <duration>", 'only what is younger, such as "10s", "5m", "1h30m"')
  .option("--trace <id>", "only lines of one trace")
  .option("--grep <expression>", "only lines that match a regular expression")
  .option("-i, --ignore-case", "with --grep: upper and lower case are the same")
  .option("--level <level>", "only lines of this level and above: trace, debug, info, warn, error, fatal")
  .option("--changes", "what was changed and Kubernetes' events, instead of lines")
  .option("-n, --limit <count>", "with a condition: how many, the newest", count, 1000)
  .option("-C, --dir <dir>", "folder of the application", ".")
  .option("-o, --output <format>", "json: one line of log a line", output("json"))
  .action(async (services, options) => (await import("./commands/logs.ts")).logs(services, options));

program
  .command("top")
  .summary("requests, errors, response times, usage by service")
  .description("The services over the last minute, again and again until Ctrl-C.")
  .argument("[dir]", "folder of the application", ".")
  .option("-1, --once", "one look")
  .option("-o, --output <format>", "json: one look", output("json"))
  .action(async (dir, options) => (await import("./commands/top.ts")).top(dir, options));

program
  .command("trace")
  .summary("find traces; one of them with its critical path")
  .description(
    "List the newest traces that match, or show one: who called whom, what everything waited for, its log lines.",
  )
  .argument("[id]", "trace id; without one, traces are searched")
  .option("-s, --service <name>", "with a span of this service")
  .option("--operation <name>", 'with a span of this name, such as "POST /orders"')
  .option("--min <duration>", 'with a span that took at least, such as "200ms"')
  .option("--max <duration>", "with a span that took at most")
  .option("--error", "with a span that failed")
  .option("-a, --attribute <name=value>", "with a span that has this attribute; may be repeated", gather)
  .option("--since <duration>", 'only what is younger, such as "10s", "5m", "1h30m"')
  .option("-n, --limit <count>", "how many", count, 20)
  .option("-C, --dir <dir>", "folder of the application", ".")
  .option("-o, --output <format>", "json; of one trace OTLP/JSON", output("json"))
  .action(async (id, options) => (await import("./commands/trace.ts")).trace(id, options));

program
  .command("query")
  .summary("ask metrics by PromQL")
  .description("Evaluate PromQL now, or over time as sparklines.")
  .argument("<promql>", "such as: sum by (service) (rate(flotilla_requests_total[1m]))")
  .option("--since <duration>", 'over time, such as "15m", "1h", "7d"')
  .option("--step <duration>", "time between two points")
  .option("-e, --environment <name>", "ask the Prometheus of an environment that runs elsewhere")
  .option("-C, --dir <dir>", "folder of the application", ".")
  .option("-o, --output <format>", "json: as Prometheus' API answers", output("json"))
  .action(async (promql, options) => (await import("./commands/query.ts")).query(promql, options));

program
  .command("slo")
  .summary("objectives: what is left of their budgets")
  .argument("[dir]", "folder of the application", ".")
  .option("-o, --output <format>", "json", output("json"))
  .action(async (dir, options) => (await import("./commands/slo.ts")).slo(dir, options));

program
  .command("render")
  .summary("the native objects of the application")
  .description("Write the Kubernetes objects that the application becomes, to be read, kept or applied by hand.")
  .argument("[dir]", "folder of the application", ".")
  .option("-e, --environment <name>", "which environment's overlay; the application as written if left out")
  .option("-o, --output <format>", "yaml or json", output("yaml", "json"), "yaml")
  .action(async (dir, options) => (await import("./commands/render.ts")).render(dir, options));

program
  .command("check")
  .summary("every mistake of the model at once")
  .argument("[dir]", "folder of the application", ".")
  .option("-o, --output <format>", "json", output("json"))
  .action(async (dir, options) => (await import("./commands/check.ts")).check(dir, options));

program
  .command("kubectl")
  .summary("kubectl, told where the application runs")
  .description("Run kubectl with the application's kubeconfig: flotilla kubectl get pods")
  .argument("[arguments...]")
  .option("-C, --dir <dir>", "folder of the application", ".")
  .passThroughOptions()
  .allowUnknownOption()
  .helpOption(false)
  .action(async (args, options) => (await import("./commands/kubectl.ts")).kubectl(args, options));

// A pipe whose reader has gone (flotilla logs | head) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  } else {
    const words = inWords(error);
    if (words === undefined) console.error(error);
    else printLines(process.stderr, words.split("\n"));
    process.exitCode = error instanceof CommandError ? error.exitCode : exitCodes.failed;
  }
}
