/**
 * Import boundaries: domain ← lib ← mixins ← services ← main ← tools ← cli. public/ talks HTTP
 * only, and shares lib/calendar and lib/qr.
 */
const forbid = (name, from, to) => ({ name, severity: "error", from, to });

module.exports = {
  forbidden: [
    // A lazy import opens a cycle: it runs after both modules are loaded.
    forbid(
      "no-circular",
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ["dynamic-import"] } },
    ),
    forbid("domain-is-pure", { path: "^domain/" }, { pathNot: "^domain/" }),
    forbid(
      "lib-knows-no-feature",
      { path: "^lib/" },
      { path: "^(mixins|services|main\\.ts|cli|tools|public|test)" },
    ),
    forbid(
      "mixins-know-no-service",
      { path: "^mixins/" },
      { path: "^(services|main\\.ts|cli|tools|public|test)" },
    ),
    forbid(
      "services-meet-on-the-bus",
      { path: "^services/([^/]+)/" },
      { path: "^services/", pathNot: "^services/$1/" },
    ),
    forbid(
      "only-main-imports-services",
      { pathNot: "^(services|main\\.ts|test|tools/bench)" },
      { path: "^services/" },
    ),
    forbid(
      "production-imports-no-tools",
      { path: "^(domain|lib|mixins|services|config|main\\.ts)" },
      { path: "^(cli|tools|test)/" },
    ),
    forbid("tools-import-no-command", { path: "^tools/" }, { path: "^cli/" }),
    forbid(
      "web-app-talks-http-only",
      { path: "^public/" },
      {
        path: "^(domain|lib|mixins|services|config|main|cli|tools)",
        pathNot: "^lib/(calendar|qr)/",
      },
    ),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "node_modules|public/dist" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: [".ts", ".tsx", ".mjs", ".js"] },
  },
};
