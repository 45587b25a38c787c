import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished, vi } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

it('brings what was written offline to another device and to REST, and says why a write was refused', async () => {
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  onTestFinished(() => printed.mockRestore());
  await import('./devices.js');
  const ours = ['on the laptop:', 'by REST:', 'refused:'];
  expect(printed.mock.calls.filter(([label]) => ours.includes(label))).toEqual([
    ['on the laptop:', 'Paint the door', 'new'],
    ['by REST:', 200],
    ['refused:', 'title: Title is required'],
  ]);
});

it('is what the guide shows', () => {
  const guide = read('../../docs/objectstack.md');
  for (const file of ['./server.ts', './devices.ts']) expect(guide).toContain(read(file).trim());
});
