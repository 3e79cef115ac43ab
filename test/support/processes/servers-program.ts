import { startServers } from "../../../tools/dev-servers/servers.ts";

/** A program that a test may kill: starts all servers on the given folder and stays. */
const [folder = ""] = process.argv.slice(2);
await startServers({ dataDir: folder, report: () => undefined, restart: true, throwaway: true });
process.stdout.write("up\n");
setInterval(() => undefined, 60_000);
