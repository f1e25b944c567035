import assert from 'node:assert/strict'
import { test } from 'node:test'
import { declarationsIn, publicDeclarations } from '../declarations.ts'

test('everything that the client exports says what it is', () => {
  const all = publicDeclarations('client')
  assert.ok(all.length > 50, `${all.length} exports`)
  assert.deepEqual(
    all.filter(({ doc }) => doc === '').map(({ name }) => name),
    [],
  )
})

test('a declaration is read whole, with what is said about it and without its private members', () => {
  const text = [
    '/** One (thing',
    ' * in two lines. */',
    'export declare class Thing {',
    '    /** Hidden. */',
    '    private readonly inner;',
    '    /** Says {. */',
    '    run({ now }?: {',
    '        now?: boolean;',
    '    }): void;',
    '}',
    'export declare function silent(a: string): void;',
    'export declare function silent(a: number): void;',
  ].join('\n')
  assert.deepEqual(declarationsIn(text), [
    {
      ...{ name: 'Thing', kind: 'class', doc: 'One (thing\nin two lines.' },
      text: 'class Thing {\n    /** Says {. */\n    run({ now }?: {\n        now?: boolean;\n    }): void;\n}',
    },
    {
      name: 'silent',
      kind: 'function',
      doc: '',
      text: 'function silent(a: string): void;\nfunction silent(a: number): void;',
    },
  ])
})
