import { expect, test } from "vitest";
import { faultOf } from "./listen-fault.ts";

const ip = "127.96.1.7";
const at = (...places: string[]) =>
  places.map((place) => ({
    address: place.slice(0, place.lastIndexOf(":")),
    port: Number(place.slice(place.lastIndexOf(":") + 1)),
    inode: place,
  }));
const cases: readonly [string, number[], string[], string[], string | undefined][] = [
  ["as it should", [80], [`${ip}:80`], [], undefined],
  ["not yet at all", [80], [], [], undefined],
  ["on every address", [80], ["0.0.0.0:80"], [], "listens on 0.0.0.0:80; bind to $HOST"],
  ["on every address, version 6", [80], [":::80"], [], "listens on [::]:80; bind to $HOST"],
  [
    "on the machine's own",
    [80],
    ["127.0.0.1:80"],
    [],
    "listens on 127.0.0.1:80, where only this machine's own programs reach it; bind to $HOST",
  ],
  ["on another port", [80], [`${ip}:81`], [], `listens on ${ip}:81, not on its port 80; listen on $HOST:$PORT`],
  ["on a further port too", [80], [`${ip}:80`, "127.0.0.1:9229"], [], undefined],
  [
    "while another has the port everywhere",
    [80],
    [],
    ["0.0.0.0:80"],
    "cannot have port 80: another program listens on 0.0.0.0:80",
  ],
  ["while another pod has the same port", [80], [], ["127.96.1.8:80"], undefined],
  ["on one of two ports", [80, 81], [`${ip}:80`], [], undefined],
];
test("a port that the container may not have is named, unless it has it", () => {
  expect(faultOf(ip, [80], [], at(), 1024)).toEqual({
    reason: "PrivilegedPort",
    message: "may not listen on port 80: on this machine ports below 1024 are for root; give it a port from 1024 up",
  });
  expect(faultOf(ip, [80], at(`${ip}:80`), at(), 1024)).toBeUndefined();
  expect(faultOf(ip, [1024], at(), at(), 1024)).toBeUndefined();
});
test.each(cases)("a server that listens %s", (_how, ports, own, others, expected) =>
  expect(faultOf(ip, ports, at(...own), at(...others))?.message).toBe(expected),
);
