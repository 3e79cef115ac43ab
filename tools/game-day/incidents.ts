import type { Edit } from "../testing/mutated-copy.ts";
import { freezeProcess } from "../testing/freeze-process.ts";
import type { World } from "../chaos/test-bed.ts";
import type { LoadKind } from "./load.ts";

/** An incident that someone must be woken for. */
export type Incident = {
  id: string;
  title: string;
  /** The alert that must page. Any other page is wrong. */
  page: string;
  /** What customers do meanwhile. Default: everything. */
  load?: readonly LoadKind[];
  /** Makes it happen. Returns what undoes it. */
  strike(world: World): Promise<() => Promise<unknown>>;
};

type Server = Parameters<World["servers"]["server"]>[0];

const stopped = (server: Server) => async (world: World) => {
  await world.servers.server(server).stop();
  return () => world.servers.server(server).restart();
};

/** An event that does not exist. The gateways of a game day throw when it is asked for. */
const CURSED_EVENT = "00000000-0000-4000-8000-00000000dead";

/** Planted in the copy of the code that the gateways run: a fault of the program. */
export const PLANTED: readonly Edit[] = [
  [
    "services/api/routes/catalog.routes.ts",
    'call: ({ params }, bus) => bus.call("catalog.get", params),',
    `call: ({ params }, bus) => {
      if (params.eventId === "${CURSED_EVENT}") throw new TypeError("planted by the game day");
      return bus.call("catalog.get", params);
    },`,
  ],
];

export const INCIDENTS: readonly Incident[] = [
  {
    id: "postgres-stopped",
    title: "PostgreSQL is stopped",
    page: "PostgresDown",
    strike: stopped("postgres"),
  },
  {
    id: "postgres-frozen",
    title: "PostgreSQL is frozen (SIGSTOP), while people only search",
    page: "PostgresDown",
    load: ["searches"],
    async strike({ servers }) {
      const { pid } = servers.server("postgres");
      if (pid === undefined) throw new Error("PostgreSQL does not run");
      freezeProcess(pid, true);
      return async () => freezeProcess(pid, false);
    },
  },
  { id: "redis-down", title: "Redis is stopped", page: "RedisDown", strike: stopped("redis") },
  {
    id: "rabbitmq-down",
    title: "RabbitMQ is stopped",
    page: "RabbitmqDown",
    strike: stopped("rabbitmq"),
  },
  { id: "nats-down", title: "NATS is stopped", page: "NatsDown", strike: stopped("nats") },
  {
    id: "gateway-gone",
    title: "one of two gateways is killed",
    page: "NodeDown",
    async strike({ cluster }) {
      const [, gateway] = cluster.of("api");
      gateway?.kill("SIGKILL");
      await gateway?.ended();
      return () => cluster.heal();
    },
  },
  {
    id: "postgres-read-only",
    title: "PostgreSQL takes no writes, as a standby or after an operator's command",
    page: "PostgresReadOnly",
    async strike({ database }) {
      const set = async (value: "on" | "off"): Promise<void> => {
        await database.query({ text: `ALTER SYSTEM SET default_transaction_read_only = ${value}` });
        await database.query({ text: "SELECT pg_reload_conf()" });
      };
      await set("on");
      return () => set("off");
    },
  },
  {
    id: "exception",
    title: "an exception of the program, caught at the top of a request",
    page: "FaultsThrown",
    async strike({ sender, cluster }) {
      const url = cluster.of("api")[0]?.url ?? "";
      const reply = await sender.send(url, { method: "GET", path: `/api/events/${CURSED_EVENT}` });
      if (reply.type !== "answered" || reply.status !== 500)
        throw new Error(`The planted fault was answered ${JSON.stringify(reply)}`);
      return () => Promise.resolve();
    },
  },
];
