import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OpenChanges } from '../../src/persist/open-changes.ts'

/** A table of one entry. */
class Entry {
  now: string | undefined = 'settled'
  readonly open = new OpenChanges<string>()

  change(value: string | undefined) {
    const change = this.open.begin('key', { before: this.now, value })
    this.now = value
    return {
      saved: () => this.open.saved(change),
      refused: () => {
        this.now = this.open.refused(change, this.now)
      },
    }
  }
}

describe('changes of one entry that are not on disk yet', () => {
  test('what is refused goes back to what it was, whichever of two is refused first', () => {
    const entry = new Entry()
    const [a, b] = [entry.change('a'), entry.change('b')]
    a.refused()
    assert.equal(entry.now, 'b')
    b.refused()
    assert.equal(entry.now, 'settled')
    const [c, d] = [entry.change('c'), entry.change('d')]
    d.refused()
    assert.equal(entry.now, 'c')
    c.refused()
    assert.equal(entry.now, 'settled')
    const [e, f] = [entry.change(undefined), entry.change('f')]
    e.refused()
    assert.equal(entry.now, 'f')
    f.refused()
    assert.equal(entry.now, 'settled')
  })

  test('what was saved stays, before the refused one and behind it', () => {
    const entry = new Entry()
    const [a, b] = [entry.change('a'), entry.change(undefined)]
    a.saved()
    b.refused()
    assert.equal(entry.now, 'a')
    const [c, d] = [entry.change('c'), entry.change('d')]
    c.refused()
    d.saved()
    assert.equal(entry.now, 'd')
    entry.change('e').refused()
    assert.equal(entry.now, 'd')
  })

  test('what changed by itself meanwhile stays, but for an entry that was taken out', () => {
    const entry = new Entry()
    const a = entry.change('a')
    entry.now = 'other'
    a.refused()
    assert.equal(entry.now, 'other')
    const b = entry.change(undefined)
    entry.now = 'made anew'
    b.refused()
    assert.equal(entry.now, 'other')
  })

  test('a refused deletion leaves what came behind a later change', () => {
    const entry = new Entry()
    const gone = entry.change(undefined)
    entry.change('later')
    entry.now = 'by itself'
    gone.refused()
    assert.equal(entry.now, 'by itself')
  })

  test('of another table nothing goes back', () => {
    const entry = new Entry()
    const a = entry.change(undefined)
    entry.open.forget()
    entry.now = 'of the master'
    a.refused()
    assert.equal(entry.now, 'of the master')
  })
})
