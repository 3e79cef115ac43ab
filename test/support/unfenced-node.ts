import { processEnvironment } from "../../config.ts";
import { openDatabase } from "../../mixins/database.ts";
import { runNodeProcess } from "../../scripts/node-process.ts";
import { postgresStore } from "../../services/purchasing/event-store.ts";
import { NO_FENCE, unfenced } from "./unfenced.ts";

/** A node with a mistake in it: its workers sell without looking whether the epoch is still theirs. The chaos run must see what comes of it. */
const { DATABASE_URL = "", NODE_ID = "" } = processEnvironment();
const database = openDatabase(DATABASE_URL, "worker");
runNodeProcess({ replace: (ports) => ({ ...ports, store: unfenced(postgresStore(database, NODE_ID, NO_FENCE)) }) });
