import { ConfigError, processEnvironment } from "../../config/index.ts";
import type { Answer } from "../../domain/refusal.ts";
import type { Role } from "../../lib/auth/jwt-verifier.ts";
import { type Engine, joinEngine, NoEngine } from "../../tools/engine/connect.ts";

const USAGE = `npm run user -- COMMAND    on the running engine
  grant EMAIL operator   makes the person an operator
  revoke EMAIL           makes the person a customer again
  list                   shows the operators
A change of role ends all the person's sessions. An access token that is out already keeps its role until it expires, an hour at most.`;

type User = { email: string; name: string; role: Role };

// npm run user: as an operator on the bus, so that the act is authorised, checked and written down as any other.

const [command, email = "", role, ...rest] = process.argv.slice(2);
const asked =
  command === "grant" && email.includes("@") && role === "operator" && rest.length === 0
    ? { email, role }
    : command === "revoke" && email.includes("@") && role === undefined
      ? { email, role: "customer" }
      : undefined;
if (asked === undefined && (command !== "list" || email !== "")) {
  console.error(USAGE);
  process.exit(1);
}
// Said outright: a bus that was never reached is tried again for ever behind our back.
process.exit(await run());

async function run(): Promise<number> {
  let engine: Engine | undefined;
  try {
    engine = await joinEngine(processEnvironment(), { as: "user", needs: "auth" });
    return asked === undefined ? await list(engine) : await change(engine, asked);
  } catch (error) {
    console.error(
      error instanceof NoEngine || error instanceof ConfigError
        ? error.message
        : `The engine failed: ${String(error)}`,
    );
    return 1;
  } finally {
    await engine?.broker.stop();
  }
}

async function change(
  { broker }: Engine,
  wanted: { email: string; role: string },
): Promise<number> {
  const answer = await broker.call<Answer<{ user: User; changed: boolean } | null>, object>(
    "auth.grant",
    wanted,
  );
  if (!answer.ok) throw new NoEngine(`The engine refused: ${answer.refusal.code}`);
  if (answer.value === null) {
    console.error(`Nobody has registered as ${wanted.email}.`);
    return 1;
  }
  const { user, changed } = answer.value;
  console.log(
    changed
      ? `${user.email} is ${user.role} now; all sessions have ended`
      : `${user.email} is ${user.role} already`,
  );
  return 0;
}

async function list({ broker }: Engine): Promise<number> {
  const answer = await broker.call<Answer<{ users: User[] }>, object>("auth.operators", {});
  if (!answer.ok) throw new NoEngine(`The engine refused: ${answer.refusal.code}`);
  for (const user of answer.value.users) console.log(`${user.email}  ${user.name}`);
  if (answer.value.users.length === 0) console.log("There are no operators.");
  return 0;
}
