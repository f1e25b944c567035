import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  type Command,
  decodeFrame,
  decodeRecords,
  encodeFrame,
  isResponse,
  type RequestSpec,
  readFields,
  requestByCode,
  writeFields,
} from '@skua-mq/protocol'
import { exchangesOf } from '../src/record/exchange.ts'
import { readRecording } from '../src/record/frame-line.ts'

const dir = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'test', 'recorded')
const files = readdirSync(dir).sort()

/** Reply codes whose header and body are the answer that was asked for. */
const answers = new Set([0, 10, 11, 12, 19, 20, 21])

/** The header as our table of requests reads it, and what that writes, read again. */
function reread(fields: RequestSpec['header'], command: Command): void {
  const value = readFields(fields, command.extFields)
  const written = writeFields(fields, value)
  assert.deepEqual(readFields(fields, written), value)
  for (const [name, text] of Object.entries(written)) {
    if (name in command.extFields) assert.equal(text, command.extFields[name], name)
  }
}

describe('frames recorded between official clients and RocketMQ', () => {
  test('are there for every client', () => {
    for (const client of ['java-4.9.8', 'java-5.3.3', 'go-', 'ali-ons-']) {
      assert.ok(files.some(file => file.startsWith(client)))
    }
  })

  for (const file of files) {
    test(`${file}: each is read, and equal in meaning when it is written again`, () => {
      const exchanges = exchangesOf(readRecording(join(dir, file)))
      assert.ok(exchanges.length > 0)
      for (const { command, request, number } of exchanges) {
        const frame = encodeFrame(command)
        assert.deepEqual(decodeFrame(frame, 0, frame.length), command, `line ${number}`)
        const code = isResponse(command) ? request?.code : command.code
        const spec = requestByCode(code ?? -1)
        assert.ok(spec !== undefined, `line ${number}: code ${code} is unknown`)
        if (!isResponse(command)) {
          reread(spec.header, command)
          rereadBody(spec.body, command)
        } else if (answers.has(command.code)) {
          reread(spec.reply, command)
          rereadBody(spec.replyBody, command)
        }
      }
    })

    test(`${file}: messages that were pulled are sound`, () => {
      for (const { command, request } of exchangesOf(readRecording(join(dir, file)))) {
        if (!isResponse(command) || command.code !== 0 || (request?.code !== 11 && request?.code !== 361)) continue
        const body = command.body ?? new Uint8Array()
        const messages = [...decodeRecords(body, { verifyCrc: true })]
        assert.equal(
          messages.reduce((sum, message) => sum + message.storeSize, 0),
          body.length,
        )
      }
    })
  }
})

function rereadBody(codec: RequestSpec['body'], command: Command): void {
  if (codec === undefined || command.body === undefined) return
  const value = codec.decode(command.body)
  assert.deepEqual(codec.decode(codec.encode(value)), value)
}
