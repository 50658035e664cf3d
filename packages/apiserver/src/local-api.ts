/** The API for those who live in the same process: no encoding, no copies on the way out, the same rules as for everybody. */
import type { Api, WatchEvent, WatchOptions, Write } from "@flotilla/client";
import { badRequest, type KubeObject, type Resource } from "@flotilla/objects";
import type { Change, Registry, RequestContext } from "./registry.ts";

/** What it hands out is shared: never change it. */
export function localApi(registry: Registry, context: RequestContext): Api {
  return {
    // Asynchronous, so that a refusal is a rejection as it is over HTTP.
    async get<T extends KubeObject>(resource: Resource<T>, key: { namespace?: string; name: string }) {
      return registry.get(resource, key) as T;
    },
    async list<T extends KubeObject>(resource: Resource<T>, options = {}) {
      const list = registry.list(resource, options);
      return { ...list, items: list.items as T[] };
    },
    watch: <T extends KubeObject>(resource: Resource<T>, options: WatchOptions = {}) => ({
      [Symbol.asyncIterator]: () => follow<T>(registry, resource, options),
    }),
    async write<T extends KubeObject>(write: Write<T>) {
      const from = { ...context, fieldManager: write.fieldManager ?? context.fieldManager };
      return (await send(registry, write, { ...from, dryRun: write.dryRun ?? context.dryRun })) as T;
    },
  };
}

async function send(registry: Registry, write: Write, context: RequestContext): Promise<KubeObject> {
  const { resource } = write;
  switch (write.verb) {
    case "create": {
      const { namespace, name } = write.object.metadata;
      const { subresource } = write;
      return registry.create(
        { resource, namespace, ...(subresource ? { name, subresource } : {}) },
        write.object,
        context,
      );
    }
    case "update": {
      const { namespace, name } = write.object.metadata;
      const { subresource } = write;
      return (await registry.update({ resource, namespace, name, subresource }, write.object, context)).object;
    }
    case "patch": {
      const { namespace, name, subresource, type, force } = write;
      return (
        await registry.patch({ resource, namespace, name, subresource }, { type, body: write.patch, force }, context)
      ).object;
    }
    case "delete": {
      const { namespace, name, preconditions, propagationPolicy, gracePeriodSeconds } = write;
      const options = { preconditions, propagationPolicy, gracePeriodSeconds };
      return (await registry.delete({ resource, namespace, name }, options, context)).object;
    }
    default:
      throw badRequest(`unknown verb ${JSON.stringify((write as { verb: unknown }).verb)}`);
  }
}

/** Events wait in memory until they are asked for; the stream is closed when the consumer leaves or its signal fires. */
function follow<T extends KubeObject>(
  registry: Registry,
  resource: Resource,
  options: WatchOptions,
): AsyncIterator<WatchEvent<T>> {
  const queue: Change[] = [];
  let waiting: { resolve(result: IteratorResult<WatchEvent<T>>): void; reject(error: unknown): void } | undefined;
  let ended: { error?: unknown } | undefined;
  let close: (() => void) | undefined;

  const end = (error?: unknown) => {
    if (ended) return;
    ended = { error };
    close?.();
    options.signal?.removeEventListener("abort", abort);
    answer();
  };
  const abort = () => {
    queue.length = 0;
    end();
  };
  const answer = () => {
    if (!waiting) return;
    const { resolve, reject } = waiting;
    const change = queue.shift();
    if (change) resolve({ done: false, value: change as WatchEvent<T> });
    else if (!ended) return;
    else if (ended.error !== undefined) {
      reject(ended.error);
      ended = {};
    } else resolve({ done: true, value: undefined });
    waiting = undefined;
  };

  if (options.signal?.aborted) ended = {};
  else {
    options.signal?.addEventListener("abort", abort, { once: true });
    try {
      const stream = registry.watch(resource, options, {
        next(change) {
          queue.push(change);
          answer();
        },
        end,
      });
      close = () => stream.close();
    } catch (error) {
      end(error);
    }
  }

  return {
    next: () =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        answer();
      }),
    async return() {
      abort();
      return { done: true, value: undefined };
    },
  };
}
