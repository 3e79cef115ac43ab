import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A span in OTLP's JSON, with the node that sent it. */
export type Received = {
  node: string;
  name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  links?: { traceId: string; spanId: string }[];
  attributes: { key: string; value: Record<string, unknown> }[];
  status?: { code?: number };
};

export type Collector = {
  url: string;
  spans: Received[];
  /** All requests as received. */
  text(): string;
  close(): Promise<void>;
};

type Export = {
  resourceSpans: {
    resource: { attributes: Received["attributes"] };
    scopeSpans: { spans: Omit<Received, "node">[] }[];
  }[];
};

/** Replaces an OpenTelemetry collector: takes OTLP over HTTP as JSON and keeps the spans. */
export async function startCollector(): Promise<Collector> {
  const spans: Received[] = [];
  const texts: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (
        request.method !== "POST" ||
        request.url !== "/v1/traces" ||
        request.headers["content-type"] !== "application/json"
      ) {
        response.writeHead(404).end();
        return;
      }
      const text = Buffer.concat(chunks).toString("utf8");
      texts.push(text);
      for (const { resource, scopeSpans } of (JSON.parse(text) as Export).resourceSpans) {
        const node = resource.attributes.find(({ key }) => key === "service.instance.id")?.value
          .stringValue;
        for (const scope of scopeSpans)
          spans.push(...scope.spans.map((span) => ({ ...span, node: String(node) })));
      }
      response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    text: () => texts.join("\n"),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
