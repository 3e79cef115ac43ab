import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { makeAuthority, makeCertificate } from "../../../tools/testing/certificate.ts";
import { isPublicAddress } from "../../../tools/pictures/public-address.ts";
import type { Network } from "../../../tools/pictures/download-picture.ts";
import { temporaryFolder } from "../processes/processes.ts";

/** The name that the server has a certificate for. */
export const PICTURE_HOST = "pictures.example";

export type PictureServer = {
  /**
   * Reaches it under its name, by its address on this machine. All other addresses are judged as
   * those of the internet.
   */
  network: Network;
  /** Paths in the order in which they were asked for. */
  asked: string[];
  close(): Promise<void>;
};

/** Starts a TLS server on this machine that stands for one of the internet. */
export async function startPictureServer(answer: RequestListener): Promise<PictureServer> {
  const { folder, remove } = temporaryFolder();
  const authority = makeAuthority(folder, "ca");
  const { certFile, keyFile } = makeCertificate(folder, "tls", authority, `DNS:${PICTURE_HOST}`);
  const [cert, key, ca] = [certFile, keyFile, authority.certFile].map((file) =>
    readFileSync(file, "utf8"),
  );
  remove();
  const asked: string[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    asked.push(request.url ?? "");
    answer(request, response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    network: {
      resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
      isPublic: (address) => address === "127.0.0.1" || isPublicAddress(address),
      server: { port, ca: ca ?? "" },
    },
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
