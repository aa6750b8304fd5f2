/**
 * @module The live feed: what happened, for whoever watches. Events of 50 ms travel in one frame; a subscriber that does not keep up
 * loses events, is told how many, and never slows anything down.
 */
import type { JsonValue } from '@countersign/kernel';
import type { Feed, FeedEvent, Ports } from '@countersign/pipeline';
import { GATEWAY_LIMITS } from './limits.ts';

/** Where frames go: a socket or a response. */
export interface FeedSink {
  /** Writes one frame: JSON text without line breaks. */
  send(frame: string): void;
  /** Bytes written and not yet taken by the peer. */
  unreadBytes(): number;
}

export interface FeedLimits {
  readonly intervalMs: number;
  readonly queueMax: number;
  readonly subscribersMax: number;
  readonly unreadBytesMax: number;
}

export interface FeedHub extends Feed {
  /** Sends `org`'s events (all orgs' when absent) to `sink` until the returned function is called; undefined when too many watch. */
  subscribe(sink: FeedSink, org?: string): (() => void) | undefined;
  /** Subscribers now, and events dropped for slow ones so far. */
  readonly subscribers: number;
  readonly dropped: number;
}

interface Subscriber {
  readonly sink: FeedSink;
  readonly org: string | undefined;
  readonly waiting: FeedEvent[];
  dropped: number;
}

const DEFAULTS: FeedLimits = {
  intervalMs: GATEWAY_LIMITS.feedIntervalMs,
  queueMax: GATEWAY_LIMITS.feedQueueMax,
  subscribersMax: GATEWAY_LIMITS.feedSubscribersMax,
  unreadBytesMax: GATEWAY_LIMITS.feedUnreadBytesMax,
};

/** Queues an event for whoever may see it; false when it had to be dropped. */
function offer(subscriber: Subscriber, event: FeedEvent, queueMax: number): boolean {
  if (subscriber.org !== undefined && subscriber.org !== event.org) return true;
  if (subscriber.waiting.length < queueMax) {
    subscriber.waiting.push(event);
    return true;
  }
  subscriber.dropped += 1;
  return false;
}

/** A hub without subscribers; it runs a timer only while someone watches and something happened. */
export function createFeedHub(timer: Ports['timer'], limits: Partial<FeedLimits> = {}): FeedHub {
  const bounds = { ...DEFAULTS, ...limits };
  const subscribers = new Set<Subscriber>();
  let armed = false;
  let dropped = 0;

  function deliver(subscriber: Subscriber, texts: Map<FeedEvent, string>): void {
    if (subscriber.waiting.length === 0 || subscriber.sink.unreadBytes() > bounds.unreadBytesMax) return;
    const parts = subscriber.waiting.splice(0).map((event) => texts.get(event) ?? JSON.stringify(event));
    const lost = subscriber.dropped;
    subscriber.dropped = 0;
    subscriber.sink.send(`{"dropped":${lost},"events":[${parts.join(',')}]}`);
  }

  function tick(): void {
    armed = false;
    // An event is turned into text once, however many watch.
    const texts = new Map<FeedEvent, string>();
    for (const subscriber of subscribers) {
      for (const event of subscriber.waiting) if (!texts.has(event)) texts.set(event, JSON.stringify(event));
    }
    let waiting = false;
    for (const subscriber of subscribers) {
      try {
        deliver(subscriber, texts);
      } catch {
        // A sink that throws is gone; whoever watches has to subscribe again.
        subscribers.delete(subscriber);
      }
      waiting ||= subscriber.waiting.length > 0;
    }
    if (waiting) arm();
  }

  function arm(): void {
    if (armed) return;
    armed = true;
    timer.after(bounds.intervalMs, tick);
  }

  return {
    publish(event: FeedEvent): void {
      if (subscribers.size === 0) return;
      for (const subscriber of subscribers) if (!offer(subscriber, event, bounds.queueMax)) dropped += 1;
      arm();
    },
    subscribe(sink: FeedSink, org?: string): (() => void) | undefined {
      if (subscribers.size >= bounds.subscribersMax) return undefined;
      const subscriber: Subscriber = { sink, org, waiting: [], dropped: 0 };
      subscribers.add(subscriber);
      return () => void subscribers.delete(subscriber);
    },
    get subscribers(): number {
      return subscribers.size;
    },
    get dropped(): number {
      return dropped;
    },
  };
}

/** A frame as the hub sends it. */
export interface FeedFrame {
  /** Events lost since the frame before. */
  readonly dropped: number;
  readonly events: readonly (FeedEvent & { readonly data: JsonValue })[];
}
