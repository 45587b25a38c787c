import { expect, it } from 'vitest';
import { seen } from './hello-sync.js';

it('shows both devices the same record, with every field that was edited', () => {
  expect(seen.phone).toEqual(seen.laptop);
  expect(seen.laptop).toEqual({ title: expect.stringMatching(/blue|green/), status: 'in_progress', assignee: 'Ada' });
});
