/**
 * The PostgreSQL store's statements, for one schema. Each handles a whole batch: their number never grows with it.
 * Those that take the names of variables run in functions and store what they select in these variables.
 */

const RECORD_COLUMNS = 'object_name, record_id, place, version, changed_at, data, bookkeeping';
const LEDGER_COLUMNS = 'mutation_id, log_id, sequence, object_name, record_id, content_hash, outcome, at';
const TABLES = ['feed', 'records', 'ledger', 'logs', 'intents', 'epochs'] as const;

/**
 * What the feed's table belongs to: this run of the database server, and the table's files. It changes when a backup is
 * put back, a standby takes over, a table is loaded anew, or another database is made from this one.
 */
export const HERE = "extract(epoch FROM pg_postmaster_start_time()) || ' ' || pg_relation_filepath(tableoid)";

/** Separates JSON texts that share one parameter: no JSON text contains it, because JSON writes it as an escape. */
export const TEXT_SEPARATOR = '\u001e';

/** An array of JSON texts from one parameter; nothing between two separators means null. */
const jsonTexts = (parameter: number) => `string_to_array($${parameter}, E'\\x1e', '')`;

const ASKED = `unnest($1::text[], ${jsonTexts(2)}) AS asked (object_name, record_id)`;
/** The same, in the order in which all transactions lock. */
const IN_ORDER = `(SELECT * FROM ${ASKED} ORDER BY object_name COLLATE "C", record_id COLLATE "C") AS asked`;

export type PostgresStatements = ReturnType<typeof postgresStatements>;

