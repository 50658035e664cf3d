/** What a client is told when there is no answer to pass on: what is wrong, and nothing about the inside. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

/** Whether a body follows the headers. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";

/** JSON for whoever prefers it, else text. Harmless when an answer has begun: then the connection is cut, so that the client sees it. */
export function answerError(request: IncomingMessage, response: ServerResponse, code: number, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const json = /\bapplication\/(?:[\w.-]+\+)?json\b/.test(request.headers.accept ?? "");
  const body = json ? `${JSON.stringify({ code, error: STATUS_CODES[code], message })}\n` : `${message}\n`;
  response.writeHead(code, {
    "Content-Type": json ? "application/json" : "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    // A body that nobody reads any more must not be taken for the next request.
    ...(hasBody(request) && !request.complete && { Connection: "close" }),
  });
  response.end(body);
}

/** For connections that have no response object: malformed requests, upgrades, CONNECT. */
export function answerSocket(socket: Duplex, code: number, message: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${code} ${STATUS_CODES[code]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
