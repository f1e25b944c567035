import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Event, EventHub } from '@skua-mq/runtime'
import { tellOpenToAll } from '../src/command/open-to-all.ts'

test('a broker beyond loopback that asks nobody who they are says so; another one does not', () => {
  const told = (host: string, aclEnable: boolean) => {
    const events = new EventHub()
    const seen: Event[] = []
    events.subscribe(event => seen.push(event))
    tellOpenToAll(events, { host, listenPort: 10911, aclEnable })
    return seen.length
  }
  for (const host of ['', '0.0.0.0', '::', '10.0.0.7']) assert.deepEqual([told(host, false), told(host, true)], [1, 0])
  for (const host of ['127.0.0.1', '::1', 'localhost']) assert.equal(told(host, false), 0)
})
