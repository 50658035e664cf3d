"""Sends the three signals with Python's SDK, and prints, as OTLP/JSON built from the SDK's own objects, what was sent.

Arguments: protocol (grpc or http), endpoint, compression (gzip or none).
"""

import json
import sys
import time

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

protocol, endpoint, compression = sys.argv[1:4]

if protocol == "grpc":
    from grpc import Compression
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    options = {"insecure": True, "compression": Compression.Gzip if compression == "gzip" else Compression.NoCompression}
    endpoints = dict.fromkeys(["traces", "metrics", "logs"], endpoint)
else:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    options = {"compression": Compression.Gzip if compression == "gzip" else Compression.NoCompression}
    endpoints = {signal: f"{endpoint}/v1/{signal}" for signal in ["traces", "metrics", "logs"]}

ATTRIBUTES = {
    "text": "Grüße, 世界 🚢 \0",
    "empty": "",
    "yes": True,
    "no": False,
    "zero": 0,
    "smallest": -(2**63),
    "largest": 2**63 - 1,
    "fraction": -0.1,
    "huge": 1e300,
    "bytes": bytes([0, 255]),
    "texts": ["a", ""],
    "numbers": [1, -(2**62)],
    "booleans": [True, False],
    "fractions": [0.0, 1.5],
}
NESTED = {"a": {"b": [1, "x", None, {"c": bytes([1, 2, 3])}]}, "nothing": None, "infinite": float("-inf")}

RESOURCE = Resource({"service.name": "payments", "service.version": "3", "process.pid": 7})


def any_value(value):
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": double(value)}
    if isinstance(value, bytes):
        import base64

        return {"bytesValue": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple)):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    return {"kvlistValue": {"values": attributes(value)}}


def double(value):
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(value), value)


def attributes(mapping):
    return [{"key": key, "value": any_value(value)} for key, value in (mapping or {}).items()]


def resource_of(resource):
    return {"attributes": attributes(resource.attributes)}


def scope_of(scope):
    return {"name": scope.name, "version": scope.version, "attributes": attributes(scope.attributes)}


def flags_of(parent):
    # Of the flags the exporter sends only whether the parent is remote, not those of the trace.
    return 0x300 if parent is not None and parent.is_remote else 0x100


def span_json(span):
    context = span.context
    return {
        "traceId": format(context.trace_id, "032x"),
        "spanId": format(context.span_id, "016x"),
        "traceState": context.trace_state.to_header(),
        "parentSpanId": format(span.parent.span_id, "016x") if span.parent else "",
        "flags": flags_of(span.parent),
        "name": span.name,
        "kind": f"SPAN_KIND_{span.kind.name}",
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": attributes(span.attributes),
        "droppedAttributesCount": span.dropped_attributes,
        "events": [
            {"timeUnixNano": str(event.timestamp), "name": event.name, "attributes": attributes(event.attributes)}
            for event in span.events
        ],
        "droppedEventsCount": span.dropped_events,
        "links": [
            {
                "traceId": format(link.context.trace_id, "032x"),
                # The exporter does not send the link's trace state.
                "spanId": format(link.context.span_id, "016x"),
                "attributes": attributes(link.attributes),
                "flags": flags_of(link.context),
            }
            for link in span.links
        ],
        "droppedLinksCount": span.dropped_links,
        "status": {"code": span.status.status_code.value, "message": span.status.description or ""},
    }


def log_json(item):
    record = item.log_record
    return {
        "timeUnixNano": str(record.timestamp or 0),
        "observedTimeUnixNano": str(record.observed_timestamp or 0),
        "severityNumber": record.severity_number.value if record.severity_number else 0,
        "severityText": record.severity_text or "",
        "body": None if record.body is None else any_value(record.body),
        "attributes": attributes(record.attributes),
        "droppedAttributesCount": item.dropped_attributes,
        "flags": int(record.trace_flags or 0),
        "traceId": format(record.trace_id, "032x") if record.trace_id else "",
        "spanId": format(record.span_id, "016x") if record.span_id else "",
        "eventName": record.event_name or "",
    }


def number(value, integer, floating):
    return {integer: str(value)} if isinstance(value, int) else {floating: double(value)}


def exemplars(point):
    return [
        {
            "timeUnixNano": str(exemplar.time_unix_nano),
            "filteredAttributes": attributes(exemplar.filtered_attributes),
            "spanId": format(exemplar.span_id, "016x"),
            "traceId": format(exemplar.trace_id, "032x"),
            **number(exemplar.value, "asInt", "asDouble"),
        }
        for exemplar in point.exemplars
    ]


def point_json(point):
    common = {
        "attributes": attributes(point.attributes),
        "startTimeUnixNano": str(point.start_time_unix_nano or 0),
        "timeUnixNano": str(point.time_unix_nano),
        "exemplars": exemplars(point),
    }
    if hasattr(point, "value"):
        return {**common, **number(point.value, "asInt", "asDouble")}
    common |= {"count": str(point.count), "sum": point.sum, "min": point.min, "max": point.max}
    if hasattr(point, "explicit_bounds"):
        counts = [str(count) for count in point.bucket_counts]
        return {**common, "bucketCounts": counts, "explicitBounds": list(point.explicit_bounds)}
    return {
        **common,
        "scale": point.scale,
        "zeroCount": str(point.zero_count),
        "positive": buckets(point.positive),
        "negative": buckets(point.negative),
    }


