/**
 * Keeps the app's files, so that it starts without a network. A new version is fetched beside the old one and takes over
 * when the user says so, or when no tab of the old one is left: a page never loads parts of two versions.
 * Records are none of its business: they are in IndexedDB.
 */

// Both are put in by the build.
const CACHE = `todo-${'VERSION'}`;
const FILES = 'FILES';

self.addEventListener('install', (event) => {
  // Past the browser's own cache, where an older index.html may lie.
  const requests = FILES.map((path) => new Request(path, { cache: 'reload' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(removeOldVersions().then(() => self.clients.claim()));
});

self.addEventListener('message', ({ data }) => {
  if (data === 'take over') self.skipWaiting();
});

self.addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== 'GET' || origin !== self.location.origin || pathname.startsWith('/api/')) return;
  const path = mode === 'navigate' ? '/' : pathname;
  event.respondWith(caches.open(CACHE).then(async (cache) => (await cache.match(path)) ?? fetch(event.request)));
});

async function removeOldVersions() {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith('todo-') && name !== CACHE).map((name) => caches.delete(name)),
  );
}
