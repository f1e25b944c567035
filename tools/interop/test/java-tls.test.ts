import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, type TestContext, test } from 'node:test'
import { selfSigned, type TlsServer } from '@skua-mq/runtime'
import { javaClient, javaVersions } from '../src/java-client.ts'
import { startSkua } from '../src/start-skua.ts'
import { skipWithout } from '../src/toolchain.ts'

interface Got {
  body: string
}

for (const version of javaVersions) {
  describe(`the official Java client ${version} over TLS`, { skip: skipWithout('java') }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'skua-tls-'))
    after(() => rmSync(directory, { recursive: true, force: true }))
    const write = (name: string, text: string) => {
      const path = join(directory, name)
      writeFileSync(path, text)
      return path
    }
    const started = async (t: TestContext, { tls, jvm }: { tls: TlsServer; jvm: readonly string[] }) => {
      const skua = await startSkua({ port: 0, store: 'memory', tls, tlsClient: { trust: 'any', identity } })
      t.after(() => skua.stop())
      const java = await javaClient(version, { jvm: ['-Dtls.enable=true', ...jvm] })
      t.after(() => java.kill())
      return { namesrv: skua.namesrvAddr, java }
    }
    const exchange = async ({ namesrv, java }: Awaited<ReturnType<typeof started>>) => {
      await java.call('send', { namesrv, topic: 'Secret', count: 5 })
      await java.call('push', { namesrv, topic: 'Secret', name: 'c', group: 'secret' })
      const got = await java.call<Got[]>('received', { name: 'c', count: 5, timeoutMs: 10_000 })
      assert.deepEqual(got.map(({ body }) => body).sort(), ['hello 0', 'hello 1', 'hello 2', 'hello 3', 'hello 4'])
    }
    const identity = selfSigned()

    test('sends and receives with an enforcing server, both in test mode', async t => {
      await exchange(await started(t, { tls: { mode: 'enforcing' }, jvm: [] }))
    })

    test('sends and receives when both sides check certificates', async t => {
      const server = selfSigned()
      const config = write(
        'tls.properties',
        [
          'tls.test.mode.enable=false',
          'tls.client.authServer=true',
          `tls.client.trustCertPath=${write('server.pem', server.cert as string)}`,
          `tls.client.certPath=${write('client.pem', identity.cert as string)}`,
          `tls.client.keyPath=${write('client.key', identity.key as string)}`,
        ].join('\n'),
      )
      const tls = { mode: 'enforcing', identity: server, clientAuth: 'require', ca: identity.cert } as const
      await exchange(await started(t, { tls, jvm: [`-Dtls.config.file=${config}`] }))
    })
  })
}
