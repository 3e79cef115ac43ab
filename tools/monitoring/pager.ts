import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** One alert of a notification of Alertmanager's webhook. */
export type Notice = {
  /** page, ticket or heartbeat. */
  receiver: string;
  alert: string;
  status: "firing" | "resolved";
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** When it came, in milliseconds of the monotonic clock. */
  atMs: number;
};
export type Pager = { url: string; notices: readonly Notice[]; close(): Promise<void> };

type Body = {
  receiver: string;
  alerts: Pick<Notice, "status" | "labels" | "annotations">[];
};

/** Opens the telephone of the person on call: it keeps what Alertmanager sends. */
export async function openPager(): Promise<Pager> {
  const notices: Notice[] = [];
  const server = createServer((request, response) => {
    void json(request)
      .then((body) => {
        const { receiver, alerts } = body as Body;
        for (const { status, labels, annotations } of alerts)
          notices.push({
            receiver,
            alert: labels.alertname ?? "",
            status,
            labels,
            annotations,
            atMs: performance.now(),
          });
        response.writeHead(200).end();
      })
      .catch(() => response.writeHead(400).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    notices,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
