/** A sink that remembers, and receivers before it. */
import { type simulation, systemClock } from "@flotilla/ambient";
import { Losses, type Signal, type Sink, type Taken } from "../sink.ts";
import { startGrpcReceiver } from "./grpc-receiver.ts";
import { type Receiver, startHttpReceiver } from "./http-receiver.ts";
import { Intake, type IntakeOptions } from "./intake.ts";

export interface Recorded {
  readonly signal: Signal;
  /** A copy. */
  readonly request: Uint8Array;
}

export interface RecordingSink extends Sink {
  readonly requests: Recorded[];
  /** What it answers; may throw. */
  answer(signal: Signal, request: Uint8Array): Taken;
}

export function recordingSink(): RecordingSink {
  const requests: Recorded[] = [];
  const take = (signal: Signal) => (request: Uint8Array) => {
    const taken = sink.answer(signal, request);
    requests.push({ signal, request: new Uint8Array(request) });
    return taken;
  };
  const sink: RecordingSink = {
    requests,
    answer: () => ({ taken: 0, rejected: 0 }),
    traces: take("traces"),
    metrics: take("metrics"),
    logs: take("logs"),
  };
  return sink;
}

export interface Receiving {
  readonly sink: RecordingSink;
  readonly losses: Losses;
  readonly intake: Intake;
  readonly errors: unknown[];
  readonly http: Receiver;
  readonly grpc: Receiver;
  /** Both receivers' time, apart from Node's own time-outs; runs by itself where none is given. */
  readonly time: ReturnType<typeof simulation> | undefined;
  close(): Promise<void>;
}

/** On free ports of 127.0.0.1. */
export async function receiving(
  options: Partial<IntakeOptions> = {},
  time?: ReturnType<typeof simulation>,
): Promise<Receiving> {
  const sink = recordingSink();
  const losses = new Losses();
  const errors: unknown[] = [];
  const intake = new Intake({ sink, losses, onError: (error) => errors.push(error), ...options });
  const where = { host: "127.0.0.1", port: 0, intake, clock: time?.clock ?? systemClock };
  const http = await startHttpReceiver(where);
  const grpc = await startGrpcReceiver(where);
  return {
    sink,
    losses,
    intake,
    errors,
    http,
    grpc,
    time,
    close: async () => {
      await Promise.all([http.close(), grpc.close()]);
    },
  };
}
