import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { hashOfFile, IMAGE_FOLDER } from "../../../domain/event-image.ts";
import { problemOf } from "../../../lib/http/problem-details.ts";
import { isKnown } from "../http/compression.ts";
import type { PlainResource } from "./health.routes.ts";
import { IMMUTABLE } from "./web-app.routes.ts";

const FILE = /^\/images\/([^/?]+)(?:\?|$)/;

/**
 * Pictures of events, which `boxoffice import --images` has written to DATA_DIR/images. Another
 * name than a picture's reads no file. Without the file it is a 404: the page shows its motif.
 */
export function imageResource(dataDir: string): PlainResource {
  const folder = join(dataDir, IMAGE_FOLDER);
  return {
    path: `/${IMAGE_FOLDER}/:file`,
    async answer(requestId: string, request: IncomingMessage) {
      const [, name = ""] = FILE.exec(request.url ?? "") ?? [];
      if (hashOfFile(name) === undefined) return problemOf("NOT_FOUND", requestId);
      const headers = {
        "Content-Type": "image/webp",
        // A name is the hash of the content.
        "Cache-Control": IMMUTABLE,
        ETag: `"${name.slice(0, -".webp".length)}"`,
        // Previews of links are shown by other sites.
        "Cross-Origin-Resource-Policy": "cross-origin",
      };
      const body = await readFile(join(folder, name)).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      });
      if (body === undefined) return problemOf("NOT_FOUND", requestId);
      if (isKnown(request.headers["if-none-match"], headers.ETag))
        return { status: 304, headers, body: "" };
      return { status: 200, headers, body };
    },
  };
}
