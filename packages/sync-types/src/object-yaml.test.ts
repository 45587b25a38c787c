import { describe, expect, test } from 'vitest';
import { ObjectYamlError, readObjectSync, readObjectSyncFiles } from './object-yaml.js';

/** The lines of the message that `text` is refused with. */
function problemsOf(text: string): readonly string[] {
  return refusal(() => readObjectSync(text, { file: 'task.object.yml' })).message.split('\n');
}

function refusal(act: () => unknown): ObjectYamlError {
  try {
    act();
  } catch (error) {
    if (error instanceof ObjectYamlError) return error;
    throw error;
  }
  throw new Error('expected the file to be refused');
}

describe('readObjectSync', () => {
  test('reads name and sync block and passes over everything else', () => {
    const text = `
name: task
label: !i18n Task
fields:
  title: { type: string }
  status:
    type: select
    options: [pending, completed]
    options: [twice, but, not, ours]
  assignee: { type: lookup, reference_to: users }
sync:
  enabled: true
  strategy: crdt
  direction: bidirectional
  debounce_ms: 2000
  batch_size: 25
  conflict_fields:
    - title
    - status
permissions: { anything: [1, { at: all }] }
`;
    expect(readObjectSync(text, { file: 'task.object.yml' })).toEqual({
      objectName: 'task',
      sync: {
        enabled: true,
        strategy: 'crdt',
        direction: 'bidirectional',
        debounce_ms: 2000,
        batch_size: 25,
        conflict_fields: ['title', 'status'],
      },
    });
  });

  test('takes an object without a sync block as not enabled', () => {
    expect(readObjectSync('name: task', { file: 'task.object.yml' })).toEqual({
      objectName: 'task',
      sync: { enabled: false },
    });
  });

  test('accepts conflict fields as they are when the file declares no fields', () => {
    const text = 'name: task\nsync: { enabled: true, conflict_fields: [title] }';
    expect(readObjectSync(text, { file: 'x' }).sync).toEqual({ enabled: true, conflict_fields: ['title'] });
  });

  test('reads blocks shared by anchors, aliases and merge keys', () => {
    const text = `
defaults: &defaults { enabled: true, strategy: crdt }
name: task
sync:
  <<: *defaults
  strategy: manual
`;
    expect(readObjectSync(text, { file: 'x' }).sync).toEqual({ enabled: true, strategy: 'manual' });
    expect(readObjectSync('a: &a { enabled: true }\nname: task\nsync: *a', { file: 'x' }).sync).toEqual({
      enabled: true,
    });
  });

  test('carries file, line, column and key of the first problem, and all of them as a list', () => {
    const error = refusal(() =>
      readObjectSync('name: task\nsync:\n  enabled: true\n  stratgey: crdt\n  batch_size: 0\n', {
        file: 'task.object.yml',
      }),
    );
    expect({
      ...error,
      message: error.message,
      file: error.file,
      line: error.line,
      column: error.column,
      key: error.key,
    }).toEqual({
      name: 'ObjectYamlError',
      file: 'task.object.yml',
      line: 4,
      column: 3,
      key: 'sync.stratgey',
      message: [
        'task.object.yml:4:3 sync.stratgey: unknown key; did you mean strategy?',
        'task.object.yml:5:3 sync.batch_size: must be a whole number of mutations, 1 or more, is 0',
      ].join('\n'),
      problems: [
        {
          file: 'task.object.yml',
          line: 4,
          column: 3,
          key: 'sync.stratgey',
          problem: 'unknown key; did you mean strategy?',
        },
        {
          file: 'task.object.yml',
          line: 5,
          column: 3,
          key: 'sync.batch_size',
          problem: 'must be a whole number of mutations, 1 or more, is 0',
        },
      ],
    });
  });

  const BAD_BLOCKS: readonly { readonly says: string; readonly sync: string; readonly expected: readonly string[] }[] =
    [
      {
        says: 'an unknown key that is like none',
        sync: 'enabled: true\n  colour: red',
        expected: [
          '3:3 sync.colour: unknown key; known are enabled, strategy, direction, debounce_ms, batch_size, conflict_fields',
        ],
      },
      {
        says: 'a key in the spelling of another language',
        sync: 'enabled: true\n  conflictFields: [a]',
        expected: ['3:3 sync.conflictFields: unknown key; did you mean conflict_fields?'],
      },
      {
        says: 'a prototype as a key',
        sync: 'enabled: true\n  __proto__: { strategy: crdt }',
        expected: [
          '3:3 sync.__proto__: unknown key; known are enabled, strategy, direction, debounce_ms, batch_size, conflict_fields',
        ],
      },
      {
        says: 'an unknown strategy',
        sync: 'enabled: true\n  strategy: last-writer-wins',
        expected: [
          '3:3 sync.strategy: must be last-write-wins, crdt or manual, is the text "last-writer-wins"; did you mean last-write-wins?',
        ],
      },
      {
        says: 'an unknown direction',
        sync: 'enabled: true\n  direction: sideways',
        expected: ['3:3 sync.direction: must be bidirectional, push-only or pull-only, is the text "sideways"'],
      },
      {
        says: 'a missing enabled',
        sync: 'strategy: crdt',
        expected: ['1:1 sync.enabled: is missing; must be true or false'],
      },
      {
        says: 'a yes that YAML takes for a text',
        sync: 'enabled: yes',
        expected: ['2:3 sync.enabled: must be true or false, is the text "yes"'],
      },
      {
        says: 'a value left empty',
        sync: 'enabled:',
        expected: ['2:3 sync.enabled: must be true or false, is empty'],
      },
      {
        says: 'a negative debounce',
        sync: 'enabled: true\n  debounce_ms: -5',
        expected: ['3:3 sync.debounce_ms: must be a whole number of milliseconds, from 0 to 2147483647, is -5'],
      },
      {
        says: 'a debounce that timers cannot wait for',
        sync: 'enabled: true\n  debounce_ms: 1e12',
        expected: [
          '3:3 sync.debounce_ms: must be a whole number of milliseconds, from 0 to 2147483647, is 1000000000000',
        ],
      },
      {
        says: 'a debounce that is no number',
        sync: 'enabled: true\n  debounce_ms: 2s',
        expected: [
          '3:3 sync.debounce_ms: must be a whole number of milliseconds, from 0 to 2147483647, is the text "2s"',
        ],
      },
      {
        says: 'a batch of a fraction',
        sync: 'enabled: true\n  batch_size: 2.5',
        expected: ['3:3 sync.batch_size: must be a whole number of mutations, 1 or more, is 2.5'],
      },
      {
        says: 'conflict fields that are no list',
        sync: 'enabled: true\n  conflict_fields: title',
        expected: ['3:3 sync.conflict_fields: must be a list of field names, is the text "title"'],
      },
      {
        says: 'a conflict field that is no name',
        sync: 'enabled: true\n  conflict_fields: [title, { a: b }]',
        expected: ['3:28 sync.conflict_fields[1]: must be the name of a field, is a mapping'],
      },
      {
        says: 'a key that stands twice',
        sync: 'enabled: true\n  enabled: false',
        expected: ['3:3 sync.enabled: stands here a second time; keep one'],
      },
      {
        says: 'all of several problems, from top to bottom',
        sync: 'batch_size: 0\n  enabld: true\n  strategy: magic\n  strategy: crdt',
        expected: [
          '1:1 sync.enabled: is missing; must be true or false',
          '2:3 sync.batch_size: must be a whole number of mutations, 1 or more, is 0',
          '3:3 sync.enabld: unknown key; did you mean enabled?',
          '5:3 sync.strategy: stands here a second time; keep one',
        ],
      },
    ];
  for (const { says, sync, expected } of BAD_BLOCKS) {
    test(`refuses ${says} in the sync block`, () => {
      const problems = problemsOf(`sync:\n  ${sync}\nname: task\n`);
      expect(problems).toEqual(expected.map((line) => `task.object.yml:${line}`));
    });
  }

  const BAD_FILES: readonly { readonly says: string; readonly text: string; readonly expected: readonly string[] }[] = [
    { says: 'an empty file', text: '', expected: ['1:1: must be a mapping with the name of an object'] },
    { says: 'a list', text: '- name: task', expected: ['1:1: must be a mapping with the name of an object'] },
    {
      says: 'a missing name',
      text: 'sync: { enabled: true }',
      expected: ['1:1 name: is missing; give the object its name'],
    },
    {
      says: 'an empty name',
      text: 'label: x\nname: ""',
      expected: ['2:1 name: must name the object with a text of 1 to 128 bytes'],
    },
    {
      says: 'a number for a name',
      text: 'name: 7',
      expected: ['1:1 name: must name the object with a text of 1 to 128 bytes'],
    },
    {
      says: 'a name that stands twice',
      text: 'name: task\nname: project',
      expected: ['2:1 name: stands here a second time; keep one'],
    },
    {
      says: 'a sync block left empty',
      text: 'name: task\nsync:',
      expected: ['2:1 sync: must be a mapping such as { enabled: true }, is empty'],
    },
    {
      says: 'a sync block that is a list',
      text: 'name: task\nsync: [enabled]',
      expected: ['2:1 sync: must be a mapping such as { enabled: true }, is a list'],
    },
    {
      says: 'a conflict field that the fields do not declare',
      text: 'name: task\nfields: { title: {}, status: {} }\nsync:\n  enabled: true\n  conflict_fields:\n    - titel\n    - constructor',
      expected: [
        '6:7 sync.conflict_fields[0]: titel is not declared in fields; did you mean title?',
        '7:7 sync.conflict_fields[1]: constructor is not declared in fields',
      ],
    },
    {
      says: 'a tab as indentation, and every other error of syntax',
      text: 'name: task\nsync:\n\tenabled: true\nfields: [a\nb: }',
      expected: [
        '3:1: Tabs are not allowed as indentation',
        '5:1: Flow sequence in block collection must be sufficiently indented and end with a ]',
        '5:4: Unexpected flow-map-end token in YAML stream: "}"',
      ],
    },
    {
      says: 'two documents in one file',
      text: 'name: task\n---\nname: project',
      expected: ['2:1: holds a second document; give each object a file of its own'],
    },
    {
      says: 'an alias without an anchor',
      text: 'name: task\nsync: *nowhere',
      expected: ['2:1 sync: Unresolved alias (the anchor must be set before the alias): nowhere'],
    },
    {
      says: 'aliases that grow beyond measure',
      text: [
        'name: task',
        'a: &a [1,2,3,4,5,6,7,8,9]',
        'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]',
        'c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]',
        'sync: [*c,*c]',
      ].join('\n'),
      expected: ['5:1 sync: Excessive alias count indicates a resource exhaustion attack'],
    },
  ];
  for (const { says, text, expected } of BAD_FILES) {
    test(`refuses ${says}`, () => {
      expect(problemsOf(text)).toEqual(expected.map((line) => `task.object.yml:${line}`));
    });
  }
});

