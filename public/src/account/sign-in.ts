import { answerOf, api } from "../api/client.ts";
import { begin } from "../session/session.ts";

export type Credentials = { email: string; password: string };

/** Throws a Problem: INVALID_CREDENTIALS, TOO_MANY_REQUESTS and what may always happen. */
export async function signIn({ email, password }: Credentials): Promise<void> {
  begin(
    await answerOf(() =>
      api.POST("/api/auth/login", { body: { email, password, delivery: "cookie" } }),
    ),
  );
}

/** Throws a Problem: EMAIL_TAKEN, PASSWORD_TOO_WEAK, VALIDATION_ERROR, TOO_MANY_REQUESTS and what may always happen. */
export async function register({
  email,
  password,
  name,
}: Credentials & { name: string }): Promise<void> {
  await answerOf(() => api.POST("/api/auth/register", { body: { email, password, name } }));
  await signIn({ email, password });
}
