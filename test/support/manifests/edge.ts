import type { Manifest } from "./build.ts";

/** The entry points of Traefik's Helm chart: a listener's port must be one of them. */
const ENTRY_POINTS: Readonly<Record<string, readonly [port: number, protocol: string][]>> = {
  traefik: [
    [8000, "HTTP"],
    [8443, "HTTPS"],
  ],
};
const ANNOTATIONS = ["cert-manager.io/cluster-issuer", "cert-manager.io/issuer"];

type Parent = { kind?: string; name: string; sectionName?: string };
type Listener = {
  name: string;
  port: number;
  protocol: string;
  tls?: { certificateRefs?: { name: string }[] };
};
type Gateway = { gatewayClassName: string; listeners: Listener[] };
type Route = {
  parentRefs: Parent[];
  rules: {
    matches?: { path?: { type: string; value: string } }[];
    filters?: { type: string; requestRedirect?: { scheme?: string } }[];
  }[];
};
type Solver = { http01?: { gatewayHTTPRoute?: { parentRefs?: Parent[] } } };

/** Checks the way in: listeners, redirects, and how the certificate is proved and owned. */
export function edgeErrors(manifests: readonly Manifest[]): string[] {
  const specs = <Spec>(kind: string): [name: string, spec: Spec][] =>
    manifests
      .filter((one) => one.kind === kind)
      .map(({ metadata, spec }) => [metadata.name, spec as Spec]);
  const gateways = specs<Gateway>("Gateway");
  const routes = specs<Route>("HTTPRoute");
  const listenerOf = ({ name, sectionName }: Parent): Listener | undefined =>
    gateways
      .find(([gateway]) => gateway === name)?.[1]
      .listeners.find((listener) => listener.name === sectionName);
  const errors: string[] = [...certificateOwners(manifests)];
  for (const [name, { gatewayClassName, listeners }] of gateways) {
    for (const { port, protocol } of listeners)
      if (
        !(ENTRY_POINTS[gatewayClassName] ?? []).some(
          ([entry, speaks]) => entry === port && speaks === protocol,
        )
      )
        errors.push(
          `Gateway ${name}: ${gatewayClassName} has no entry point ${port} (${protocol})`,
        );
    const redirected = routes.some(
      ([, { parentRefs, rules }]) =>
        parentRefs.some((parent) => listenerOf(parent)?.protocol === "HTTP") &&
        rules.some(({ filters = [] }) =>
          filters.some(({ requestRedirect }) => requestRedirect?.scheme === "https"),
        ),
    );
    if (!redirected) errors.push(`Gateway ${name} leads nothing from HTTP to HTTPS`);
  }
  for (const [name, { parentRefs, rules }] of routes)
    for (const parent of parentRefs) {
      const listener = listenerOf(parent);
      if (listener === undefined)
        errors.push(`HTTPRoute ${name} hangs on ${parent.name}/${parent.sectionName}`);
      else if (listener.protocol === "HTTP")
        errors.push(...(rules.some(isOpen) ? [`HTTPRoute ${name} serves /api by HTTP`] : []));
      else if (rules.some(({ filters }) => filters?.some((one) => one.requestRedirect)))
        errors.push(`HTTPRoute ${name} redirects HTTPS to itself`);
    }
  for (const [name, { acme }] of specs<{ acme?: { solvers: Solver[] } }>("Issuer"))
    for (const { http01 } of acme?.solvers ?? [])
      for (const parent of http01?.gatewayHTTPRoute?.parentRefs ?? [])
        if (listenerOf(parent)?.protocol !== "HTTP")
          errors.push(`Issuer ${name} answers challenges on no listener of HTTP`);
  return errors;
}

/** Whether a rule serves or redirects the API's paths. */
const isOpen = ({ matches = [{}] }: Route["rules"][number]): boolean =>
  matches.some(
    ({ path = { type: "PathPrefix", value: "/" } }) =>
      (path.type === "PathPrefix" && path.value === "/") || path.value.startsWith("/api"),
  );

/** Checks that one object alone writes each secret, and that the listeners' secrets are written. */
function certificateOwners(manifests: readonly Manifest[]): string[] {
  const owners = manifests.flatMap(
    ({ kind, metadata, spec }): [secret: string, owner: string][] => {
      const title = `${kind} ${metadata.name}`;
      if (kind === "Secret") return [[metadata.name, title]];
      if (kind === "Certificate") return [[(spec as { secretName: string }).secretName, title]];
      if (kind === "ExternalSecret")
        return [[(spec as { target?: { name?: string } }).target?.name ?? metadata.name, title]];
      const { annotations = {} } = metadata;
      if (!ANNOTATIONS.some((name) => name in annotations)) return [];
      const { listeners = [], tls = [] } = spec as {
        listeners?: Listener[];
        tls?: { secretName: string }[];
      };
      const named = [
        ...listeners.flatMap((one) => one.tls?.certificateRefs ?? []).map(({ name }) => name),
        ...tls.map(({ secretName }) => secretName),
      ];
      return named.map((secret) => [secret, title]);
    },
  );
  const bySecret = Map.groupBy(owners, ([secret]) => secret);
  const shared = [...bySecret]
    .filter(([, of]) => of.length > 1)
    .map(
      ([secret, of]) => `Secret ${secret} is written by ${of.map(([, by]) => by).join(" and ")}`,
    );
  const missing = manifests
    .filter(({ kind }) => kind === "Gateway")
    .flatMap(({ spec }) => (spec as Gateway).listeners)
    .flatMap(({ tls }) => tls?.certificateRefs ?? [])
    .filter(({ name }) => !bySecret.has(name))
    .map(({ name }) => `Secret ${name} of a listener is written by nothing`);
  return [...shared, ...missing];
}
