/** What our own server and its clients have in common. */

export const telemetryPrefix = "/api/telemetry/v1/";

/** From the server's JSON to OTLP's messages: numbers that JSON does not have are text there. Changes what it is given. */
export function fromWire(value: unknown): unknown {
  if (Array.isArray(value)) value.forEach(fromWire);
  else if (typeof value === "object" && value !== null) {
    const members = value as Record<string, unknown>;
    for (const [name, member] of Object.entries(members))
      if (name === "doubleValue" && typeof member === "string") members[name] = Number(member);
      else fromWire(member);
  }
  return value;
}