def buckets(found):
    # The exporter sends counts up to the last that is not zero as they are.
    return {"offset": found.offset, "bucketCounts": [str(count) for count in found.bucket_counts]}


KINDS = {"Sum": "sum", "Gauge": "gauge", "Histogram": "histogram", "ExponentialHistogram": "exponentialHistogram"}


def metric_json(metric):
    data = {"dataPoints": [point_json(point) for point in metric.data.data_points]}
    if hasattr(metric.data, "aggregation_temporality"):
        data["aggregationTemporality"] = metric.data.aggregation_temporality.value
    if hasattr(metric.data, "is_monotonic"):
        data["isMonotonic"] = metric.data.is_monotonic
    return {
        "name": metric.name,
        "description": metric.description or "",
        "unit": metric.unit or "",
        KINDS[type(metric.data).__name__]: data,
    }


def send_traces():
    # As one batch, like the exporter that is to be tested.
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("scope", "1.2", schema_url="https://example.org/schema", attributes={"scope": "x"})
    remote = SpanContext(2**127 + 5, 2**63 + 7, True, TraceFlags(1), TraceState([("a", "1"), ("b", "2")]))
    parent = trace.set_span_in_context(trace.NonRecordingSpan(remote))
    with tracer.start_as_current_span(
        "POST /pay", context=parent, kind=SpanKind.SERVER, attributes=ATTRIBUTES, links=[Link(remote, {"why": "batch"})]
    ) as span:
        span.add_event("cache.miss", {"key": "é"}, timestamp=time.time_ns() - 1)
        span.record_exception(ValueError("refused"))
        span.set_status(Status(StatusCode.ERROR, "täglich"))
        tracer.start_span("inner").end()
    spans = memory.get_finished_spans()
    exporter = OTLPSpanExporter(endpoint=endpoints["traces"], **options)
    result = exporter.export(spans)
    exporter.shutdown()
    scope = spans[0].instrumentation_scope
    scoped = {"scope": scope_of(scope), "schemaUrl": scope.schema_url, "spans": [span_json(span) for span in spans]}
    sent = {"resourceSpans": [{"resource": resource_of(RESOURCE), "scopeSpans": [scoped]}]}
    return result.name, sent, spans[0]


def send_metrics(span):
    reader = InMemoryMetricReader()
    views = [View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation())]
    provider = MeterProvider([reader], resource=RESOURCE, views=views)
    meter = provider.get_meter("scope", "1.2", schema_url="https://example.org/schema", attributes={"scope": "x"})
    current = trace.set_span_in_context(trace.NonRecordingSpan(span.context))
    requests = meter.create_counter("requests", unit="1", description="of all")
    requests.add(2**60, ATTRIBUTES, context=current)
    requests.add(0, {"none": True})
    meter.create_up_down_counter("bytes", unit="By").add(-0.5, {"x": "y"}, context=current)
    meter.create_gauge("level").set(-1.5, {"x": "y"})
    duration = meter.create_histogram("duration", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1.0])
    size = meter.create_histogram("size", unit="By")
    for value in [0.05, 0.5, 0.0, 99.5]:
        duration.record(value, {"x": "y", "z": 1}, context=current)
        size.record(value, {"x": "y"}, context=current)
    data = reader.get_metrics_data()
    exporter = OTLPMetricExporter(endpoint=endpoints["metrics"], **options)
    result = exporter.export(data)
    exporter.shutdown()
    scoped = [
        {
            "scope": scope_of(found.scope),
            "schemaUrl": found.schema_url,
            "metrics": [metric_json(metric) for metric in found.metrics],
        }
        for found in data.resource_metrics[0].scope_metrics
    ]
    return result.name, {"resourceMetrics": [{"resource": resource_of(RESOURCE), "scopeMetrics": scoped}]}


def send_logs(span):
    memory = InMemoryLogRecordExporter()
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))
    logger = provider.get_logger("scope", "1.2", schema_url="https://example.org/schema", attributes={"scope": "x"})
    current = trace.set_span_in_context(trace.NonRecordingSpan(span.context))
    error = {"severity_number": SeverityNumber.ERROR2, "severity_text": "ERROR", "attributes": {**ATTRIBUTES, **NESTED}}
    logger.emit(LogRecord(timestamp=time.time_ns(), context=current, body="payment refused 🚫", **error))
    logger.emit(LogRecord(observed_timestamp=time.time_ns(), body=NESTED, event_name="order.placed"))
    items = memory.get_finished_logs()
    exporter = OTLPLogExporter(endpoint=endpoints["logs"], **options)
    result = exporter.export(items)
    exporter.shutdown()
    scope = items[0].instrumentation_scope
    scoped = {"scope": scope_of(scope), "schemaUrl": scope.schema_url, "logRecords": [log_json(item) for item in items]}
    return result.name, {"resourceLogs": [{"resource": resource_of(RESOURCE), "scopeLogs": [scoped]}]}


traces_result, traces, first_span = send_traces()
metrics_result, metrics = send_metrics(first_span)
logs_result, logs = send_logs(first_span)
results = [traces_result, metrics_result, logs_result]
json.dump({"results": results, "traces": traces, "metrics": metrics, "logs": logs}, sys.stdout)
