import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { type Environment, presentValues } from "../../config/environment.ts";
import { type Answer, refused } from "../../domain/refusal.ts";
import { createAccessTokens, type PublicJwk } from "../../lib/auth/access-token.ts";
import type { Proof } from "../../lib/auth/jwt.ts";
import { type Engine, EngineProblem } from "../../tools/engine/connect.ts";

type User = { id: string; email: string; role: string };
type SignedIn = { user: User; refreshToken: string };

/**
 * Makes every call of the engine this person's, who must be an operator and prove it: by a token
 * (OPERATOR_TOKEN) or the account's password (OPERATOR_PASSWORD, or typed at a terminal). Returns
 * the e-mail address and the proof for people. Throws an EngineProblem. See ADR-0073.
 */
export async function actAsPerson(
  engine: Engine,
  email: string,
  environment: Environment,
): Promise<string> {
  const { OPERATOR_TOKEN, OPERATOR_PASSWORD } = presentValues(environment);
  const proof: Proof = OPERATOR_TOKEN === undefined ? "password" : "token";
  const user =
    OPERATOR_TOKEN === undefined
      ? await byPassword(engine, email, OPERATOR_PASSWORD ?? (await typedPassword(email)))
      : await byToken(engine, email, OPERATOR_TOKEN);
  if (user.role !== "operator")
    throw new EngineProblem(
      `${email} is no operator of this engine. npx boxoffice user list shows the operators.`,
    );
  engine.actAs(user.id, proof);
  return `${user.email}, proved by ${proof}`;
}

/** Signs in, and ends the session at once: the console needs none. */
async function byPassword(engine: Engine, email: string, password: string): Promise<User> {
  const credentials = { email, password, device: { userAgent: "boxoffice repl" } };
  const { user, refreshToken } = await ask<SignedIn>(engine, "auth.login", credentials);
  await ask<null>(engine, "auth.logout", { token: refreshToken });
  return user;
}

async function byToken(engine: Engine, email: string, token: string): Promise<User> {
  const tokens = createAccessTokens(() =>
    engine.broker.call<Answer<{ keys: PublicJwk[] }>, object>("auth.keys", {}),
  );
  const caller = await tokens.verify(token);
  if (!caller.ok) throw problemOf(caller.refusal.code);
  const user = await ask<User | null>(engine, "auth.find", { email });
  if (user?.id !== caller.value.userId || caller.value.role !== user.role)
    throw problemOf("UNAUTHENTICATED");
  return user;
}

async function ask<T>({ broker }: Engine, action: string, params: object): Promise<T> {
  const answer = await broker
    .call<Answer<T>, object>(action, params)
    .catch(() => refused("TRY_AGAIN"));
  if (answer.ok) return answer.value;
  throw problemOf(answer.refusal.code);
}

const REASONS: Readonly<Record<string, string>> = {
  INVALID_CREDENTIALS: "The password is wrong, or no account has this e-mail address.",
  TOKEN_EXPIRED: "The token of OPERATOR_TOKEN has expired: sign in for another.",
  UNAUTHENTICATED: "The token of OPERATOR_TOKEN is not this operator's.",
};

function problemOf(code: string): EngineProblem {
  return new EngineProblem(REASONS[code] ?? `The engine refused to say who you are: ${code}`);
}

/** Asks at the terminal, which shows nothing of what is typed. */
async function typedPassword(email: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw new EngineProblem(
      "--as needs a proof: set OPERATOR_PASSWORD or OPERATOR_TOKEN, where no terminal can ask.",
    );
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  // It turns the terminal's echo off, so it comes before the question: some type at once.
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  process.stdout.write(`Password of ${email}: `);
  terminal.on("SIGINT", () => process.exit(130));
  const closed = once(terminal, "close").then(() => "");
  try {
    return await Promise.race([terminal.question(""), closed]);
  } finally {
    terminal.close();
    process.stdout.write("\n");
  }
}
