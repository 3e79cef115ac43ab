import { controlRabbitmq } from "../../testing/rabbitmq-control.ts";
import type { Fault } from "../fault.ts";

const AWAY_S = 60;
const ALARM_S = 6;

/**
 * RabbitMQ dies, is down for a minute, then blocks publishers. Purchases continue and are booked
 * afterwards.
 */
export const fault: Fault = {
  id: "F9",
  title: `RabbitMQ: kill -9; down for ${AWAY_S} s; memory alarm`,
  async run({ servers, phase, forSeconds, until, mark }) {
    const rabbitmq = servers.server("rabbitmq");
    const kill = async (): Promise<void> => {
      rabbitmq.kill("SIGKILL");
      await until("RabbitMQ is gone", () => rabbitmq.pid === undefined, 5);
    };
    await phase("killed and started again", async () => {
      await kill();
      await rabbitmq.restart();
    });
    await phase("down", async () => {
      await kill();
      await forSeconds(AWAY_S);
      await rabbitmq.restart();
    });
    await phase("memory alarm: publishers are blocked", async () => {
      await controlRabbitmq(rabbitmq.pid, "set_vm_memory_high_watermark", "0.0000001");
      await forSeconds(ALARM_S);
      await controlRabbitmq(rabbitmq.pid, "set_vm_memory_high_watermark", "0.4");
    });
    mark();
    await forSeconds(2);
  },
  bounds: ({ by, slowestMs }) => [
    ...(by.buy.percent >= 99
      ? []
      : [`${by.buy.percent.toFixed(2)} % of the purchases were answered 201 or 409 instead of 99`]),
    ...(slowestMs <= 2_000 ? [] : [`an answer took ${Math.round(slowestMs)} ms instead of 2,000`]),
  ],
};
