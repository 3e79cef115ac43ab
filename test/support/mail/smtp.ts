import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer } from "smtp-server";

/**
 * How the server behaves: `accept`; `refuse` closes its port; `stall` never answers the end of a
 * mail; `busy` answers it 451, `reject` 550; `greylist` answers the recipient 450, `unknown` 550;
 * `disconnect` ends the connection in the middle of a mail.
 */
export type Mood =
  "accept" | "busy" | "disconnect" | "greylist" | "refuse" | "reject" | "stall" | "unknown";

export type SmtpFixture = {
  url: string;
  /** Accepted mails, by their dedupe key, in the order of arrival. */
  accepted: ReadonlyMap<string, readonly Email[]>;
  /** Mails of which it read the recipient, accepted or not. */
  tries(): number;
  /** Changes how the server behaves from the next recipient on; a function is asked at each. */
  be(mood: Mood | (() => Mood)): Promise<void>;
  close(): Promise<void>;
};

/** Starts a real SMTP server (smtp-server from npm) on a free port. */
export async function startSmtp(): Promise<SmtpFixture> {
  const accepted = new Map<string, Email[]>();
  let mood: () => Mood = () => "accept";
  /** By session: the mood at the recipient is that of the mail. */
  const moods = new Map<string, Mood>();
  let tries = 0;
  let server: SMTPServer | undefined;
  let port = 0;

  const refusal = (code: number, text: string): Error =>
    Object.assign(new Error(text), { responseCode: code });

  const open = async (): Promise<void> => {
    const fresh = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS", "AUTH"],
      closeTimeout: 1,
      logger: false,
      onRcptTo({ address }, { id }, callback) {
        tries += 1;
        const now = mood();
        moods.set(id, now);
        if (now === "greylist") callback(refusal(450, `4.7.1 ${address} is greylisted`));
        else if (now === "unknown") callback(refusal(550, `5.1.1 ${address} is unknown`));
        else callback();
      },
      onData(stream, session, callback) {
        const now = moods.get(session.id);
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("error", () => undefined);
        if (now === "disconnect") {
          stream.once("data", () => {
            for (const connection of fresh.connections)
              if (connection.session === session) connection.close();
          });
          return;
        }
        stream.on("end", () => {
          if (now === "stall") return;
          if (now === "busy") return callback(refusal(451, "4.3.0 try again later"));
          if (now === "reject") return callback(refusal(554, "5.7.1 not here"));
          void PostalMime.parse(Buffer.concat(chunks)).then((email) => {
            const key = /^<([\w-]+)@/.exec(email.messageId ?? "")?.[1] ?? assert.fail("no id");
            accepted.set(key, [...(accepted.get(key) ?? []), email]);
            callback();
          });
        });
      },
    });
    fresh.on("error", () => undefined);
    await new Promise<void>((resolve) => fresh.listen(port, "127.0.0.1", resolve));
    port = (fresh.server.address() as AddressInfo).port;
    server = fresh;
  };
  const shut = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    await new Promise<void>((resolve) => {
      closing.close(() => resolve());
      for (const connection of closing.connections) connection.close();
    });
  };
  await open();
  return {
    url: `smtp://127.0.0.1:${port}`,
    accepted,
    tries: () => tries,
    async be(next) {
      mood = typeof next === "function" ? next : () => next;
      if (next === "refuse") await shut();
      else if (server === undefined) await open();
    },
    close: shut,
  };
}
