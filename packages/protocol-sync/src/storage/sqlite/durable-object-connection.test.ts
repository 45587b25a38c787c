import { DurableObjectDatabase } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { DurableObjectConnection } from './durable-object-connection.js';

// The suites run in workerd, which cannot be made to refuse.
test.each(['begin', 'keep'])('fails a transaction when a Durable Object refuses to %s a savepoint', async (what) => {
  const refusal = new Error('The object is out of memory.');
  let depth = 0;
  const database = new DurableObjectDatabase({
    sql: { exec: () => ({ toArray: () => [] }) },
    async transaction(work) {
      const isSavepoint = depth > 0;
      depth += 1;
      if (isSavepoint && what === 'begin') throw refusal;
      const result = await work();
      if (isSavepoint && what === 'keep') throw refusal;
      return result;
    },
    transactionSync: (work) => work(),
  });
  const connection = new DurableObjectConnection(database);
  const done = connection.transaction(async () => {
    await connection.command('SAVEPOINT');
    await connection.command('RELEASE SAVEPOINT');
  });
  await expect(done).rejects.toBe(refusal);
});
