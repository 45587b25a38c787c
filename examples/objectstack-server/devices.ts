/** Two devices of one user: one writes offline, the other and the REST interface have it afterwards. */
import { httpTransport, SyncPlugin } from '@objectql/plugin-sync';
import { stop, url } from './server.js';

const signedUp = await fetch(`${url}/api/v1/auth/sign-up/email`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery', name: 'Ada' }),
});
const token = signedUp.headers.get('set-auth-token') ?? '';

const device = (clientId: string) =>
  new SyncPlugin({ clientId, transport: httpTransport({ url: `${url}/api/sync`, token }) });
await using phone = device('phone');
await using laptop = device('laptop');

// Nothing here needs a network: the phone keeps it and sends it with the next sync.
const tasks = phone.getEngine('task').records;
tasks.create('task-1', { title: 'Paint the door' });
const untitled = tasks.create('task-2', {});

await phone.syncAll();
await laptop.syncAll();

const seen = await laptop.getEngine('task').records.get('task-1');
console.log('on the laptop:', seen?.data.title, seen?.data.status);

const rest = await fetch(`${url}/api/v1/data/task/task-1`, { headers: { authorization: `Bearer ${token}` } });
console.log('by REST:', rest.status);

const outcome = await phone.getEngine('task').settled(untitled.id);
console.log('refused:', outcome.status === 'rejected' ? outcome.reason : outcome.status);

await stop();
