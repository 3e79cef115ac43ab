import type { ServerResponse } from "node:http";
import { accepted, type Answer } from "../../../domain/refusal.ts";
import {
  AVAILABILITY_PACE_MS,
  isOlderVersion,
  type AvailabilityUpdate,
} from "../../../lib/availability/availability-event.ts";
import type { Clock } from "../../../lib/concurrency/clock.ts";
import { createThrottle, type Pace } from "../../../lib/concurrency/throttle.ts";
import {
  createStreamGroup,
  newStreamCounts,
  type StreamCounts,
  type StreamGroup,
} from "./sse-channel.ts";

/** Broadcasts may be lost; so often a gateway looks for itself what the watched events have left, so many of them in turn. */
const LOOK_MS = 2_000;
const LOOKED_AT_ONCE = 500;
const HEARTBEAT_MS = 15_000;

export type AvailabilityHub = {
  counts: StreamCounts;
  /** The event's present number is known from here until `join` or `leave`. `find` is asked where nobody watches it yet. Can refuse with what `find` does. */
  enter(
    eventId: string,
    find: () => Promise<Answer<AvailabilityUpdate>>,
  ): Promise<Answer<Watching>>;
  /** What workers and imports tell; what nobody watches is forgotten at once. */
  onUpdate(items: readonly AvailabilityUpdate[]): void;
  /** Ends every stream, and each new one after its first message: clients come back, to another gateway. */
  end(): void;
};

/** One visitor's hold on an event. */
export type Watching = { join(response: ServerResponse): void; leave(): void };

type Channel = {
  left: AvailabilityUpdate | undefined;
  group: StreamGroup;
  pace: Pace;
  visitors: number;
  finding: Promise<Answer<AvailabilityUpdate>> | undefined;
};

/**
 * What is left of the events that somebody watches, pushed to all who watch. A number with a smaller (epoch, batch) than the one shown never shows.
 * `look` reads the present numbers of events, as far as it can. Nothing is kept of an event that nobody watches.
 */
export function createAvailabilityHub(
  look: (eventIds: string[]) => Promise<Answer<{ items: AvailabilityUpdate[] }>>,
  clock: Clock,
): AvailabilityHub {
  const channels = new Map<string, Channel>();
  const counts = newStreamCounts();
  let timers: { cancel(): void }[] = [];
  let unlooked: string[] = [];
  let ended = false;

  const forgetIfLeft = (eventId: string, channel: Channel): void => {
    if (channel.visitors > 0 || channel.group.size > 0 || channels.get(eventId) !== channel) return;
    channel.pace.stop();
    channels.delete(eventId);
    if (channels.size > 0) return;
    for (const timer of timers) timer.cancel();
    timers = [];
  };
  const show = (left: AvailabilityUpdate): void => {
    const channel = channels.get(left.eventId);
    if (channel === undefined || (channel.left !== undefined && isOlderVersion(left, channel.left)))
      return;
    const news = channel.left?.available !== left.available;
    channel.left = left;
    if (news) channel.pace.schedule(left.available === 0);
  };
  const open = (eventId: string): Channel => {
    const group = createStreamGroup(
      counts,
      () => forgetIfLeft(eventId, channel),
      () => clock.nowMs(),
    );
    const pace = createThrottle(
      AVAILABILITY_PACE_MS,
      clock,
      () => channel.left && group.send(messageOf(channel.left)),
    );
    const channel: Channel = { left: undefined, group, pace, visitors: 0, finding: undefined };
    channels.set(eventId, channel);
    if (timers.length === 0)
      timers = [every(clock, LOOK_MS, lookAtSome), every(clock, HEARTBEAT_MS, beat)];
    return channel;
  };
  const lookAtSome = async (): Promise<void> => {
    if (unlooked.length === 0) unlooked = [...channels.keys()];
    const answer = await look(unlooked.splice(0, LOOKED_AT_ONCE));
    if (answer.ok) for (const left of answer.value.items) show(left);
  };
  const beat = (): void => {
    for (const { group } of channels.values()) group.beat();
  };

  return {
    counts,
    async enter(eventId, find) {
      const channel = channels.get(eventId) ?? open(eventId);
      channel.visitors += 1;
      const leave = (): void => {
        channel.visitors -= 1;
        forgetIfLeft(eventId, channel);
      };
      try {
        if (channel.left === undefined) {
          const found = await (channel.finding ??= find());
          channel.finding = undefined;
          if (found.ok) show(found.value);
          else if (channel.left === undefined) {
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
      for (const left of items) show(left);
    },
    end() {
      ended = true;
      for (const { group } of channels.values()) group.end();
    },
  };
}

/** Made once for all who watch. */
function messageOf({ eventId, available }: AvailabilityUpdate): Buffer {
  return Buffer.from(`event: availability\ndata: ${JSON.stringify({ eventId, available })}\n\n`);
}

/** Again and again, each time after the last is done; a failure is as good as nothing found. */
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
        .catch(() => undefined)
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
