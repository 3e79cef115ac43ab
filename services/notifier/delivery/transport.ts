import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createTransport, type SendMailOptions } from "nodemailer";
import { makeFolder } from "../../../config/make-folder.ts";
import { isNoRoom, type Troubles } from "../../../lib/observability/troubles.ts";
import type { Mail } from "../notification.ts";

/** Where mails go. `send` resolves when the mail is accepted, and rejects as in `judge`. */
export type MailTransport = {
  /** As the log calls it. */
  name: string;
  send(mail: Mail): Promise<void>;
  close(): void;
};

/** Connections to the SMTP server, and mails that are sent at once. */
export const CONNECTIONS_MAX = 2;

/**
 * Time-outs in ms: a frozen server holds a mail up for 10 s per step. Far below the 30 s to 10
 * minutes of RFC 5321: a mail that is tried again later costs nothing.
 */
const CONNECT_MS = 5_000;
const STEP_MS = 10_000;

/** Whatever a text contains, no file and no address is read for it. */
const READS_NOTHING = { disableFileAccess: true, disableUrlAccess: true };

/** What all mails of an engine have in common. */
export type Sender = {
  /** The address in From. */
  from: string;
  /** Address of the web app; its host makes Message-IDs unique in the world. */
  siteUrl: string;
};

/**
 * Sends by SMTP. The connections are kept between mails. `requireTls` refuses a server without
 * STARTTLS; an smtps:// URL begins with TLS.
 */
export function openSmtp(
  { url, requireTls }: { url: string; requireTls: boolean },
  sender: Sender,
): MailTransport {
  const transporter = createTransport({
    url,
    pool: true,
    maxConnections: CONNECTIONS_MAX,
    requireTLS: requireTls,
    connectionTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: STEP_MS,
    ...READS_NOTHING,
  });
  // An idle connection that ends is opened again for the next mail.
  transporter.on("error", () => undefined);
  return {
    name: "The SMTP server",
    async send(mail) {
      await transporter.sendMail(messageOf(mail, sender));
    },
    close: () => transporter.close(),
  };
}

/**
 * Writes each mail as a file, named by its key: a mail that is sent again replaces itself. On a
 * full disk the try fails, and the mail is due again.
 */
export function openFiles(folder: string, sender: Sender, troubles: Troubles): MailTransport {
  const transporter = createTransport({
    streamTransport: true,
    buffer: true,
    newline: "windows",
    ...READS_NOTHING,
  });
  const by = {};
  const write = async (file: string, content: Buffer): Promise<void> => {
    makeFolder(folder, 0o700);
    try {
      await writeFile(`${file}.part`, content, { mode: 0o600 });
      await rename(`${file}.part`, file);
    } catch (error) {
      await rm(`${file}.part`, { force: true });
      throw error;
    }
  };
  return {
    name: "The folder of e-mails",
    async send(mail) {
      const { message } = await transporter.sendMail(messageOf(mail, sender));
      try {
        await write(join(folder, `${mail.key}.eml`), message as Buffer);
      } catch (error) {
        if (isNoRoom(error)) troubles.begin("mail", by, error.code);
        throw error;
      }
      troubles.end("mail", by);
    },
    close: () => undefined,
  };
}

function messageOf(mail: Mail, { from, siteUrl }: Sender): SendMailOptions {
  const { key, to, subject, text, html, calendar } = mail;
  return {
    from,
    to: { name: "", address: to },
    subject,
    text,
    html,
    // Servers and clients recognize a mail that was sent twice by its id.
    messageId: `<${key}@${new URL(siteUrl).hostname}>`,
    // No automatic answers to it (RFC 3834).
    headers: { "Auto-Submitted": "auto-generated" },
    ...(calendar !== undefined && {
      attachments: [
        {
          filename: "event.ics",
          content: calendar,
          contentType: "text/calendar; charset=utf-8",
        },
      ],
    }),
  };
}

/**
 * What a failed try means. `never`: the server refuses this mail or its recipient for good (5xx).
 * `later`: not now (4xx), others may pass. `server`: the server is down, stalls, refuses everybody,
 * or has ended the connection; no other mail needs to be tried at once.
 */
export type Verdict = { retry: "never" | "later" | "server"; reason: string };

type SmtpError = Error & { code?: string; command?: string; responseCode?: number };

export function judge(error: unknown): Verdict {
  const { code = "", command = "", responseCode = 0, message } = error as SmtpError;
  const reason = withoutAddresses(`${code} ${message}`.trim());
  // Not an address at all.
  if (code === "EENVELOPE" && command === "API") return { retry: "never", reason };
  const isAboutMail = code === "EMESSAGE" || command === "RCPT TO" || command === "DATA";
  if (isAboutMail && responseCode >= 500) return { retry: "never", reason };
  if (isAboutMail && responseCode >= 400 && responseCode !== 421) return { retry: "later", reason };
  return { retry: "server", reason };
}

const REASON_MAX = 300;

/** Servers repeat the recipient in their answers. The table of notifications has no addresses. */
function withoutAddresses(text: string): string {
  return text
    .replaceAll(/[^\s<>"']+@[^\s<>"']+/g, "…@…")
    .replaceAll(/[\p{C}\s]+/gu, " ")
    .slice(0, REASON_MAX);
}
