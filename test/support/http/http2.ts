import {
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  connect,
} from "node:http2";

export type Http2Answer = { status: number; headers: IncomingHttpHeaders; body: Buffer };

/** Makes an HTTP/2 client that trusts any certificate. Sends bodies without a length. */
export function http2Client(url: string) {
  const session: ClientHttp2Session = connect(url, { rejectUnauthorized: false });
  session.on("error", () => undefined);
  const ask = (
    method: string,
    path: string,
    headers: OutgoingHttpHeaders = {},
    body?: string,
  ): Promise<Http2Answer> =>
    new Promise((resolve, reject) => {
      const stream = session.request(
        { ":method": method, ":path": path, ...headers },
        { endStream: body === undefined },
      );
      const chunks: Buffer[] = [];
      let answered: IncomingHttpHeaders = {};
      stream.on("response", (received) => (answered = received));
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", reject);
      stream.on("close", () => {
        if (answered[":status"] === undefined)
          reject(new Error(`The stream was closed without an answer (${stream.rstCode})`));
        else
          resolve({
            status: Number(answered[":status"]),
            headers: answered,
            body: Buffer.concat(chunks),
          });
      });
      if (body !== undefined) stream.end(body);
    });
  return { ask, session, close: () => session.destroy() };
}
