import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonLine, textLine } from '../../src/command/log/line.ts'

const at = Date.UTC(2026, 10, 29, 10, 0, 0, 7)

test('a line has its time and level; what a peer chooses stays within it', () => {
  const group = 'g\nERROR disk is full: path=/\u001b[2J'
  const line = textLine({ level: 'warn', name: 'consumer offset moved back', fields: { group, from: 7 } }, at)
  const told = 'group=g\\u000aERROR disk is full: path=/\\u001b[2J from=7'
  assert.equal(line, `2026-11-29T10:00:00.007Z WARN consumer offset moved back: ${told}`)
  assert.equal(textLine({ level: 'info', name: 'ready', fields: {} }, at), '2026-11-29T10:00:00.007Z INFO ready')
})

test('as JSON it is one object, whatever is told', () => {
  const fields = { level: 'none', error: new Error('broken\nindeed'), big: 5n, list: [1, { a: 'b' }] }
  const line = jsonLine({ level: 'error', name: 'disk failed', fields }, at)
  assert.ok(!line.includes('\n'))
  assert.deepEqual(JSON.parse(line), {
    time: '2026-11-29T10:00:00.007Z',
    level: 'error',
    event: 'disk failed',
    fields: { level: 'none', error: 'Error: broken\nindeed', big: '5', list: [1, { a: 'b' }] },
  })
})

test('where several brokers write into one place, a line says whose it is', () => {
  const event = { level: 'info', name: 'ready', fields: { port: 1 } } as const
  assert.equal(textLine(event, at, 'broker-a-1'), '2026-11-29T10:00:00.007Z INFO [broker-a-1] ready: port=1')
  assert.equal(JSON.parse(jsonLine(event, at, 'broker-a-1')).broker, 'broker-a-1')
})
