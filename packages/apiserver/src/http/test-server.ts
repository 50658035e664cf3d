/** A control plane in memory behind a real listener: what the tests of this folder speak to. */
import { systemClock, systemRandom } from "@flotilla/ambient";
import type { KubeObject } from "@flotilla/objects";
import { type ControlPlane, createControlPlane } from "../control-plane.ts";
import { memoryPersistence } from "../store/memory-persistence.ts";
import { createServingCertificate } from "../tls.ts";
import { type ServeOptions, serveApi } from "./serve-api.ts";

export interface Answer {
  readonly code: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every kind
  readonly body: any;
}

export interface TestServer {
  readonly plane: ControlPlane;
  readonly url: string;
  /** PEM; "" where plain HTTP is served. */
  readonly ca: string;
  /** What the server said to whoever runs it. */
  readonly log: string[];
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

const users: Readonly<Record<string, { username: string; groups: string[] }>> = {
  admin: { username: "kubernetes-admin", groups: ["system:masters"] },
  guest: { username: "guest", groups: [] },
};

export async function testServer(options: Partial<ServeOptions> & { secure?: boolean } = {}): Promise<TestServer> {
  const { secure, ...given } = options;
  const clock = systemClock;
  const random = systemRandom;
  const tls = secure
    ? await createServingCertificate({ dnsNames: ["localhost"], ips: ["127.0.0.1"], clock, random })
    : undefined;
  const plane = await createControlPlane({ clock, random, persistence: memoryPersistence() });
  const log: string[] = [];
  const server = await serveApi({
    registry: plane.registry,
    port: 0,
    tls,
    clock,
    kubelet: { token: "agent-token" },
    authenticate: (token) => users[token],
    log: (message, error) => void log.push(error instanceof Error ? `${message}: ${error.stack}` : message),
    ...given,
  });
  const url = `${tls ? "https" : "http"}://127.0.0.1:${server.port}`;
  return {
    plane,
    url,
    ca: tls?.ca ?? "",
    log,
    async ask(method, path, body, headers = {}) {
      const isText = typeof body === "string" || body instanceof Uint8Array;
      const response = await fetch(`${url}${path}`, {
        method,
        body: body === undefined ? undefined : isText ? (body as string) : JSON.stringify(body),
        headers: { authorization: "Bearer admin", "content-type": "application/json", ...headers },
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.startsWith("application/json") && text !== "";
      return { code: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
    },
    async close() {
      await server.close();
      await plane.close();
    },
  };
}

/** A ConfigMap of the namespace default. */
export const configMap = (name: string, data: Record<string, string> = {}): KubeObject =>
  ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data }) as KubeObject;

export const configMaps = "/api/v1/namespaces/default/configmaps";

/** Reads a watch line by line; the request ends with the test's own `close`. */
export async function watchLines(server: TestServer, path: string, headers: Record<string, string> = {}) {
  const stop = new AbortController();
  const response = await fetch(`${server.url}${path}`, {
    headers: { authorization: "Bearer admin", ...headers },
    signal: stop.signal,
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  return {
    code: response.status,
    // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every kind
    async next(): Promise<any> {
      while (!buffer.includes("\n")) {
        const { value, done } = await reader.read();
        if (done) return undefined;
        buffer += decoder.decode(value, { stream: true });
      }
      const end = buffer.indexOf("\n");
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + 1);
      return JSON.parse(line);
    },
    close: () => stop.abort(),
  };
}
