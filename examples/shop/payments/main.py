"""Payments: takes the money for an order, once. Python's standard library only.

POST /payments {"order": id, "amount": cents, "currency": "EUR"} answers 201 (paid) or 402 (declined). It is safe to
repeat: the answer for an order depends on nothing but the order.
"""

import hashlib
import hmac
import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tracing import Span

KEY = os.environ["PAYMENT_KEY"].encode()
LIMIT = 1_000_000  # cents; what the bank lends nobody


def receipt(order: str, amount: int, currency: str) -> str:
    """Signed with the shop's key, so that nobody else can write one."""
    return hmac.new(KEY, f"{order} {amount} {currency}".encode(), hashlib.sha256).hexdigest()[:16]


class Payments(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open between requests
    wbufsize = -1  # head and body of an answer in one packet: apart, they would wait 40 ms for each other

    def answer(self, status: int, body: dict) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self.answer(200, {"ok": True})
        else:
            self.answer(404, {"error": f"nothing at {self.path}"})

    def do_POST(self) -> None:
        span = Span("POST", self.path, self.headers.get("traceparent", ""))
        status, body = self.pay(span)
        self.answer(status, body)
        span.end(status)

    def pay(self, span: Span) -> tuple[int, dict]:
        try:
            request = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
            order, amount, currency = str(request["order"]), int(request["amount"]), str(request["currency"])
        except (ValueError, KeyError, TypeError) as error:
            return 400, {"error": f"not a payment: {error!r}"}
        if self.path != "/payments":
            return 404, {"error": f"nothing at {self.path}"}
        span.route("/payments")
        if amount > LIMIT:
            return 402, {"status": "declined", "order": order}
        print(f"order {order}: {amount / 100:.2f} {currency} paid{span}", flush=True)
        return 201, {"status": "paid", "order": order, "receipt": receipt(order, amount, currency)}

    def log_message(self, *_: object) -> None:
        """The lines above say what matters."""


server = ThreadingHTTPServer((os.environ.get("HOST", "0.0.0.0"), int(os.environ["PORT"])), Payments)
# Kubernetes says SIGTERM and waits; shutdown() must not be called by the thread that serves.
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print("payments is open", flush=True)
server.serve_forever()
server.server_close()
