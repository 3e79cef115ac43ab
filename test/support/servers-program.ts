import { startServers } from "../../tools/dev-servers/servers.ts";

/** A program of its own that a test may kill: brings up all servers on the folder it is given, says so, and stays. */
const [folder = ""] = process.argv.slice(2);
await startServers({ dataDir: folder, report: () => undefined, restart: true, throwaway: true });
process.stdout.write("up\n");
setInterval(() => undefined, 60_000);