describe('readObjectSyncFiles', () => {
  test('gives the configuration of each object by its name', () => {
    const files = [
      { file: 'task.object.yml', text: 'name: task\nsync: { enabled: true, strategy: crdt }' },
      { file: 'note.object.yml', text: 'name: note' },
    ];
    expect(readObjectSyncFiles(files)).toEqual(
      new Map([
        ['task', { enabled: true, strategy: 'crdt' }],
        ['note', { enabled: false }],
      ]),
    );
  });

  test('refuses two files of one object and names both', () => {
    const files = [
      { file: 'a/task.object.yml', text: 'name: task' },
      { file: 'b/task.object.yml', text: 'label: Task\nname: task' },
    ];
    expect(refusal(() => readObjectSyncFiles(files)).message).toBe(
      'b/task.object.yml:2:1 name: task is already the name of the object in a/task.object.yml; keep one of the two files',
    );
  });

  test('reports the problems of all files together', () => {
    const files = [
      { file: 'task.object.yml', text: 'name: task\nsync: { enabled: 1 }' },
      { file: 'note.object.yml', text: 'label: Note' },
    ];
    expect(refusal(() => readObjectSyncFiles(files)).message.split('\n')).toEqual([
      'task.object.yml:2:9 sync.enabled: must be true or false, is 1',
      'note.object.yml:1:1 name: is missing; give the object its name',
    ]);
  });
});
