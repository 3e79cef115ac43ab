// Operators of PostgreSQL, RabbitMQ and secrets as components beside the plain stateful sets: each
// passes the schemas, leaves no name that leads nowhere, and a planted fault is found.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse, stringify } from "yaml";
import {
  build,
  copyManifests,
  findBuilder,
  type Manifest,
  plant,
} from "../support/manifests/build.ts";
import { isOperators, operatorErrors } from "../support/manifests/operators.ts";
import { policyErrors } from "../support/manifests/policy.ts";
import { schemaErrors, typeErrors } from "../support/manifests/schemas.ts";
import { productionErrors } from "../support/manifests/scheduling.ts";
import { workloadsOf } from "../support/manifests/workloads.ts";
import { tlsErrors } from "../support/manifests/least-privilege.ts";
import { documentedVersions, versionErrors } from "../support/manifests/versions.ts";

const builder = findBuilder();
const skip = builder === undefined ? "neither kubectl nor kustomize is installed" : false;
type Kustomization = { components: string[]; secretGenerator?: { name: string }[] };

describe("operators as components", { skip }, () => {
  let folder: string;
  let kubernetes: string;
  let plain: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "boxoffice-operators-"));
    kubernetes = copyManifests(folder);
    file = join(kubernetes, "overlays", "production", "kustomization.yaml");
    plain = readFileSync(file, "utf8");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function withComponent(
    name: string,
    change: (kustomization: Kustomization) => void = () => undefined,
  ): Manifest[] {
    const kustomization = parse(plain) as Kustomization;
    kustomization.components.push(`../../components/${name}`);
    change(kustomization);
    writeFileSync(file, stringify(kustomization));
    try {
      return build(builder ?? ["kubectl"], kubernetes, "production");
    } finally {
      writeFileSync(file, plain);
    }
  }

  async function errorsOf(manifests: readonly Manifest[]): Promise<string[]> {
    const own = manifests.filter((one) => !isOperators(one));
    return [
      ...operatorErrors(manifests),
      ...(await schemaErrors(own)),
      ...typeErrors(own),
      ...policyErrors(manifests),
      ...productionErrors(manifests),
      // What External Secrets bring is not in the manifests.
      ...(manifests.some(({ kind }) => kind === "ExternalSecret") ? [] : tlsErrors(manifests)),
      ...versionErrors(manifests, documentedVersions()),
    ];
  }
  const titles = (manifests: readonly Manifest[]): string[] =>
    manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  const withoutFiles = (kustomization: Kustomization) => delete kustomization.secretGenerator;

  it("CloudNativePG takes the place of PostgreSQL and its backups", async () => {
    const manifests = withComponent("cloudnative-pg");
    assert.deepEqual(await errorsOf(manifests), []);
    const has = titles(manifests);
    for (const title of [
      "Cluster postgres",
      "ScheduledBackup postgres",
      "ObjectStore backups",
      "NetworkPolicy postgres-cluster",
    ])
      assert.ok(has.includes(title), title);
    for (const title of ["StatefulSet postgres", "Service postgres", "CronJob backup"])
      assert.ok(!has.includes(title), title);
  });

  it("the cluster operator takes the place of RabbitMQ", async () => {
    const manifests = withComponent("rabbitmq-operator");
    assert.deepEqual(await errorsOf(manifests), []);
    const has = titles(manifests);
    assert.ok(has.includes("RabbitmqCluster rabbitmq") && !has.includes("StatefulSet rabbitmq"));
  });

  it("External Secrets bring what the overlay's files bring", async () => {
    const keys = (manifests: readonly Manifest[], kind: string): Record<string, string[]> =>
      Object.fromEntries(
        manifests
          .filter((one) => one.kind === kind)
          .map(({ metadata, data, spec }) => [
            metadata.name.replace(/-[a-z\d]{10}$/, ""),
            kind === "Secret"
              ? Object.keys(data ?? {}).sort()
              : (spec as { data: { secretKey: string }[] }).data
                  .map(({ secretKey }) => secretKey)
                  .sort(),
          ]),
      );
    const files = keys(build(builder ?? ["kubectl"], kubernetes, "production"), "Secret");
    const manifests = withComponent("external-secrets", withoutFiles);
    assert.deepEqual(keys(manifests, "ExternalSecret"), files);
    assert.deepEqual(await errorsOf(manifests), []);
  });

  it("backups off-site need no operator: the WAL goes to the volume and to the object store", async () => {
    const manifests = withComponent("off-site-backups");
    assert.deepEqual(await errorsOf(manifests), []);
    const { pod } = workloadsOf(manifests).find(
      ({ title }) => title === "StatefulSet postgres",
    ) ?? {
      pod: assert.fail("no PostgreSQL"),
    };
    const [server, copier] = pod.containers as { name: string; args?: string[]; image: string }[];
    const archive = server?.args?.find((word) => word.startsWith("archive_command=")) ?? "";
    assert.match(archive, /backup\.sh archive "%p" "%f" && pgbackrest archive-push "%p"$/);
    assert.deepEqual([copier?.name, copier?.image], ["off-site-backups", server?.image]);
  });

  for (const [name, from, to, words] of [
    ["cloudnative-pg/cluster.yaml", "instances: 3", 'instances: "3"', /must be integer/],
    ["cloudnative-pg/cluster.yaml", "size: 50Gi", "size: 50GB", /storage.size must match/],
    ["cloudnative-pg/cluster.yaml", "isWALArchiver", "isWalArchiver", /isWalArchiver/],
    ["cloudnative-pg/cluster.yaml", "dataDurability: required", "dataDurability: all", /allowed/],
    ["cloudnative-pg/cluster.yaml", ", storageClass: boxoffice-data", "", /no storage class/],
    ["cloudnative-pg/backups.yaml", "s3://boxoffice", "file://boxoffice", /destinationPath must/],
    ["cloudnative-pg/backups.yaml", "0 0 2 * * *", "0 2 * * *", /must match pattern/],
    ["cloudnative-pg/backups.yaml", "retentionPolicy", "retentionPolic", /retentionPolic$/m],
    [
      "cloudnative-pg/cluster.yaml",
      "barmanObjectName: backups",
      "barmanObjectName: store",
      /store/,
    ],
    ["cloudnative-pg/cluster.yaml", "serverTLSSecret: postgres-tls", "serverTLSSecret: pg", /pg/],
    ["cloudnative-pg/references.yaml", "spec/bootstrap", "spec/boot", /wants Secret postgres,/],
    ["cloudnative-pg/kustomization.yaml", "username=boxoffice", "user=boxoffice", /, username/],
    ["cloudnative-pg/network-policies.yaml", "cluster: postgres } }", "cluster: pg } }", /no pod/],
    ["off-site-backups/postgres.yaml", "name: off-site-backups }", "name: off-site }", /off-site,/],
    ["rabbitmq-operator/cluster.yaml", "additionalConfig", "additionalConfg", /additionalConfg/],
    ["rabbitmq-operator/cluster.yaml", "replicas: 3", 'replicas: "3"', /must be integer/],
    ["rabbitmq-operator/references.yaml", "externalSecret", "external", /wants Secret rabbitmq,/],
    ["external-secrets/secrets.yaml", "remoteRef:", "remoteReff:", /remoteRef/],
    ["external-secrets/secrets.yaml", "secretKey: redis-url", "secretKey: redis", /redis-url/],
    ["external-secrets/secrets.yaml", ', labels: { boxoffice/migration: "true" }', "", /migration/],
  ] as const)
    it(`are caught at ${to || `${from} left out`} in ${name}`, async () => {
      const putBack = plant(join(kubernetes, "components", name), from, to);
      try {
        const component = name.split("/")[0] ?? "";
        const change = component === "external-secrets" ? withoutFiles : undefined;
        const manifests = withComponent(component, change);
        const own = manifests.filter(({ kind }) => kind === "ExternalSecret");
        const errors = change
          ? [...(await schemaErrors(own)), ...typeErrors(own), ...policyErrors(manifests)]
          : [
              ...operatorErrors(manifests),
              ...policyErrors(manifests),
              ...productionErrors(manifests),
            ];
        assert.match(errors.join("\n"), words);
      } finally {
        putBack();
      }
    });
});
