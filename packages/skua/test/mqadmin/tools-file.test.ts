import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ServerProcess } from '../server-process.ts'

const home = mkdtempSync(join(tmpdir(), 'skua-tools-'))
after(() => rmSync(home, { recursive: true, force: true }))

test('the built mqadmin reads Apache’s tools.yml', async () => {
  mkdirSync(join(home, 'conf'))
  const run = async (text: string) => {
    writeFileSync(join(home, 'conf', 'tools.yml'), text)
    const admin = ServerProcess.skua(['mqadmin', 'topicList', '-n', '127.0.0.1:1'], { env: { ROCKETMQ_HOME: home } })
    await admin.exit()
    return admin.errors
  }
  assert.match(await run('accessKey: a\nsecretKey: bcdefgh\n'), /no name server answers/)
  assert.match(await run('accessKey: a\n'), /secret/i)
  assert.match(await run('accessKey: "a\n'), /tools\.yml: /)
})
