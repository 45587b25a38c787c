/** Rules of what the server's application decides, switched off one at a time. */
import { type Authorize, type ReadPermission, storeResolver } from '@objectql/protocol-sync';
import type { ExpectedMutant } from './mutant.js';

/** The mutants of what the application, its configuration and its clock tell the server. */
export const APPLICATION_MUTANTS: readonly ExpectedMutant[] = [
  {
    name: 'a write may claim a time yet to come',
    breaks: 'I10',
    hint: 1,
    serverAheadMs: 10 * 86_400_000,
  },
  {
    name: 'nothing is hidden from anybody',
    breaks: 'I12',
    hint: 1,
    authorize: ({ read, ...authorize }) => authorize,
  },
  {
    name: 'a change of rights begins no walk',
    breaks: 'I4',
    hint: 28,
    authorize: ({ scope, ...authorize }) => authorize,
  },
  {
    name: 'writes past sync are not told to it',
    breaks: 'I11',
    hint: 3,
    isBlindToOthers: true,
  },
  {
    name: 'anybody may make any change',
    breaks: 'I12',
    hint: 1,
    authorize: ({ write, ...authorize }) => authorize,
  },
  {
    name: 'hidden fields are shown',
    breaks: 'I12',
    hint: 12,
    authorize: (authorize) =>
      withRead(authorize, (permission) => (typeof permission === 'object' ? 'allow' : permission)),
  },
  {
    name: 'whoever may not read a record any more is not told',
    breaks: 'I4',
    hint: 1,
    authorize: (authorize) => withRead(authorize, (permission) => (permission === 'forget' ? 'hide' : permission)),
  },
  {
    name: 'what the application stored is not what is sent to others',
    breaks: 'I11',
    hint: 2,
    resolver: (resolver) =>
      resolver === storeResolver
        ? resolver
        : {
            ...resolver,
            applyMutation: async (...call) => {
              await resolver.applyMutation(...call);
              return undefined;
            },
          },
  },
  {
    name: 'the server lets the later one win where the user decides',
    breaks: 'I8',
    hint: 1,
    config: (config) => (config.strategy ? { ...config, strategy: 'last-write-wins' } : config),
  },
  {
    name: 'declared conflict fields are decided like all others',
    breaks: 'I8',
    hint: 1,
    config: ({ conflict_fields, ...config }) => config,
  },
];

function withRead(authorize: Authorize, change: (permission: ReadPermission) => ReadPermission): Authorize {
  return { ...authorize, read: async (question) => change((await authorize.read?.(question)) ?? 'allow') };
}
