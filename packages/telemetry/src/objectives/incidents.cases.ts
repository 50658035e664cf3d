/**
 * When burn-rate alerts fire and end, by the SRE workbook's arithmetic: with a share of errors e, a budget b, a factor f and
 * windows of L and S seconds, an alert fires f*b*L/e after the errors began (when that much of the long window is bad) and ends
 * S*(1 - f*b/e) after they ended (when that much of the short window is good again). Of several policies the first
 * fires and the last one ends. With r requests a second and at least m bad ones asked for, it fires m/(r*e) after they began
 * unless that is sooner, and ends when the long window holds fewer than m again. Times in seconds.
 */
import type { ServiceLevelObjectiveSpec } from "@flotilla/objects";
import type { Incident, Told } from "./incidents.fixture.ts";

export interface IncidentCase {
  readonly name: string;
  readonly spec?: Partial<ServiceLevelObjectiveSpec>;
  /** Requests a second; else as many as there are in the fixture. */
  readonly traffic?: number;
  readonly incidents: readonly Incident[];
  readonly told: readonly Told[];
  /** When to look last; a while after the last of `told`. */
  readonly until: number;
  /** Share of the budget that is then left. */
  readonly left: number;
}

const hour = 3600;
const day = 24 * hour;

const fires = (severity: string, at: number): Told => ({ severity, to: "Firing", at });
const ends = (severity: string, at: number): Told => ({ severity, to: "Resolved", at });
const outage = (from: number, to: number): Incident => ({ from, to, ratio: 1 });

