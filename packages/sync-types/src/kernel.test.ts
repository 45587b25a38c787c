import * as runtime from '@objectstack/runtime';
import { expect, it } from 'vitest';
import { describeKernel } from './kernel/kernel.contract.js';
import { createObjectStackKernel, createSmallKernel } from './kernel.js';

describeKernel({ name: 'the small kernel', createKernel: createSmallKernel });

describeKernel({
  name: "ObjectStack's kernel",
  createKernel: (options) => createObjectStackKernel(options, async () => runtime),
});

it('says what to install when the runtime is not there', async () => {
  const cause = new Error('ERR_MODULE_NOT_FOUND');
  const kernel = createObjectStackKernel({ plugins: [] }, () => Promise.reject(cause));
  await expect(kernel.start()).rejects.toThrow(
    new Error(
      'createKernel needs @objectstack/runtime, which cannot be loaded. Install it beside this package: npm install @objectstack/runtime@17',
      { cause },
    ),
  );
});
