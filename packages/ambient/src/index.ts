export { type Cancel, type Clock, sleep, systemClock } from "./clock.ts";
export { type Random, seededRandom, systemRandom, uuid } from "./random.ts";
export { type Simulation, simulation } from "./simulation.ts";
export { type Stopwatch, systemStopwatch } from "./stopwatch.ts";
