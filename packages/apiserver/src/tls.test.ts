import { X509Certificate } from "node:crypto";
import { simulation } from "@flotilla/ambient";
import { expect, test } from "vitest";
import { createServingCertificate, kubeconfig } from "./tls.ts";

const { clock, random } = simulation(1);
const made = createServingCertificate({
  dnsNames: ["localhost", "kubernetes.default.svc"],
  ips: ["127.0.0.1", "::1", "fd00:12::8"],
  clock,
  random,
});

test("the server's certificate is signed by the authority", async () => {
  const { ca, cert } = await made;
  const authority = new X509Certificate(ca);
  const server = new X509Certificate(cert);
  expect(server.verify(authority.publicKey)).toBe(true);
  expect(authority.verify(authority.publicKey)).toBe(true);
  expect(server.checkIssued(authority)).toBe(true);
  expect([authority.ca, server.ca]).toEqual([true, false]);
});

test("it holds for its names and addresses, and no others", async () => {
  const server = new X509Certificate((await made).cert);
  expect(server.checkHost("kubernetes.default.svc")).toBe("kubernetes.default.svc");
  expect(server.checkHost("example.org")).toBeUndefined();
  expect([server.checkIP("127.0.0.1"), server.checkIP("::1"), server.checkIP("fd00:12::8")]).not.toContain(undefined);
  expect(server.checkIP("127.0.0.2")).toBeUndefined();
});

test("it is valid for a year, its authority for ten", async () => {
  const { ca, cert } = await made;
  const years = (pem: string) => (Date.parse(new X509Certificate(pem).validTo) - clock.now()) / (365 * 24 * 3600_000);
  expect([years(cert), years(ca)]).toEqual([1, 10]);
});

test("its key is the one that it names", async () => {
  const { cert, key } = await made;
  const { createPrivateKey } = await import("node:crypto");
  expect(new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))).toBe(true);
});

test("a kubeconfig has one context with its namespace", () => {
  const config = JSON.parse(
    kubeconfig({ server: "https://127.0.0.1:6443", ca: "x", token: "t", namespace: "shop", name: "n" }),
  );
  expect(config["current-context"]).toBe("n");
  expect(config.contexts).toEqual([{ name: "n", context: { cluster: "n", user: "n", namespace: "shop" } }]);
  expect(config.clusters[0].cluster).toEqual({
    server: "https://127.0.0.1:6443",
    "certificate-authority-data": "eA==",
  });
});
