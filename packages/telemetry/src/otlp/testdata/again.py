"""Reads and writes messages again with protobuf's own library: each line of input is a message's name and its bytes in hex,
each line of output what the library makes of it, in hex.
"""

import sys

from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

messages = {"TracesData": TracesData, "MetricsData": MetricsData, "LogsData": LogsData}

for line in sys.stdin:
    name, _, text = line.strip().partition(" ")
    message = messages[name]()
    message.ParseFromString(bytes.fromhex(text))
    print(message.SerializeToString().hex())
