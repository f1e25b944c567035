import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { answerLargeJson } from '../src/http/answer.ts'
import { patienceMs, writeTo } from '../src/http/reader.ts'
import { dash, get, query } from './dash.ts'

/** A request of somebody who reads nothing, at a server of our own. */
async function withDeafReader(use: (response: ServerResponse) => Promise<void>): Promise<void> {
  const server = createServer()
  const asked = new Promise<ServerResponse>(resolve => server.on('request', (_, response) => resolve(response)))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  try {
    await use(await asked)
  } finally {
    socket.destroy()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
}

const large = 'x'.repeat(15 * 1024 * 1024)

test(
  'an answer that nobody reads is not given to the socket as a whole, and the connection is closed',
  { timeout: 20_000 },
  () =>
    withDeafReader(async response => {
      const clock = new SimClock()
      const over = answerLargeJson(response, { large }, clock)
      while (!response.writableNeedDrain) await new Promise(resolve => setImmediate(resolve))
      assert.ok(response.writableLength < 1024 * 1024, `${response.writableLength} bytes wait`)
      while (!response.destroyed) {
        clock.advance(patienceMs + 1)
        await new Promise(resolve => setImmediate(resolve))
      }
      await over
    }),
)

test('a stream waits for its reader, and leaves no listener behind for each time', { timeout: 20_000 }, () =>
  withDeafReader(async response => {
    const clock = new SimClock()
    const before = response.listenerCount('close')
    response.socket!.on('drain', () => {})
    let isOver = false
    const writes = (async () => {
      for (let i = 0; i < 400 && !response.destroyed; i++) await writeTo(response, clock, 'y'.repeat(64 * 1024))
      isOver = true
    })()
    while (!response.writableNeedDrain) await new Promise(resolve => setImmediate(resolve))
    assert.equal(response.listenerCount('close'), before + 1)
    assert.equal(isOver, false)
    clock.advance(patienceMs + 1)
    await writes
    assert.ok(response.destroyed)
    assert.equal(response.listenerCount('close'), before)
    assert.equal(response.listenerCount('drain'), 0)
  }),
)

test('parameters with names that every object has, and encodings that are none, are refused and no fault', async () => {
  const at = await dash({ namesrvAddr: '127.0.0.1:1', clusters: undefined })
  try {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      const { status, text } = await get(at, `/api/changes?${name}=1`)
      assert.equal(status, 400, `${name}: ${text}`)
    }
    const { status } = await get(at, `/api/groups/members?${query({ groups: '%,%zz' })}`)
    assert.notEqual(status, 500)
  } finally {
    await at.stop()
  }
})
