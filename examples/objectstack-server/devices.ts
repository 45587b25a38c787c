/** Two devices of one user: one writes offline, the other and the REST interface have it afterwards. */
import { httpTransport, SyncPlugin } from '@objectql/plugin-sync';
import { signUp, stop, url } from './server.js';

const token = await signUp();

const device = (clientId: string) =>
  new SyncPlugin({ clientId, transport: httpTransport({ url: `${url}/api/sync`, token }) });
await using phone = device('phone');
await using laptop = device('laptop');

// Needs no network: the phone sends it with the next sync.
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
