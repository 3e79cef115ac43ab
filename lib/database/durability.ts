/** Runs SQL: a pool, or one connection. */
type Asker = { query(statement: { text: string }): Promise<unknown[]> };

type Settings = {
  fsync: boolean;
  fullPageWrites: boolean;
  synchronousCommit: string;
  hasStandby: boolean;
  checksums: boolean;
};

const READ = {
  text: `
    SELECT current_setting('fsync')::boolean AS fsync,
      current_setting('full_page_writes')::boolean AS "fullPageWrites",
      current_setting('synchronous_commit') AS "synchronousCommit",
      current_setting('synchronous_standby_names') <> '' AS "hasStandby",
      current_setting('data_checksums')::boolean AS checksums`,
};

/** Levels of `synchronous_commit` that wait for a synchronous standby. */
const WAITS_FOR_STANDBY = new Set(["on", "remote_apply", "remote_write"]);

/**
 * `lies`: settings by which an answered sale may be lost in a crash, a power cut or a failover: a
 * 201 would be a lie. `advice`: what is worth a warning. Both say how to mend it. They are those of
 * this session: a role may have a `synchronous_commit` of its own.
 */
export async function durabilityProblems(
  connection: Asker,
): Promise<{ lies: string[]; advice: string[] }> {
  const [settings] = (await connection.query(READ)) as Settings[];
  if (settings === undefined) throw new Error("PostgreSQL has not told its settings");
  const { fsync, fullPageWrites, synchronousCommit, hasStandby, checksums } = settings;
  const lies: string[] = [];
  const lie = (what: string, how: string) =>
    lies.push(`${what}, so PostgreSQL may lose sales that it has confirmed; set ${how}`);
  if (!fsync) lie("fsync is off", "fsync = on in postgresql.conf");
  if (!fullPageWrites) lie("full_page_writes is off", "full_page_writes = on in postgresql.conf");
  const level = "synchronous_commit = on for the server, and for the engine's role";
  if (synchronousCommit === "off") lie("synchronous_commit is off", level);
  else if (hasStandby && !WAITS_FOR_STANDBY.has(synchronousCommit))
    lie(`synchronous_commit is ${synchronousCommit}, which does not wait for the standby`, level);
  const advice = checksums
    ? []
    : [
        "data_checksums is off: PostgreSQL does not notice a damaged page; stop it and run " +
          "pg_checksums --enable",
      ];
  return { lies, advice };
}