/** `schema` is a quoted identifier. */
export function postgresStatements(schema: string) {
  const table = (name: string) => `${schema}.objectql_sync_${name}`;
  const [feed, records, ledger, logs, intents, epochs] = TABLES.map(table);
  // The limit tells PostgreSQL that it is one row. Until the table is analysed, it estimates hundreds and so many pages
  // that it compiles the statement, which takes ten times as long as running it.
  const page = (rows: string) => `
    SELECT f.epoch, f.head, f.floor AS feed_floor, f.version_floor, page.* FROM (SELECT * FROM ${feed} LIMIT 1) AS f
    LEFT JOIN (${rows} ORDER BY place LIMIT $2) AS page ON true ORDER BY page.place`;
  // Looks up each record by itself: the plan of a join depends on how many there are, and this plan is kept.
  const rowOf = (named: string | undefined, columns: string, end = 'OFFSET 0') => `CROSS JOIN LATERAL (
        SELECT ${columns} FROM ${named} AS t WHERE t.object_name = asked.object_name AND t.record_id = asked.record_id ${end})`;
  // Likewise for each place: up to version 16, PostgreSQL assumes that every log is of average length, and would read
  // the whole of a long one.
  const ledgerRowAt = (logId: string, sequence: string) => `CROSS JOIN LATERAL (
        SELECT ${LEDGER_COLUMNS} FROM ${ledger} WHERE log_id = ${logId} AND sequence = ${sequence} OFFSET 0) AS g`;
  return {
    facts: `SELECT epoch, head, floor, version_floor FROM ${feed}`,
    // Every transaction locks its log, then its records by name, then their intents, and the feed last. The counts are
    // taken one after the other, and each locks what it counts.
    lock: (into: string) => `
      WITH log AS MATERIALIZED (SELECT FROM ${logs} WHERE log_id = $4 FOR UPDATE),
      found AS MATERIALIZED (
        SELECT FROM ${IN_ORDER} ${rowOf(records, 'place', 'FOR UPDATE')} AS r
      ), announced AS MATERIALIZED (
        SELECT FROM ${IN_ORDER} ${rowOf(intents, 't.object_name', 'FOR UPDATE')} AS i
      )
      SELECT (SELECT count(*) FROM log) AS logs, (SELECT count(*) FROM found) AS records,
        (SELECT count(*) FROM announced) AS intents INTO ${into}`,
    // Before the device's present log: logs that were left earlier are locked earlier.
    lockFormer: `SELECT log_id, principal, floor, last_time FROM ${logs} WHERE log_id = ANY ($1::text[])
      ORDER BY log_id FOR UPDATE`,
    rowsOfFormer: `
      SELECT g.* FROM unnest($1::text[], $2::bigint[]) AS place (log_id, sequence)
      ${ledgerRowAt('place.log_id', 'place.sequence')}
      WHERE g.mutation_id <> ALL ($3::text[])`,
    addFormer: `
      INSERT INTO ${logs} (log_id, principal, floor, last_time)
      SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) ON CONFLICT DO NOTHING`,
    // One statement, so one snapshot: if the ledger told of a create and the records lacked it, the server would refuse
    // what follows that create.
    load: (into: string) => `
      SELECT epoch, head, floor, version_floor,
        (SELECT json_agg(row_to_json(r))::text FROM ${ASKED} ${rowOf(records, RECORD_COLUMNS.replaceAll(/\w+/g, 't.$&'))} AS r) AS records,
        (SELECT json_agg(i.intent)::text FROM ${ASKED} ${rowOf(intents, 'intent')} AS i) AS intents,
        (SELECT json_agg(row_to_json(g))::text FROM (
          SELECT ${LEDGER_COLUMNS} FROM ${ledger} WHERE mutation_id = ANY ($3::text[])
          UNION SELECT g.* FROM unnest($5::bigint[]) AS sent (sequence) ${ledgerRowAt('$4', 'sent.sequence')}) AS g) AS ledger,
        (SELECT row_to_json(l)::text FROM ${logs} AS l WHERE log_id = $4) AS log
      INTO ${into} FROM ${feed}`,
    settleIntents: `DELETE FROM ${intents} AS i USING ${ASKED}
      WHERE i.object_name = asked.object_name AND i.record_id = asked.record_id`,
    addIntents: `
      INSERT INTO ${intents} (object_name, record_id, intent) SELECT * FROM unnest($1::text[], ${jsonTexts(2)}, ${jsonTexts(3)})`,
    // A transaction that takes places keeps the feed's row locked until its commit: the order of places is the order of
    // commits, and no reader passes a place that can still be filled. So the row is locked after everything that may
    // wait for others. `done` makes sure of that: it counts what the parts before it have written. A place is computed
    // from a value, not by a join with `taken`: PostgreSQL expects a hundred rows of it and then reads all records to
    // change fifty.
    save: (into: string) => `
      WITH changed_log AS (
        UPDATE ${logs} SET floor = greatest(floor, $19), last_time = greatest(last_time, $20)
        WHERE log_id = $17 AND $21::boolean RETURNING 1
      ), added_log AS (
        INSERT INTO ${logs} (log_id, principal, floor, last_time) SELECT $17::text, $18::text, $19::bigint, $20::bigint
        WHERE $17 IS NOT NULL AND NOT $21::boolean RETURNING 1
      ), remembered AS (
        INSERT INTO ${ledger} (${LEDGER_COLUMNS}) SELECT * FROM unnest(
          $9::text[], $10::text[], $11::bigint[], $12::text[], ${jsonTexts(13)}, $14::text[], ${jsonTexts(15)}, $16::bigint[])
        RETURNING 1
      ), done AS MATERIALIZED (
        SELECT (SELECT count(*) FROM changed_log) + (SELECT count(*) FROM added_log) + (SELECT count(*) FROM remembered)
          AS rows
      ), taken AS (
        UPDATE ${feed} SET head = head + cardinality($1::text[]), begun_in = ${HERE},
          epoch = CASE WHEN (begun_in = ${HERE} AND head >= $24) OR epoch <> $22 THEN epoch ELSE $23 END
        FROM done WHERE done.rows >= 0 AND cardinality($1::text[]) > 0
        RETURNING head, head - cardinality($1::text[]) AS before, epoch, version_floor
      ), ended AS (
        INSERT INTO ${epochs} (epoch, last_place) SELECT $22, before FROM taken WHERE epoch = $23
      ), saved AS (
        SELECT object_name, record_id, (SELECT before FROM taken) + nth AS place, version, changed_at, data, bookkeeping,
          is_known
        FROM unnest(
          $1::text[], ${jsonTexts(2)}, $3::bigint[], $4::bigint[], ${jsonTexts(5)}, ${jsonTexts(6)}, $7::boolean[])
          WITH ORDINALITY AS s (object_name, record_id, version, changed_at, data, bookkeeping, is_known, nth)
      ), changed AS (
        INSERT INTO ${records} (${RECORD_COLUMNS}) SELECT ${RECORD_COLUMNS} FROM saved WHERE is_known
        ON CONFLICT (object_name, record_id) DO UPDATE SET place = excluded.place, version = excluded.version,
          changed_at = excluded.changed_at, data = excluded.data, bookkeeping = excluded.bookkeeping
      ), added AS (
        INSERT INTO ${records} (${RECORD_COLUMNS}) SELECT ${RECORD_COLUMNS} FROM saved WHERE NOT is_known
      )
      SELECT head, epoch, version_floor INTO ${into} FROM taken`,
    page: page(`SELECT ${RECORD_COLUMNS} FROM ${records} WHERE place > $1`),
    // One index walk for each object, merged as they go. Each needs its own order and limit, or everything behind the
    // page would be read and sorted; an IN list would do that, too.
    pageOfObjects: (objects: number) => {
      const walk = (parameter: number) => `(SELECT ${RECORD_COLUMNS} FROM ${records}
        WHERE object_name = $${parameter} AND place > $1 ORDER BY place LIMIT $2)`;
      const walks = Array.from({ length: objects }, (_, index) => walk(index + 3));
      // In a subquery: a single walk already has its order, so there is no room for another.
      return page(`SELECT * FROM (${walks.join(' UNION ALL ')}) AS walks`);
    },
    pageOfManyObjects: page(`
      SELECT r.* FROM unnest($3::text[]) AS wanted (object_name) CROSS JOIN LATERAL (
        SELECT ${RECORD_COLUMNS} FROM ${records} AS r
        WHERE r.object_name = wanted.object_name AND place > $1 ORDER BY place LIMIT $2) AS r`),
    lastPlace: `SELECT last_place FROM ${epochs} WHERE epoch = $1`,
    changeEpoch: `UPDATE ${feed} SET epoch = $1, begun_in = ${HERE}`,
    forgetEpochs: `DELETE FROM ${epochs}`,
    // The epochs that are kept for their number have higher last places.
    dropEpochs: `
      DELETE FROM ${epochs} WHERE last_place < least(
        (SELECT floor FROM ${feed}),
        coalesce((SELECT last_place FROM ${epochs} ORDER BY last_place DESC LIMIT 1 OFFSET $1), 0))`,
    // Answers a row if the lock was free.
    tryPruneLock: 'SELECT WHERE pg_try_advisory_xact_lock(hashtextextended($1, 0))',
    dropTombstones: `
      WITH old AS (
        SELECT object_name, record_id FROM ${records} WHERE data IS NULL AND changed_at < $1
        ORDER BY changed_at LIMIT $2 FOR UPDATE SKIP LOCKED
      ), dropped AS (
        DELETE FROM ${records} AS r USING old
        WHERE r.object_name = old.object_name AND r.record_id = old.record_id RETURNING r.place, r.version
      )
      SELECT count(*) AS count, max(place) AS floor, max(version) AS version_floor FROM dropped`,
    raiseFloors: `UPDATE ${feed} SET floor = greatest(floor, $1), version_floor = greatest(version_floor, $2)`,
    // Only of logs that nobody is pushing: a row and its log's floor are read together or not at all.
    dropLedger: `
      WITH old AS MATERIALIZED (
        SELECT mutation_id, log_id FROM ${ledger} WHERE at < $1 ORDER BY at LIMIT $2
      ), free AS MATERIALIZED (
        SELECT log_id FROM ${logs} WHERE log_id IN (SELECT log_id FROM old) ORDER BY log_id FOR UPDATE SKIP LOCKED
      ), due AS (
        SELECT mutation_id FROM old WHERE log_id IN (SELECT log_id FROM free)
          OR NOT EXISTS (SELECT FROM ${logs} AS l WHERE l.log_id = old.log_id)
      ), dropped AS (
        DELETE FROM ${ledger} AS g USING due WHERE g.mutation_id = due.mutation_id RETURNING g.log_id, g.sequence
      ), raised AS (
        UPDATE ${logs} AS l SET floor = greatest(l.floor, d.sequence)
        FROM (SELECT log_id, max(sequence) AS sequence FROM dropped GROUP BY log_id) AS d WHERE l.log_id = d.log_id
      )
      SELECT count(*) AS count FROM dropped`,
  };
}
