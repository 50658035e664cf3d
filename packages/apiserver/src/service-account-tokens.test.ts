import { generateKeyPairSync } from "node:crypto";
import { simulation } from "@flotilla/ambient";
import { newObject, notFound, ServiceAccounts } from "@flotilla/objects";
import { beforeEach, expect, test } from "vitest";
import { type ServiceAccountTokens, serviceAccountTokens } from "./service-account-tokens.ts";

const newKey = () =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const key = newKey();
const account = { namespace: "shop", name: "orders", uid: "u1" };
const user = {
  username: "system:serviceaccount:shop:orders",
  uid: "u1",
  groups: ["system:serviceaccounts", "system:serviceaccounts:shop"],
};

let world: ReturnType<typeof simulation>;
let tokens: ServiceAccountTokens;
beforeEach(() => {
  world = simulation(1);
  tokens = serviceAccountTokens(key, world.clock);
});

/** An API in which the account has that uid; undefined: in which it does not exist. */
const registry = (uid: string | undefined = "u1") => ({
  get(_: unknown, { name }: { name: string }) {
    if (uid === "") throw notFound(ServiceAccounts, name);
    return newObject(ServiceAccounts, { metadata: { ...account, uid } });
  },
});
const issued = async (audiences: string[] = [], expirationSeconds = 600) =>
  (await tokens.issue({ serviceAccount: account, audiences, expirationSeconds })).token;

test("stands for its account", async () => expect(tokens.userOf(await issued(), registry())).toEqual(user));
test("says when it ends", async () => {
  const { expirationTimestamp } = await tokens.issue({
    serviceAccount: account,
    audiences: [],
    expirationSeconds: 600,
  });
  expect(expirationTimestamp).toBe("2026-01-01T00:10:00Z");
});
test("ends", async () => {
  const token = await issued();
  await world.advance(600_000);
  expect(tokens.userOf(token, registry())).toBeUndefined();
});
test("ends with its account", async () => expect(tokens.userOf(await issued(), registry(""))).toBeUndefined());
test("is not of another account of the same name", async () =>
  expect(tokens.userOf(await issued(), registry("u2"))).toBeUndefined());
test("for others it is nothing here", async () =>
  expect(tokens.userOf(await issued(["vault"]), registry())).toBeUndefined());
test("of another cluster it is nothing here", async () =>
  expect(serviceAccountTokens(newKey(), world.clock).userOf(await issued(), registry())).toBeUndefined());
test("changed claims break the signature", async () => {
  const [head, body = "", signature] = (await issued()).split(".");
  const claims = { ...JSON.parse(Buffer.from(body, "base64url").toString()), sub: "system:masters" };
  const forged = [head, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
  expect(tokens.userOf(forged, registry())).toBeUndefined();
});
test("no signature is no signature", async () => {
  const [, body] = (await issued()).split(".");
  const none = Buffer.from(JSON.stringify({ alg: "none", typ: "JWT" })).toString("base64url");
  expect(tokens.userOf(`${none}.${body}.`, registry())).toBeUndefined();
});
test.each(["", "a", "a.b", "a.b.c", "....", "admin"])("%o is no token", (text) =>
  expect(tokens.userOf(text, registry())).toBeUndefined(),
);
