/** What is open without a token: health and the version. */
import { answer, send } from "./answer.ts";
import type { Exchange, Serving } from "./serving.ts";

const healthPaths = ["/healthz", "/livez", "/readyz"];

/** Answers health and version requests; false for all others. */
export async function serveOpenPath(serving: Serving, exchange: Exchange): Promise<boolean> {
  const [, root = "", check, ...more] = exchange.path.replace(/\/$/, "").split("/");
  const path = `/${root}`;
  if (path === "/version" && check === undefined) {
    const { version } = serving;
    await answer(exchange, 200, {
      ...version,
      gitCommit: "",
      gitTreeState: "clean",
      buildDate: "1970-01-01T00:00:00Z",
      goVersion: "",
      compiler: "node",
      platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
    });
    return true;
  }
  if (!healthPaths.includes(path) || more.length > 0 || (check !== undefined && check !== "ping")) return false;
  // Requests are answered only while the registry answers reads, so that to answer is to be well.
  const text = exchange.query.has("verbose") ? `[+]ping ok\n${root} check passed\n` : "ok";
  await send(exchange, 200, text, "text/plain; charset=utf-8");
  return true;
}
