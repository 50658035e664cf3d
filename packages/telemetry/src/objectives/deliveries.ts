/** Carries notifications out: one POST each, in the background; what became of it is a value of a source. URLs are never said. */
import type { Clock } from "@flotilla/ambient";
import type { Api, Source } from "@flotilla/client";
import { type ObjectiveAddress, Secrets } from "@flotilla/objects";
import { forgetOthers, keyOfId } from "./measurements.ts";
import { type Deliveries, type Delivery, deliveryKey, type Notification } from "./notification.ts";
import { alertmanagerPayload, slackPayload, webhookPayload } from "./payloads.ts";

/** The name by which the effect is known to the runner. */
export const notifyName = "notify-alert";

/** The part of `fetch` that is used. */
export type Post = (
  url: string,
  init: { method: "POST"; headers: Record<string, string>; body: string; redirect: "manual"; signal: AbortSignal },
) => Promise<{ readonly status: number; readonly body?: { cancel(): Promise<void> } | null }>;

/** Milliseconds for one try. */
const patience = 10_000;
/** More wait for the next look. */
const mostAtOnce = 64;

/** The receiver will not take it, however often it is tried. */
class RefusedError extends Error {}

export interface AlertDeliveries {
  readonly source: Source<Deliveries>;
  /** The effect: its argument is a Notification. Returns before it is delivered; one that is under way is not begun again. */
  notify(effect: unknown): Promise<void>;
  /** Ends what is under way. */
  stop(): Promise<void>;
}

async function urlOf({ url, secret = "", key = "" }: ObjectiveAddress, namespace: string, api: Pick<Api, "get">) {
  if (url !== undefined) return url;
  const { data } = await api.get(Secrets, { namespace, name: secret });
  const value = data?.[key];
  if (value === undefined) throw new Error(`secret ${namespace}/${secret} has no key ${key}`);
  return Buffer.from(value, "base64").toString("utf8").trim();
}

/** Alertmanager's API below the address of its page. */
const alertsOf = (url: string): string => `${url.replace(/\/+$/, "")}/api/v2/alerts`;

function requestOf(notification: Notification, now: number): [ObjectiveAddress, object] {
  const { receiver } = notification;
  if (receiver.slack) return [receiver.slack, slackPayload(notification)];
  if (receiver.alertmanager) return [receiver.alertmanager, alertmanagerPayload(notification, now)];
  return [receiver.webhook ?? {}, webhookPayload(notification)];
}

export function alertDeliveries(options: { api: Pick<Api, "get">; clock: Clock; post: Post }): AlertDeliveries {
  const { api, clock, post } = options;
  const known = new Map<string, Deliveries>();
  const underWay = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  let set: ((id: string, value: Deliveries | undefined) => void) | undefined;

  const note = (notification: Notification, delivery: Delivery) => {
    const key = deliveryKey(notification.labels.severity ?? "", notification.receiver);
    const all = { ...known.get(notification.objective), [key]: delivery };
    forgetOthers(known, notification.objective);
    known.set(notification.objective, all);
    set?.(notification.objective, all);
  };

  const send = async (notification: Notification): Promise<void> => {
    const [address, body] = requestOf(notification, clock.now());
    const base = await urlOf(address, notification.namespace, api);
    const url = notification.receiver.alertmanager ? alertsOf(base) : base;
    if (!URL.canParse(url)) throw new RefusedError("its address is no URL");
    const late = new AbortController();
    const cancel = clock.after(patience, () => late.abort());
    try {
      const answer = await post(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        redirect: "manual",
        signal: AbortSignal.any([late.signal, stopping.signal]),
      });
      await answer.body?.cancel();
      const { status } = answer;
      if (status >= 200 && status < 300) return;
      if (status >= 400 && status < 500 && status !== 408 && status !== 429)
        throw new RefusedError(`it answered with ${status}`);
      throw new Error(`it answered with ${status}`);
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      if (late.signal.aborted) throw new Error(`it did not answer within ${patience / 1000} s`);
      throw error;
    } finally {
      cancel();
    }
  };

  const deliver = async (notification: Notification): Promise<void> => {
    const key = deliveryKey(notification.labels.severity ?? "", notification.receiver);
    try {
      await send(notification);
      if (!stopping.signal.aborted)
        note(notification, { told: { state: notification.state, at: clock.now() }, failures: 0 });
    } catch (error) {
      if (stopping.signal.aborted) return;
      const before = known.get(notification.objective)?.[key];
      note(notification, {
        ...(before?.told && { told: before.told }),
        failures: (before?.failures ?? 0) + 1,
        failedAt: clock.now(),
        message: withoutUrl(error),
        refused: error instanceof RefusedError,
      });
    }
  };

  return {
    source: {
      name: "alert-deliveries",
      start(found) {
        set = found;
        for (const [id, value] of known) found(id, value);
      },
      keys: (id) => [keyOfId(id)],
    },
    async notify(effect) {
      const notification = effect as Notification;
      const { objective, labels, receiver } = notification;
      const id = `${objective} ${deliveryKey(labels.severity ?? "", receiver)}`;
      if (stopping.signal.aborted || underWay.has(id) || underWay.size >= mostAtOnce) return;
      const work = deliver(notification).finally(() => underWay.delete(id));
      underWay.set(id, work);
    },
    async stop() {
      stopping.abort();
      await Promise.all(underWay.values());
    },
  };
}

/** Errors of connections name host and port in their cause, of which only the code is said: the path of a webhook is its key. */
function withoutUrl(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string }; message?: string };
  if (cause?.code) return `it cannot be reached (${cause.code})`;
  const text = message ?? String(error);
  return /https?:\/\//i.test(text) ? "it cannot be reached" : text;
}
