import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Code, protocolMessages } from '@skua-mq/gateway'
import { grpcNodeModules } from '../src/grpc-node-client.ts'

interface Field {
  readonly number: number
  readonly kind: string
}

/** Messages of a .proto file: name to field to number. */
function messagesOf(text: string): Map<string, Map<string, Field>> {
  const plain = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
  const messages = new Map<string, Map<string, Field>>()
  for (const [, name, rest] of plain.matchAll(/\bmessage\s+(\w+)\s*\{((?:[^{}]|\{[^{}]*\})*)\}/g)) {
    const fields = new Map<string, Field>()
    const pattern = /(?:(optional|repeated)\s+)?(map<[^>]+>|[\w.]+)\s+(\w+)\s*=\s*(\d+)/g
    for (const [, label, type, field, number] of (rest as string).matchAll(pattern))
      fields.set(field as string, { number: Number(number), kind: `${label ?? ''} ${type}`.trim() })
    messages.set(name as string, fields)
  }
  return messages
}

const snake = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/** The file that the Node client ships lacks what is newest; nothing else may differ. */
const newer = new Set(['Settings.client_properties'])

test('messages have the names and numbers of the clients’ own .proto files', async () => {
  const folder = join(await grpcNodeModules(), 'rocketmq-client-nodejs', 'proto', 'apache', 'rocketmq', 'v2')
  const theirs = new Map(
    ['definition.proto', 'service.proto'].flatMap(name => [...messagesOf(readFileSync(join(folder, name), 'utf8'))]),
  )
  const named = new Map(protocolMessages.map(message => [message.name, message]))
  for (const answer of ['HeartbeatResponse', 'EndTransactionResponse', 'NotifyClientTerminationResponse'])
    assert.deepEqual([...(theirs.get(answer) ?? [])], [['status', { number: 1, kind: 'Status' }]], answer)
  let compared = 0
  for (const [name, message] of named) {
    const fields = theirs.get(name)
    if (name === 'Timestamp' || name === 'Duration' || name === 'StatusResponse') continue
    assert.ok(fields !== undefined, `there is no message ${name}`)
    for (const [key, [number]] of Object.entries(message.fields)) {
      if (newer.has(`${name}.${snake(key)}`)) continue
      assert.equal(fields.get(snake(key))?.number, number, `${name}.${snake(key)}`)
      compared++
    }
    const known = new Set(Object.keys(message.fields).map(snake))
    const missing = [...fields.keys()].filter(field => !known.has(field) && name !== 'TelemetryCommand')
    assert.deepEqual(missing, [], `${name}: fields that are not known here`)
  }
  assert.ok(compared > 120, `${compared} fields`)
})

test('codes have the clients’ numbers', async () => {
  const folder = join(await grpcNodeModules(), 'rocketmq-client-nodejs', 'proto', 'apache', 'rocketmq', 'v2')
  const text = readFileSync(join(folder, 'definition.proto'), 'utf8')
  const enumText = /enum\s+Code\s*\{([\s\S]*?)\n\}/.exec(text)?.[1] ?? ''
  const numbers = new Map([...enumText.matchAll(/^\s*(\w+)\s*=\s*(\d+);/gm)].map(([, name, n]) => [name, Number(n)]))
  for (const [name, number] of Object.entries(Code)) {
    const theirs = numbers.get(snake(name).toUpperCase())
    assert.equal(theirs, number, name)
  }
})
