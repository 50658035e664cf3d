/** WebSockets and other upgrades: the endpoint is asked; when it agrees, the two connections are joined. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "@flotilla/ambient";
import { connect } from "./connect.ts";
import { answerSocket } from "./error-answer.ts";
import { endToEnd, type Headers } from "./headers.ts";
import { splice } from "./splice.ts";
import type { Passage } from "./telemetry/passage.ts";
import type { Upstream } from "./upstream.ts";

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly client: Duplex;
  readonly head: Buffer;
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly passage: Passage;
  readonly path: string;
  /** As they go to the endpoint, without Connection and Upgrade. */
  readonly headers: Headers;
  readonly onAnswer: (headers: Headers) => Headers;
  /** Milliseconds until the endpoint has agreed. */
  readonly timeout?: number;
}

/** Resolves with the status that the client got. Never rejects. */
export async function upgrade({
  request,
  client,
  head,
  upstream,
  clock,
  passage,
  path,
  headers,
  onAnswer,
  timeout,
}: Upgrade): Promise<number> {
  client.on("error", () => client.destroy());
  let isAnswered = false;
  const failed = (code: number, message: string) => {
    // Giving up an attempt breaks it as well: the client is told the first reason only.
    if (!isAnswered) answerSocket(client, code, message);
    isAnswered = true;
    return code;
  };
  let joined: Duplex | undefined;
  try {
    const { socket, endpoint } = await connect(upstream, clock, {
      client: request.socket.remoteAddress,
      isOver: () => client.destroyed,
      passage,
    });
    joined = socket;
    socket.once("close", () => upstream.release(endpoint));
    return await new Promise<number>((resolve) => {
      const outgoing = httpRequest({
        createConnection: () => socket,
        method: request.method,
        path,
        headers: [...headers, "Connection", "Upgrade", "Upgrade", request.headers.upgrade ?? ""],
        setHost: false,
      });
      const cancel = timeout
        ? clock.after(timeout, () => {
            resolve(failed(504, `service ${upstream.service} did not answer within ${timeout / 1000} s`));
            outgoing.destroy();
          })
        : () => undefined;
      const onGone = () => outgoing.destroy();
      client.once("close", onGone);
      outgoing.once("upgrade", (answer, _, first: Buffer) => {
        cancel();
        passage.answer();
        client.off("close", onGone);
        client.write(headOf(answer, [...onAnswer(endToEnd(answer.rawHeaders)), ...switching(answer)]));
        if (first.length > 0) client.write(first);
        if (head.length > 0) socket.write(head);
        splice(client, socket);
        resolve(101);
      });
      outgoing.once("response", (answer) => {
        cancel();
        passage.answer();
        client.write(headOf(answer, [...onAnswer(endToEnd(answer.rawHeaders)), "Connection", "close"]));
        answer.pipe(client);
        // Broken off in the middle.
        answer.once("close", () => void (answer.complete || client.destroy()));
        resolve(answer.statusCode ?? 502);
      });
      outgoing.on("error", (error) => {
        cancel();
        resolve(failed(502, `service ${upstream.service} broke off: ${error.message}`));
      });
      outgoing.end();
    });
  } catch (error) {
    joined?.destroy();
    return failed(joined ? 500 : 503, (error as Error).message);
  }
}

const switching = (answer: IncomingMessage) => ["Connection", "Upgrade", "Upgrade", answer.headers.upgrade ?? ""];

function headOf(answer: IncomingMessage, headers: Headers): string {
  let text = `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${text}\r\n`;
}
