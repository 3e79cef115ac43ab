/** Faults: where one is planted, which check finds it, and the words of the error. */
export const PLANTED_FAULTS: {
  file: string;
  from: string;
  to: string;
  caught: "builder" | "schema" | "types" | "policy";
  words: RegExp;
}[] = [
  {
    file: "base/kustomization.yaml",
    from: "network-policies.yaml",
    to: "network-polices.yaml",
    caught: "builder",
    words: /network-polices/,
  },
  {
    file: "base/engine/node.yaml",
    from: "livenessProbe:",
    to: "livenessProb:",
    caught: "types",
    words: /livenessProb\b/,
  },
  {
    file: "base/engine/node.yaml",
    from: "periodSeconds: 10",
    to: 'periodSeconds: "ten"',
    caught: "schema",
    words: /Deployment api/,
  },
  {
    file: "overlays/minikube/autoscaling.yaml",
    from: "averageUtilization",
    to: "averageUtilisation",
    caught: "types",
    words: /averageUtilisation/,
  },
  {
    file: "overlays/production/autoscaling.yaml",
    from: "pollingInterval",
    to: "pollingInterva",
    caught: "types",
    words: /pollingInterva\b/,
  },
  {
    file: "overlays/production/edge.yaml",
    from: "  issuerRef: {",
    to: "  issuer: {",
    caught: "schema",
    words: /Certificate edge/,
  },
  {
    file: "overlays/production/edge.yaml",
    from: "name: api, port: 80",
    to: "name: api, port: 8080",
    caught: "policy",
    words: /leads to api:8080/,
  },
  {
    file: "base/engine/api.yaml",
    from: "targetPort: http",
    to: "targetPort: https",
    caught: "policy",
    words: /Service api sends to port https/,
  },
  {
    file: "base/engine/node.yaml",
    from: "path: /readyz, port: health",
    to: "path: /readyz, port: healthy",
    caught: "policy",
    words: /readinessProbe asks port healthy/,
  },
  {
    file: "base/engine/node.yaml",
    from: 'name: HEALTH_PORT, value: "8081"',
    to: 'name: HEALTH_PORT, value: "8082"',
    caught: "policy",
    words: /HEALTH_PORT is 8082/,
  },
  {
    file: "base/engine/node.yaml",
    from: "readOnlyRootFilesystem: true",
    to: "readOnlyRootFilesystem: false",
    caught: "policy",
    words: /may write its root/,
  },
  {
    file: "base/engine/purchasing.yaml",
    from: "secretName: purchasing",
    to: "secretName: purchase",
    caught: "policy",
    words: /wants Secret purchase,/,
  },
  {
    file: "base/engine/purchasing.yaml",
    from: "purchasing/transaction-secret",
    to: "purchasing/transaction",
    caught: "policy",
    words: /TRANSACTION_SECRET_FILE names/,
  },
  {
    file: "base/servers/certificates.yaml",
    from: "secretName: nats-tls",
    to: "secretName: nats-certificate",
    caught: "policy",
    words: /wants Secret nats-tls,/,
  },
  {
    file: "base/network-policies.yaml",
    from: "app.kubernetes.io/name: migrate } }\n  policy",
    to: "app.kubernetes.io/name: migration } }\n  policy",
    caught: "policy",
    words: /NetworkPolicy migrate selects no pod/,
  },
  {
    file: "base/engine/budgets.yaml",
    from: "app.kubernetes.io/name: ledger }",
    to: "app.kubernetes.io/name: ledgers }",
    caught: "policy",
    words: /ledger has no disruption budget/,
  },
  {
    file: "overlays/minikube/autoscaling.yaml",
    from: "kind: Deployment, name: ledger",
    to: "kind: Deployment, name: legder",
    caught: "policy",
    words: /scales Deployment legder/,
  },
];
