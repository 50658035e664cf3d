import { describe, expect, test } from "vitest";
import { labelName, metricName, openMetricsText, unitName } from "./names.ts";

// Expectations as in prometheus/otlptranslator, metric_namer_test.go and label_namer_test.go.
describe("metric names", () => {
  test.each([
    ["http.server.request.duration", "s", "plain", "http_server_request_duration_seconds"],
    ["system.io", "By", "counter", "system_io_bytes_total"],
    ["network_transmitted_bytes_total", "By", "counter", "network_transmitted_bytes_total"],
    ["network.io", "By/s", "gauge", "network_io_bytes_per_second"],
    ["hw.gpu.memory.utilization", "1", "gauge", "hw_gpu_memory_utilization_ratio"],
    ["hw.fan.speed_ratio", "1", "gauge", "hw_fan_speed_ratio"],
    ["queue.messages", "{messages}", "plain", "queue_messages"],
    ["active.connections", "1", "plain", "active_connections"],
    ["broken.metric.speed.km/h", "km/h", "gauge", "broken_metric_speed_km_h_per_hour"],
    ["a__b..c", "", "plain", "a_b_c"],
    ["5xx", "", "counter", "_5xx_total"],
    ["unsupported.temperature", "°F", "gauge", "unsupported_temperature_F"],
    ["cpu:seconds", "", "plain", "cpu:seconds"],
    ["字符", "", "plain", ""],
  ] as const)("%s in %s, %s: %s", (name, unit, type, expected) => expect(metricName(name, unit, type)).toBe(expected));
});

describe("label names", () => {
  test.each([
    ["http.request.method", "http_request_method"],
    ["123label", "key_123label"],
    ["_underscore", "key_underscore"],
    ["_under.score", "key_under_score"],
    ["__reserved", "__reserved"],
    ["label:with:colons", "label_with_colons"],
    ["ようこそ", ""],
    ["", ""],
  ])("%s: %s", (name, expected) => expect(labelName(name)).toBe(expected));
});

test.each([
  ["By/s", "bytes_per_second"],
  ["s", "seconds"],
  ["1", ""],
  ["{requests}", ""],
])("the unit %s is %s", (unit, expected) => expect(unitName(unit)).toBe(expected));

test.each([
  [0.005, "0.005"],
  [1, "1.0"],
  [1e21, "1e+21"],
  [1e-7, "1e-07"],
  [2500000, "2.5e+06"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [-0.5, "-0.5"],
])("the bound %d is %s where it was scraped", (value, text) => expect(openMetricsText(value)).toBe(text));
