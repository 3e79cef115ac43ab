import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { parseTraceParent } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-base";
import { withTimeout } from "../concurrency/clock.ts";

/** Our own span, or the W3C traceparent of a remote one. An unreadable one counts as none. */
export type SpanName = Span | string;

/**
 * Creates spans of this node and exports them to a collector. Without traces this file and
 * OpenTelemetry are not loaded (moleculer.config.ts). A span names statements, routes, actions and
 * event ids, never a person, a token or a value.
 */
export type Tracing = {
  /**
   * Draws whether to trace a new request. The decision is ours, so that a stranger's header cannot
   * spend our resources.
   */
  sampled(): boolean;
  /** The span of the running code. Undefined outside of a trace and after that span has ended. */
  current(): Span | undefined;
  begin(
    name: string,
    kind: keyof typeof SpanKind,
    more: { parent?: SpanName | undefined; links?: readonly SpanName[]; attributes?: Attributes },
  ): Span;
  /** Runs `work` as part of the span, which stays open. */
  run<T>(span: Span, work: () => T): T;
  /** Runs `work` as part of the span and ends the span with it. */
  within<T>(span: Span, work: () => Promise<T>): Promise<T>;
  /** Ends the span. Of an error only the kind is recorded, because messages may quote values. */
  end(span: Span, error?: unknown): void;
  traceparent(span: Span): string;
  /** Sends the remaining spans, for at most 2 s. */
  close(): Promise<void>;
};

const EXPORT_MS = 3_000;
const CLOSE_MS = 2_000;
/**
 * A batch links to each of its commands, up to this number. A command beyond it still links to its
 * batch.
 */
const LINKS_MAX = 1_000;

/** One per process: a statement finds its span on any of the process's nodes. */
const running = new AsyncLocalStorage<Span>();

/**
 * Opens the export to the OpenTelemetry collector at `url` (without the path). `share` of requests
 * are traced, 0 to 1. `warn` is called once per loss.
 */
export function openTracing(
  { url, share }: { url: string; share: number },
  {
    nodeId,
    services,
    warn,
  }: { nodeId: string; services: readonly string[]; warn: (message: string) => void },
): Tracing {
  const exporter = new OTLPTraceExporter({
    url: `${url.replace(/\/$/, "")}/v1/traces`,
    timeoutMillis: EXPORT_MS,
  });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      "service.name": "boxoffice",
      "service.instance.id": nodeId,
      "boxoffice.services": [...services],
    }),
    sampler: new AlwaysOnSampler(),
    spanLimits: { linkCountLimit: LINKS_MAX },
    spanProcessors: [new BatchSpanProcessor(warnOnLoss(exporter, warn))],
  });
  const tracer = provider.getTracer("boxoffice");

  const end: Tracing["end"] = (span, error) => {
    if (error !== undefined && error !== null) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute("error.type", kindOf(error));
    }
    span.end();
  };
  const run: Tracing["run"] = (span, work) => running.run(span, work);
  return {
    run,
    end,
    sampled: () => Math.random() < share,
    current() {
      const span = running.getStore();
      return span?.isRecording() === true ? span : undefined;
    },
    begin(name, kind, { parent, links = [], attributes = {} }) {
      const above = parent === undefined ? undefined : contextOf(parent);
      const context =
        above === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, above);
      const linked = links.flatMap((link) => contextOf(link) ?? []).map((context) => ({ context }));
      return tracer.startSpan(name, { kind: SpanKind[kind], attributes, links: linked }, context);
    },
    async within(span, work) {
      try {
        const result = await run(span, work);
        end(span);
        return result;
      } catch (error) {
        end(span, error);
        throw error;
      }
    },
    traceparent(span) {
      const { traceId, spanId } = span.spanContext();
      return `00-${traceId}-${spanId}-01`;
    },
    async close() {
      await withTimeout(
        provider.shutdown().catch(() => undefined),
        CLOSE_MS,
      );
    },
  };
}

function contextOf(span: SpanName): SpanContext | undefined {
  return typeof span === "string" ? (parseTraceParent(span) ?? undefined) : span.spanContext();
}

function kindOf(error: unknown): string {
  const { type, code, name } = error as Partial<Record<"type" | "code" | "name", string>>;
  return type ?? code ?? name ?? "error";
}

/** Warns about lost spans, which OpenTelemetry drops silently. */
function warnOnLoss(exporter: SpanExporter, warn: (message: string) => void): SpanExporter {
  let lost = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.error !== undefined && !lost)
          warn(`The collector does not take traces: ${result.error.message}`);
        lost = result.error !== undefined;
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}
