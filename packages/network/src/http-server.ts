/** The HTTP server of every listener: what is malformed or too big is answered here, the rest goes to the handler. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { answerError, answerSocket } from "./error-answer.ts";

export interface HttpHandler {
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
}

/** Longer than clients keep idle connections, so that they are the ones who close. */
const keepAliveTimeout = 75_000;

export function httpServer(handler: HttpHandler): Server {
  const server = createServer({
    keepAliveTimeout,
    // A slow upload is no fault; how long an answer may take is the route's to say.
    requestTimeout: 0,
    headersTimeout: 60_000,
    noDelay: true,
    // Whoever offers HTTP/2 on the side (as Java's client does) is answered in HTTP/1.1.
    shouldUpgradeCallback: ({ headers }: IncomingMessage) => !/^h2c\b/i.test(headers.upgrade ?? ""),
  } as Parameters<typeof createServer>[0]);
  server.on("request", handler.request);
  server.on("checkContinue", handler.request);
  server.on("checkExpectation", (request, response) =>
    answerError(request, response, 417, `Expect: ${request.headers.expect} is not supported`),
  );
  server.on("upgrade", (request, socket, head) => handler.upgrade(request, socket as Socket, head));
  server.on("connect", (_, socket) => answerSocket(socket, 405, "CONNECT is not supported"));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    if (error.code === "HPE_HEADER_OVERFLOW") return answerSocket(socket, 431, "the request's headers are too large");
    if (error.code === "ERR_HTTP_REQUEST_TIMEOUT")
      return answerSocket(socket, 408, "the request's headers took too long");
    answerSocket(socket, 400, "the request is malformed");
  });
  return server;
}
