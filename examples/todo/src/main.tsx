/** Starts the app on this device. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { openDevice } from './device.js';
import './styles/base.css';
import './styles/page.css';
import './styles/status.css';
import './styles/cards.css';
import './styles/tasks.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no element with the id root.');

const device = openDevice({ name: 'This device', storage: 'todo' });
createRoot(root).render(
  <StrictMode>
    <App device={device} />
  </StrictMode>,
);
