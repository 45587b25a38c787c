/** Starts the app on this device. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { openDevice } from './device.js';
import { hasStorage, NoStorage } from './no-storage.js';
import './styles/base.css';
import './styles/page.css';
import './styles/status.css';
import './styles/cards.css';
import './styles/tasks.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no element with the id root.');

createRoot(root).render(
  <StrictMode>
    {hasStorage() ? <App device={openDevice({ name: 'This device', storage: 'todo' })} /> : <NoStorage />}
  </StrictMode>,
);
