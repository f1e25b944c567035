import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { Producer } from '@skua-mq/client'
import { cluster, fresh } from './harness.ts'

const { namesrvAddr } = await cluster()

/** An HTTP server that answers every request so. */
async function endpoint(status: number, body: string): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(body))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/rocketmq/nsaddr`
}

test('name servers are found through an HTTP endpoint', async () => {
  const namesrvEndpoint = await endpoint(200, `${namesrvAddr}\n`)
  await using producer = new Producer({ namesrvAddr: [], namesrvEndpoint, group: fresh('pg') })
  assert.equal((await producer.send({ topic: fresh('T'), body: 'x' })).sendStatus, 'SEND_OK')
})

test('an endpoint that gives no list is named in the error', async () => {
  for (const [status, body] of [
    [404, ''],
    [200, ' '],
  ] as const) {
    const namesrvEndpoint = await endpoint(status, body)
    await using producer = new Producer({ namesrvAddr: [], namesrvEndpoint, group: fresh('pg') })
    await assert.rejects(producer.start(), { code: 'NAME_SERVER', message: /nsaddr gives no name server list/ })
  }
})
