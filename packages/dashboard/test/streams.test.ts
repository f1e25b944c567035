import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startStandalone } from 'skua'
import { maxDownloads, Streams } from '../src/streams.ts'
import { dash, get } from './dash.ts'

const skua = await startStandalone({ port: 0, store: 'memory', topics: ['Orders'] })
const { namesrvAddr } = skua
after(() => skua.stop())

test('one user cannot take the streams of others, nor all together more than there are; the refusal names the setting', async () => {
  const authorize = ({ headers }: { headers: Readonly<Record<string, unknown>> }) => ({
    name: String(headers['x-user']),
    role: 'view' as const,
  })
  const listener = await dash({ namesrvAddr, clusters: undefined, authorize, maxStreams: 5, maxStreamsPerUser: 3 })
  const gone = new AbortController()
  const tail = (user: string) =>
    fetch(`${listener.url}api/tail?topic=Orders`, { signal: gone.signal, headers: { 'x-user': user } })
  const refused = async (user: string) => {
    // One that is not refused would not end.
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(5_000)])
    const response = await fetch(`${listener.url}api/tail?topic=Orders`, { signal, headers: { 'x-user': user } })
    assert.equal(response.status, 503)
    return ((await response.json()) as { error: { code: string; message: string } }).error
  }
  try {
    for (const user of ['ada', 'ada', 'ada', 'val']) assert.equal((await tail(user)).status, 200)
    const own = await refused('ada')
    assert.equal(own.code, 'BUSY')
    assert.match(own.message, /ada has 3 streams.*maxStreamsPerUser \(--max-streams-per-user\)/)
    assert.equal((await tail('val')).status, 200)
    assert.match((await refused('eve')).message, /5 streams are open.*maxStreams \(--max-streams\)/)
    // Questions are no streams.
    assert.equal((await get(listener, '/api/names', { headers: { 'x-user': 'ada' } })).status, 200)
  } finally {
    gone.abort()
    await listener.stop()
  }
})

test('what has ended counts no more, however often it is ended; downloads have places of their own', () => {
  const streams = new Streams({ maxStreams: 32, maxStreamsPerUser: 2 })
  const ada = { name: 'ada', role: 'view' } as const
  const ends = [streams.begin(ada, false), streams.begin(ada, false)]
  assert.throws(() => streams.begin(ada, false), /maxStreamsPerUser/)
  ends[0]!()
  ends[0]!()
  streams.begin(ada, false)
  assert.throws(() => streams.begin(ada, false), /maxStreamsPerUser/)
  const downloads = Array.from({ length: maxDownloads }, (_, n) => streams.begin({ name: `u${n}`, role: 'view' }, true))
  assert.throws(() => streams.begin({ name: 'eve', role: 'view' }, true), /downloads/)
  downloads[0]!()
  streams.begin({ name: 'eve', role: 'view' }, true)
})

test('bounds that are none are refused at the start', () => {
  for (const maxStreams of [0, -1, 1.5, Number.NaN]) assert.throws(() => new Streams({ maxStreams }), /maxStreams is/)
})
