import pg from 'pg';
import { expect, inject, it } from 'vitest';

it('starts a PostgreSQL that speaks UTF-8', async () => {
  const client = new pg.Client(inject('postgresUrl'));
  await client.connect();
  const { rows } = await client.query("SELECT current_setting('server_encoding') AS encoding, $1::text AS text", [
    '日本 𝄞',
  ]);
  await client.end();
  expect(rows).toEqual([{ encoding: 'UTF8', text: '日本 𝄞' }]);
});
