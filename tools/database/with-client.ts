import { Client, type ClientConfig } from "pg";

/**
 * Works on a connection of its own, and closes it. A server that ends says so by the query's error.
 */
export async function withClient<T>(
  config: ClientConfig,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client(config);
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
