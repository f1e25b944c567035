import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { type CommandStream, Questions } from '../../src/clients/questions.ts'
import type { TelemetryDraft, TelemetryValue } from '../../src/v2/telemetry.ts'

function setting() {
  const clock = new SimClock()
  const questions = new Questions(clock)
  const asked: string[] = []
  const stream = () =>
    ({
      send: (draft: TelemetryDraft) => asked.push(draft.printThreadStackTraceCommand?.nonce ?? '') > 0,
    }) as unknown as CommandStream
  const command = (nonce: string): TelemetryDraft => ({ printThreadStackTraceCommand: { nonce } })
  const answer = (nonce: string) =>
    ({ threadStackTrace: { nonce, threadStackTrace: 'x' } }) as unknown as TelemetryValue
  return { clock, questions, asked, stream, command, answer }
}

test('an answer counts once, on the stream that the question went down, and for its own question', async () => {
  const { questions, asked, stream, command, answer } = setting()
  const [one, other] = [stream(), stream()]
  const first = questions.ask(one, command)
  const second = questions.ask(other, command)
  const [nonce, otherNonce] = asked as [string, string]
  assert.notEqual(nonce, otherNonce)
  let told: TelemetryValue | undefined
  void first.then(value => {
    told = value
  })
  questions.take(other, answer(nonce))
  await Promise.resolve()
  assert.equal(told, undefined, 'what another client says of it is no answer')
  questions.take(one, answer(nonce))
  assert.equal((await first)?.threadStackTrace?.nonce, nonce)
  questions.take(other, answer(otherNonce))
  assert.equal((await second)?.threadStackTrace?.nonce, otherNonce)
})

test('who does not answer in nine seconds, or has no stream, has no answer', async () => {
  const { clock, questions, stream, command } = setting()
  assert.equal(await questions.ask(undefined, command), undefined)
  const begunMs = clock.monotonic()
  assert.equal(await clock.until(questions.ask(stream(), command)), undefined)
  assert.equal(clock.monotonic() - begunMs, 9000)
})

test('a thousand questions wait; one more is not asked, and a stop answers all of them', async () => {
  const { questions, asked, stream, command } = setting()
  const one = stream()
  const waiting = Array.from({ length: 1000 }, () => questions.ask(one, command))
  assert.equal(await questions.ask(one, command), undefined)
  assert.equal(asked.length, 1000)
  questions.stop()
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set([undefined]))
})
