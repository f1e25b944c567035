import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timeOf } from '../src/command/mqadmin/frame/flag.ts'
import { targetOf } from '../src/command/people/reset-target.ts'
import { whenOf } from '../src/command/people/when.ts'

const moment = Date.UTC(2026, 9, 24, 7, 0, 0)

test('a time that says its zone is the same moment on every machine, in all commands that the dashboard shows', () => {
  for (const given of [
    '2026-10-24T09:00:00+02:00',
    '2026-10-24T07:00:00Z',
    '2026-10-24T07:00Z',
    '2026-10-23T22:30:00-08:30',
  ]) {
    assert.equal(timeOf(given), moment, given)
    assert.deepEqual(targetOf(given), { timestampMs: moment }, given)
    assert.equal(whenOf(given, 0), moment, given)
  }
  for (const wrong of ['2026-13-24T07:00:00Z', '2026-10-24T07:00:00+2', '2026-10-24Z'])
    assert.throws(() => timeOf(wrong))
})
