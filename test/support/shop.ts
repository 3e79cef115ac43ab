import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type Engine, startEngine } from "./engine.ts";
import { type Answered, type HttpClient, httpClient } from "./http.ts";
import { waitFor } from "./wait-for.ts";

export const PASSWORD = "plain pigeons prefer puddles";
export const JSON_TYPE = { "Content-Type": "application/json" };

/** Matches what no answer may contain: stacks, statements, tables, files, servers, secrets. */
export const LEAK = new RegExp(
  [
    String.raw`\bat [\w.<>]+ \(|node_modules|\.ts\b|\b(?:SELECT|INSERT|UPDATE|DELETE) `,
    "event_tickets|user_account|relation|constraint|postgres|redis:|amqp|nats|sequelize|moleculer",
    String.raw`127\.0\.0\.1|localhost|ECONN|argon2|password_hash`,
  ].join("|"),
  "i",
);

/** An engine with an event on sale, and a customer who has one of its tickets. */
export type Shop = {
  engine: Engine;
  ask: HttpClient;
  eventId: string;
  token: string;
  ticketId: string;
  register: (body: object) => Promise<Answered>;
  signUp: () => Promise<{ email: string; accessToken: string }>;
};

export async function openShop(): Promise<Shop> {
  const engine = await startEngine();
  const ask = httpClient(engine.url);
  const eventId = await engine.addEvent({ capacity: 1_000 });
  const token = engine.accessToken();
  const buy = async (): Promise<Answered | false> => {
    const answer = await ask("POST", `/api/events/${eventId}/tickets`, { token, json: {} });
    return answer.status === 201 && answer;
  };
  const bought = await waitFor(buy, { withinMs: 15_000, what: "A ticket was sold" });
  const [ticket] = bought.json?.tickets as { id: string }[];
  const register = (body: object): Promise<Answered> =>
    ask("POST", "/api/auth/register", { json: body });
  return {
    engine,
    ask,
    eventId,
    token,
    ticketId: ticket?.id ?? "",
    register,
    async signUp() {
      const email = `${randomUUID()}@example.com`;
      assert.equal((await register({ email, password: PASSWORD, name: "Ada" })).status, 201);
      const { json } = await ask("POST", "/api/auth/login", {
        json: { email, password: PASSWORD },
      });
      return { email, accessToken: String(json?.accessToken) };
    },
  };
}