export const incidentCases: readonly IncidentCase[] = [
  {
    name: "30d: a total outage of 10 minutes",
    incidents: [outage(0, 600)],
    told: [
      fires("page", 0.0144 * hour), // 51.84, of 1h/5m; 6h/30m at 129.6
      fires("ticket", 0.003 * day), // 259.2, of 1d/2h and of 3d/6h
      ends("page", 600 + 1800 * (1 - 0.006)), // 30m: 2389.2; 5m at 895.68
      ends("ticket", 600 + 6 * hour * (1 - 0.001)), // 6h: 22178.4; 2h at 7778.4
    ],
    until: 8 * hour,
    left: 1 - 600 / 2592,
  },
  {
    name: "30d: one hour of 10% errors",
    incidents: [{ from: 0, to: hour, ratio: 0.1 }],
    told: [
      fires("page", 0.0144 * 10 * hour), // 518.4
      fires("ticket", 0.003 * 10 * day), // 2592
      ends("page", hour + 1800 * (1 - 0.06)), // 5292
      ends("ticket", hour + 6 * hour * (1 - 0.01)), // 24984
    ],
    until: 8 * hour,
    left: 1 - 360 / 2592,
  },
  {
    name: "30d: four days at 1.1 times what would last",
    incidents: [{ from: 0, to: 4 * day, ratio: 0.0011 }],
    told: [
      fires("ticket", (3 * day) / 1.1), // 2 d 17 h 27 min
      ends("ticket", 4 * day + 6 * hour * (1 - 1 / 1.1)),
    ],
    until: 4 * day + 6 * hour,
    left: 1 - (1.1 * 4) / 30,
  },
  {
    name: "30d: what would just last alerts nobody",
    incidents: [{ from: 0, to: 2 * day, ratio: 0.001 }],
    told: [],
    until: 2 * day,
    left: 1 - 2 / 30,
  },
  {
    name: "30d: a spike too short for any alert",
    incidents: [outage(0, 45)],
    told: [],
    until: hour,
    left: 1 - 45 / 2592,
  },
  {
    name: "30d: a spike of a minute pages, and the page ends with its 5 minutes",
    incidents: [outage(0, 60)],
    told: [fires("page", 51.84), ends("page", 60 + 300 * (1 - 0.0144))], // 355.68
    until: hour,
    left: 1 - 60 / 2592,
  },
  {
    name: "30d: an outage that gets better before it is over",
    incidents: [outage(0, 300), { from: 300, to: 7500, ratio: 0.01 }],
    told: [
      fires("page", 51.84),
      fires("ticket", 259.2),
      // 1h/5m ends at 598.7, but 1% is above 6 times the budget: 6h/30m goes on.
      ends("page", 7500 + 1800 * (1 - 0.6)), // 8220
      ends("ticket", 7500 + 6 * hour * (1 - 0.1)), // 26940
    ],
    until: 8 * hour,
    left: 1 - 372 / 2592,
  },
  {
    name: "30d: the second of two incidents is told sooner, since the long window remembers the first",
    incidents: [outage(0, 120), outage(7200, 7320)],
    told: [
      fires("page", 51.84),
      ends("page", 120 + 300 * (1 - 0.0144)), // 415.68
      // 6h has 120 s of the 129.6 already; 30m needs 10.8 s of its own.
      fires("page", 7200 + 0.006 * 1800), // 7210.8
      ends("page", 7320 + 1800 * (1 - 0.006)), // 9109.2
    ],
    until: 4 * hour,
    left: 1 - 240 / 2592,
  },
  {
    name: "1h: windows no shorter than metrics can tell",
    spec: { window: "1h", target: "99%" },
    incidents: [{ from: 0, to: 120, ratio: 0.1 }],
    told: [
      fires("page", 0.06 * 10 * 60), // 1m/30s at 6: 36
      fires("ticket", 0.03 * 10 * 120), // 2m/30s at 3, 6m/30s at 1: 36
      ends("page", 120 + 30 * (1 - 0.6)), // 132
      ends("ticket", 120 + 30 * (1 - 0.1)), // 147
    ],
    until: 1800,
    left: 1 - 12 / 36,
  },
  {
    name: "1d: one hour of 1% errors, below the fastest policy",
    spec: { window: "1d" },
    incidents: [{ from: 0, to: hour, ratio: 0.01 }],
    told: [
      fires("page", 0.6 * 720), // 12m/1m at 6: 432
      fires("ticket", 0.3 * 2880), // 48m/4m at 3, 2h24m/12m at 1: 864
      ends("page", hour + 60 * (1 - 0.6)), // 3624
      ends("ticket", hour + 720 * (1 - 0.1)), // 4248
    ],
    until: 2 * hour,
    left: 1 - 36 / 86.4,
  },
  {
    name: "1d: a total outage",
    spec: { window: "1d" },
    incidents: [outage(0, 600)],
    told: [
      fires("page", 0.0144 * 120), // 1.73
      fires("ticket", 0.003 * 2880), // 8.64
      ends("page", 600 + 60 * (1 - 0.006)), // 659.64
      ends("ticket", 600 + 720 * (1 - 0.001)), // 1319.28
    ],
    until: hour,
    left: 1 - 600 / 86.4,
  },
  {
    name: "90d: a total outage of 30 minutes",
    spec: { window: "90d" },
    incidents: [outage(0, 1800)],
    told: [
      fires("page", 0.0144 * 3 * hour), // 155.52
      fires("ticket", 0.003 * 3 * day), // 777.6
      ends("page", 1800 + 5400 * (1 - 0.006)), // 90m: 7167.6
      ends("ticket", 1800 + 18 * hour * (1 - 0.001)), // 18h: 66535.2
    ],
    until: 20 * hour,
    left: 1 - 1800 / 7776,
  },
  {
    name: "28d: a policy of one's own, by its share of the budget",
    spec: {
      window: "28d",
      target: "99%",
      alerting: { policies: [{ severity: "wake-up", long: "1h", short: "5m", budget: "2%" }] },
    },
    incidents: [{ from: 0, to: 2000, ratio: 0.5 }],
    // factor 0.02 * 28d / 1h = 13.44
    told: [fires("wake-up", (0.1344 * hour) / 0.5), ends("wake-up", 2000 + 300 * (1 - 0.2688))], // 967.68, 2219.36
    until: hour,
    left: 1 - 1000 / 24_192,
  },
  {
    name: "30d: a policy of one window that must hold",
    spec: { target: "99%", alerting: { policies: [{ severity: "page", long: "1h", factor: 2, for: "5m" }] } },
    incidents: [{ from: 0, to: 1800, ratio: 0.1 }],
    // Above from 720 on, held at 1020; the hour has less than 72 s of errors from 1800 + 3600 - 1080 - 720 on: 1800 + 2880.
    told: [fires("page", 0.02 * 10 * hour + 300), ends("page", 0 + hour + 1800 - 720)],
    until: 2 * hour,
    left: 1 - 180 / 25_920,
  },
  {
    name: "30d: two slow answers of three are no alert where ten are asked for",
    spec: { target: "95%", alerting: { minimumBad: 10 } },
    traffic: 1 / 30,
    incidents: [outage(0, 60)],
    told: [],
    until: 2 * hour,
    left: 1 - 60 / 129_600,
  },
  {
    name: "30d: an outage with little traffic is told when ten have failed",
    spec: { alerting: { minimumBad: 10 } },
    traffic: 0.1,
    incidents: [outage(0, 600)],
    told: [
      fires("page", 10 / 0.1), // 100; by the share at 51.84
      fires("ticket", 0.003 * day), // 259.2, when 26 have failed
      ends("page", 600 + 1800 * (1 - 0.006)),
      ends("ticket", 600 + 6 * hour * (1 - 0.001)),
    ],
    until: 8 * hour,
    left: 1 - 600 / 2592,
  },
  {
    name: "30d: with much traffic ten are there at once",
    spec: { alerting: { minimumBad: 10 } },
    incidents: [outage(0, 60)],
    told: [fires("page", 51.84), ends("page", 60 + 300 * (1 - 0.0144))],
    until: hour,
    left: 1 - 60 / 2592,
  },
  {
    name: "30d: an alert ends when its window holds too few again",
    spec: {
      target: "99%",
      alerting: { minimumBad: 10, policies: [{ severity: "page", long: "1h", factor: 1 }] },
    },
    traffic: 0.1,
    incidents: [{ from: 0, to: 1800, ratio: 0.1 }],
    // By the share from 360 to 5040; the hour has 10 bad ones from 1000 on, and until the first 800 s of errors are out of it.
    told: [fires("page", 10 / (0.1 * 0.1)), ends("page", 800 + hour)],
    until: 2 * hour,
    left: 1 - 180 / 25_920,
  },
];
