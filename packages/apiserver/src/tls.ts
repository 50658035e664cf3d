/** Certificates and kubeconfigs of an embedded control plane, made once and kept with its state. Source: RFC 5280, RFC 5480. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";
import type { Clock, Random } from "@flotilla/ambient";
import { bits, boolean, type Der, explicit, implicit, integer, octets, oid, sequence, set, time, utf8 } from "./der.ts";

export interface ServingCertificate {
  /** PEM, all of them. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const day = 24 * 3600_000;
const authorityLifetime = 3650 * day;
const servingLifetime = 365 * day;
// Clocks differ a little from machine to machine.
const backdate = 3600_000;

/** A new authority, whose key is not kept, and a server's certificate signed by it. ECDSA P-256; valid for ten years and one. */
export async function createServingCertificate(options: {
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
}): Promise<ServingCertificate> {
  const { clock, random, dnsNames, ips } = options;
  const now = clock.now();
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const common = { issuer: "flotilla-ca", signer: authority.privateKey, from: now - backdate };

  const ca = certificate({
    ...common,
    serial: serialNumber(random),
    subject: "flotilla-ca",
    until: now + authorityLifetime,
    publicKey: authority.publicKey,
    extensions: [
      extension("2.5.29.19", true, sequence(boolean(true), integer(Uint8Array.of(0)))),
      // keyCertSign, cRLSign
      extension("2.5.29.15", true, bits(Uint8Array.of(0b0000_0110), 1)),
      extension("2.5.29.14", false, octets(keyIdentifier(authority.publicKey))),
    ],
  });
  const cert = certificate({
    ...common,
    serial: serialNumber(random),
    subject: "kube-apiserver",
    until: now + servingLifetime,
    publicKey: server.publicKey,
    extensions: [
      extension("2.5.29.19", true, sequence()),
      // digitalSignature
      extension("2.5.29.15", true, bits(Uint8Array.of(0b1000_0000), 7)),
      // serverAuth
      extension("2.5.29.37", false, sequence(oid("1.3.6.1.5.5.7.3.1"))),
      extension("2.5.29.35", false, sequence(implicit(0, keyIdentifier(authority.publicKey)))),
      extension("2.5.29.17", false, alternativeNames(dnsNames, ips)),
    ],
  });
  return { ca, cert, key: server.privateKey.export({ type: "pkcs8", format: "pem" }) as string };
}

interface Content {
  readonly serial: Uint8Array;
  readonly issuer: string;
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Der[];
}

function certificate({ serial, issuer, subject, from, until, publicKey, signer, extensions }: Content): string {
  // ecdsa-with-SHA256
  const algorithm = sequence(oid("1.2.840.10045.4.3.2"));
  const signed = sequence(
    explicit(0, integer(Uint8Array.of(2))),
    integer(serial),
    algorithm,
    commonName(issuer),
    sequence(time(new Date(from)), time(new Date(until))),
    commonName(subject),
    publicKey.export({ type: "spki", format: "der" }),
    explicit(3, sequence(...extensions)),
  );
  const whole = sequence(signed, algorithm, bits(sign("sha256", signed, signer)));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** 127 random bits: positive, and never twice. */
function serialNumber(random: Random): Uint8Array {
  const serial = Uint8Array.from(random.bytes(16));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

const commonName = (name: string): Der => sequence(set(sequence(oid("2.5.4.3"), utf8(name))));

const extension = (id: string, isCritical: boolean, value: Der): Der =>
  sequence(oid(id), ...(isCritical ? [boolean(true)] : []), octets(value));

const keyIdentifier = (key: KeyObject): Buffer =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 20);

function alternativeNames(dnsNames: readonly string[], ips: readonly string[]): Der {
  const names = dnsNames.map((name) => implicit(2, Buffer.from(name)));
  return sequence(...names, ...ips.map((ip) => implicit(7, addressBytes(ip))));
}

function addressBytes(ip: string): Uint8Array {
  if (isIPv4(ip)) return Uint8Array.from(ip.split(".").map(Number));
  if (!isIPv6(ip) || ip.includes(".")) throw new Error(`${ip} is not an IP address`);
  const [head = "", tail] = ip.split("::");
  const groups = (text: string): number[] => (text ? text.split(":").map((group) => Number.parseInt(group, 16)) : []);
  const left = groups(head);
  const right = groups(tail ?? "");
  const all = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** A kubeconfig with one context, as JSON (which is YAML). */
export function kubeconfig(options: {
  /** "https://127.0.0.1:6443" */
  readonly server: string;
  /** PEM. */
  readonly ca?: string;
  readonly token: string;
  /** Of the context; "default" when left out. */
  readonly namespace?: string;
  /** Names the cluster, the user and the context. */
  readonly name: string;
}): string {
  const { server, ca, token, namespace, name } = options;
  const authority = ca && { "certificate-authority-data": Buffer.from(ca).toString("base64") };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster: { server, ...authority } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, ...(namespace && { namespace }) } }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
