import { isDeepStrictEqual } from "node:util";

export type KeyRules = {
  /** URL of the event's tickets. */
  url: string;
  /** URL of all tickets. */
  ticketsUrl: string;
  /** Tokens of people who buy one ticket each, as many as there are places. */
  tokens: readonly string[];
};

export type CheckedKeys = {
  /**
   * Checks all rules for one buyer after the other until `stop`. Returns the number of requests.
   */
  repeat(stop: AbortSignal): Promise<number>;
  /** Frees a place: the key that was refused sells now, once. */
  afterwards(): Promise<void>;
};

type Answer = {
  status: number;
  code: string | undefined;
  replayed: boolean;
  key: string | null;
  sale: unknown;
  ticketId: string;
};

/**
 * Buys every place with its own key. The returned functions check the contract's rules about keys
 * and throw if one is violated.
 */
export async function checkKeys({ url, ticketsUrl, tokens }: KeyRules): Promise<CheckedKeys> {
  const keyOf = (buyer: number): string => `bought-${buyer}`;
  const buy = (buyer: number, key: string, quantity = 1): Promise<Answer> =>
    patiently(() => post(url, tokens[buyer] ?? "", key, quantity));
  const sold = await Promise.all(tokens.map((_token, buyer) => buy(buyer, keyOf(buyer))));
  for (const [buyer, answer] of sold.entries())
    expect(`buyer ${buyer}`, answer, { status: 201, replayed: false });
  let place = 0;

  const askAll = async (buyer: number): Promise<void> => {
    const first = sold[buyer];
    const again = await buy(buyer, keyOf(buyer));
    expect("the same key again", again, {
      status: 201,
      replayed: true,
      sale: first?.sale,
      key: keyOf(buyer),
    });
    expect("the key for another quantity", await buy(buyer, keyOf(buyer), 2), {
      status: 422,
      code: "IDEMPOTENCY_KEY_REUSED",
    });
    const refusedKey = `refused-${buyer}`;
    expect("a new key", await buy(buyer, refusedKey), {
      status: 409,
      code: "EVENT_SOLD_OUT",
      key: refusedKey,
    });
    expect("the refused key for another quantity", await buy(buyer, refusedKey, 2), {
      status: 409,
      code: "EVENT_SOLD_OUT",
    });
  };

  return {
    async repeat(stop) {
      do {
        await askAll(place % tokens.length);
        place += 1;
      } while (!stop.aborted);
      return 4 * place;
    },
    async afterwards() {
      const [first] = sold;
      const headers = { Authorization: `Bearer ${tokens[0] ?? ""}` };
      const cancelled = await fetch(`${ticketsUrl}/${first?.ticketId ?? ""}`, {
        method: "DELETE",
        headers,
      });
      if (cancelled.status !== 200)
        throw new Error(
          `A cancellation was answered ${cancelled.status}: ${await cancelled.text()}`,
        );
      const bought = await buy(1, "refused-1");
      expect("the refused key, once a place is free", bought, { status: 201, replayed: false });
      expect("and again", await buy(1, "refused-1"), {
        status: 201,
        replayed: true,
        sale: bought.sale,
      });
      expect("another key", await buy(1, "another-1"), { status: 409, code: "EVENT_SOLD_OUT" });
    },
  };
}

async function post(url: string, token: string, key: string, quantity: number): Promise<Answer> {
  const headers = {
    Authorization: `Bearer ${token}`,
    "Content-Type": "application/json",
    "Idempotency-Key": key,
  };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ quantity }) });
  const body = (await answer.json()) as {
    code?: string;
    transactionId?: string;
    quantity?: number;
    tickets?: { id: string }[];
  };
  const tickets = body.tickets?.map(({ id }) => id).toSorted();
  return {
    status: answer.status,
    code: body.code,
    replayed: answer.headers.get("idempotent-replayed") === "true",
    key: answer.headers.get("idempotency-key"),
    sale: { transactionId: body.transactionId, quantity: body.quantity, tickets },
    ticketId: tickets?.[0] ?? "",
  };
}

/** Repeats a request while it is answered TRY_AGAIN, which promises that nothing was done. */
async function patiently(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    if (answer.code !== "TRY_AGAIN" || tries === 20) return answer;
  }
}

function expect(what: string, answer: Answer, wanted: Partial<Answer>): void {
  for (const [name, value] of Object.entries(wanted))
    if (!isDeepStrictEqual(answer[name as keyof Answer], value))
      throw new Error(
        `${what}: ${name} should be ${JSON.stringify(value)} in ${JSON.stringify(answer)}`,
      );
}
