/** Open connections at most, wherever there is room for them. */
const MOST = 30_000;
/** Descriptors that stay free: servers, files, and connections that are being refused. */
const RESERVED_DESCRIPTORS = 96;
/** Memory of an idle connection: socket, parser and buffers. */
const BYTES_EACH = 20 * 1_024;
/** Connections may take half of the memory that a control group gives the process. */
const MEMORY_SHARE = 0.5;
/** A machine with less serves a few all the same. */
const LEAST = 16;

/** `descriptors`, `memoryBytes`: what the process may have. Infinite where nothing limits it. */
type Room = { descriptors: number; memoryBytes: number };

/** The number of connections that a gateway accepts in this room. */
export function connectionsMax({ descriptors, memoryBytes }: Room = roomOfProcess()): number {
  const most = Math.min(
    MOST,
    descriptors - RESERVED_DESCRIPTORS,
    Math.floor((MEMORY_SHARE * memoryBytes) / BYTES_EACH),
  );
  return Math.max(LEAST, most);
}

/** Node has raised its soft limit of descriptors to the hard one at its start. */
function roomOfProcess(): Room {
  // A report else looks up the name of each peer: a start would wait for a slow DNS.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft: number | "unlimited" } };
  };
  const descriptors = userLimits?.open_files?.soft;
  return {
    descriptors: typeof descriptors === "number" ? descriptors : Infinity,
    // 0: unknown. Without a limit, a number above all memory.
    memoryBytes: process.constrainedMemory() || Infinity,
  };
}
