import { Argument, type Command } from "commander";
import type { Role } from "../../../lib/auth/jwt.ts";
import type { Engine } from "../../../tools/engine/connect.ts";
import { callEngine, onEngine } from "../../on-engine.ts";
import { examples, exiting, valueOf } from "../../options.ts";

type User = { email: string; name: string; role: Role };
type Granted = { user: User; changed: boolean } | null;

const ACCOUNTS = { as: "user", needs: "auth" };

const asEmail = valueOf((text) => (text.includes("@") ? text : undefined), "an e-mail address");

/** Calls the engine as an operator: authorization, checks and the audit trail apply as always. */
export function define(command: Command): void {
  command
    .description(
      "Shows and changes who is an operator of the running engine. A change of role ends all " +
        "sessions of the person. An access token that was issued before keeps its role until it " +
        "expires, an hour at most.",
    )
    .addHelpText("after", examples(["user grant ada@example.com operator", "makes an operator"]));
  command
    .command("grant")
    .summary("make a person an operator")
    .description("Makes a registered person an operator.")
    .argument("<email>", "the account's e-mail address", asEmail)
    .addArgument(new Argument("<role>", "the role").choices(["operator"]))
    .action(exiting((email: string, role: string) => onEngine(ACCOUNTS, setRole(email, role))));
  command
    .command("revoke")
    .summary("make a person a customer again")
    .description("Makes an operator a customer again.")
    .argument("<email>", "the account's e-mail address", asEmail)
    .action(exiting((email: string) => onEngine(ACCOUNTS, setRole(email, "customer"))));
  command
    .command("list")
    .summary("show the operators")
    .description("Shows the operators.")
    .action(exiting(() => onEngine(ACCOUNTS, list)));
}

function setRole(email: string, role: string): (engine: Engine) => Promise<number> {
  return async (engine) => {
    const granted = await callEngine<Granted>(engine, "auth.grant", { email, role });
    if (granted === null) {
      console.error(`No account has the e-mail address ${email}.`);
      return 1;
    }
    const { user, changed } = granted;
    console.log(
      changed
        ? `${user.email} is ${user.role} now; all sessions have ended`
        : `${user.email} is ${user.role} already`,
    );
    return 0;
  };
}

async function list(engine: Engine): Promise<number> {
  const { users } = await callEngine<{ users: User[] }>(engine, "auth.operators", {});
  for (const user of users) console.log(`${user.email}  ${user.name}`);
  if (users.length === 0) console.log("There are no operators.");
  return 0;
}
