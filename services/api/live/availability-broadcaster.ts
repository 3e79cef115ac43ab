import type { ServerResponse } from "node:http";
import { Errors } from "moleculer";
import { accepted, type Answer } from "../../../domain/refusal.ts";
import {
  AVAILABILITY_PACE_MS,
  isOlderVersion,
  type AvailabilityUpdate,
} from "../../../lib/availability/availability-cache.ts";
import type { Clock } from "../../../lib/concurrency/clock.ts";
import { createThrottle, type Pace } from "../../../lib/concurrency/throttle.ts";
import {
  createStreamGroup,
  newStreamCounts,
  type StreamCounts,
  type StreamGroup,
} from "./sse-channel.ts";
import { noteFault } from "../../../lib/observability/faults.ts";

/** Broadcasts can be lost, so the gateway polls the watched events, some at a time. */
const POLL_MS = 2_000;
const POLL_EVENTS_MAX = 500;
const HEARTBEAT_MS = 15_000;

export type AvailabilityHub = {
  counts: StreamCounts;
  /**
   * Opens the event's channel, and keeps it until `join` or `leave`. Calls `find` if no client
   * watches the event yet. Can refuse with what `find` refuses with.
   */
  enter(
    eventId: string,
    find: () => Promise<Answer<AvailabilityUpdate>>,
  ): Promise<Answer<Watching>>;
  /** Takes updates of workers and imports. Drops those of events without a client. */
  onUpdate(items: readonly AvailabilityUpdate[]): void;
  /** Ends every stream, and new ones after their first message. Clients reconnect elsewhere. */
  end(): void;
};

/** A hold on an event's channel, for one client. */
export type Watching = { join(response: ServerResponse): void; leave(): void };

type Channel = {
  update: AvailabilityUpdate | undefined;
  group: StreamGroup;
  pace: Pace;
  /** Clients between `enter` and `join`. */
  entering: number;
  finding: Promise<Answer<AvailabilityUpdate>> | undefined;
};

/**
 * Pushes availability and status of watched events to their clients. Never replaces a version by
 * an older one (epoch, batch). `poll` reads the present numbers. Keeps nothing of an event without
 * a client.
 */
export function createAvailabilityHub(
  poll: (eventIds: string[]) => Promise<Answer<{ items: AvailabilityUpdate[] }>>,
  clock: Clock,
): AvailabilityHub {
  const channels = new Map<string, Channel>();
  const counts = newStreamCounts();
  let timers: { cancel(): void }[] = [];
  let unpolled: string[] = [];
  let ended = false;

  const closeIfUnwatched = (eventId: string, channel: Channel): void => {
    if (channel.entering > 0 || channel.group.size > 0 || channels.get(eventId) !== channel) return;
    channel.pace.stop();
    channels.delete(eventId);
    if (channels.size > 0) return;
    for (const timer of timers) timer.cancel();
    timers = [];
  };
  const show = (update: AvailabilityUpdate): void => {
    const channel = channels.get(update.eventId);
    if (
      channel === undefined ||
      (channel.update !== undefined && isOlderVersion(update, channel.update))
    )
      return;
    const status = update.status ?? channel.update?.status;
    const hasNewStatus = channel.update?.status !== status;
    const changed = hasNewStatus || channel.update?.available !== update.available;
    channel.update = status === undefined ? update : { ...update, status };
    if (changed) channel.pace.schedule(hasNewStatus || update.available === 0);
  };
  const open = (eventId: string): Channel => {
    const group = createStreamGroup(
      counts,
      () => closeIfUnwatched(eventId, channel),
      () => clock.nowMs(),
    );
    const pace = createThrottle(
      AVAILABILITY_PACE_MS,
      clock,
      () => channel.update && group.send(messageOf(channel.update)),
    );
    const channel: Channel = { update: undefined, group, pace, entering: 0, finding: undefined };
    channels.set(eventId, channel);
    if (timers.length === 0)
      timers = [every(clock, POLL_MS, pollSome), every(clock, HEARTBEAT_MS, beat)];
    return channel;
  };
  const pollSome = async (): Promise<void> => {
    if (unpolled.length === 0) unpolled = [...channels.keys()];
    const answer = await poll(unpolled.splice(0, POLL_EVENTS_MAX));
    if (answer.ok) for (const update of answer.value.items) show(update);
  };
  const beat = (): void => {
    for (const { group } of channels.values()) group.beat();
  };

  return {
    counts,
    async enter(eventId, find) {
      const channel = channels.get(eventId) ?? open(eventId);
      channel.entering += 1;
      const leave = (): void => {
        channel.entering -= 1;
        closeIfUnwatched(eventId, channel);
      };
      try {
        if (channel.update === undefined) {
          const found = await (channel.finding ??= find());
          channel.finding = undefined;
          if (found.ok) show(found.value);
          else if (channel.update === undefined) {
            leave();
            return found;
          }
        }
      } catch (error) {
        channel.finding = undefined;
        leave();
        throw error;
      }
      return accepted({
        leave,
        join(response) {
          channel.group.add(response);
          leave();
          if (ended) response.end();
        },
      });
    },
    onUpdate(items) {
      for (const update of items) show(update);
    },
    end() {
      ended = true;
      for (const { group } of channels.values()) group.end();
    },
  };
}

/** Encoded once for all clients of the event. */
function messageOf({ eventId, status, available }: AvailabilityUpdate): Buffer {
  const data = JSON.stringify({ eventId, status, available });
  return Buffer.from(`event: availability\ndata: ${data}\n\n`);
}

/** Repeats the work until cancelled, each run after the last one has ended. */
function every(
  clock: Clock,
  everyMs: number,
  work: () => Promise<void> | void,
): { cancel(): void } {
  let stopped = false;
  let timer: { cancel(): void };
  const schedule = (): void => {
    timer = clock.after(everyMs, () => {
      void Promise.resolve()
        .then(work)
        .catch((error: unknown) => {
          // A service that is away or late is no fault.
          if (!(error instanceof Errors.MoleculerError))
            noteFault("timer", error, "A poll of watched events failed");
        })
        .finally(() => {
          if (!stopped) schedule();
        });
    });
  };
  schedule();
  return {
    cancel() {
      stopped = true;
      timer.cancel();
    },
  };
}
