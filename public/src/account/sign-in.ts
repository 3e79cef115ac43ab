import i18next from "i18next";
import { answerOf, api } from "../api/client.ts";
import { startSession } from "../session/session.ts";

export type Credentials = { email: string; password: string };

/** Throws a Problem: INVALID_CREDENTIALS, TOO_MANY_REQUESTS or a general one. */
export async function signIn({ email, password }: Credentials): Promise<void> {
  const body = { email, password, delivery: "cookie" as const };
  startSession(await answerOf(() => api.POST("/api/auth/login", { body })));
}

/** Throws a Problem: EMAIL_TAKEN, PASSWORD_TOO_WEAK, VALIDATION_ERROR or one of `signIn`. */
export async function register({
  email,
  password,
  name,
}: Credentials & { name: string }): Promise<void> {
  // E-mails come in the language of the page.
  const language = i18next.language === "de" ? ("de" as const) : ("en" as const);
  await answerOf(() =>
    api.POST("/api/auth/register", { body: { email, password, name, language } }),
  );
  await signIn({ email, password });
}
