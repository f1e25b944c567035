import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { updateBrokerConfig } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime, selfSigned } from '@skua-mq/runtime'
import { freePorts, startStandalone } from '../src/index.ts'
import { repository, ServerProcess } from './server-process.ts'

const home = mkdtempSync(join(tmpdir(), 'skua-command-'))
after(() => rmSync(home, { recursive: true, force: true }))
const bin = (name: string) => join(repository, 'bin', name)
const ports = () => freePorts(nodeRuntime().net, '127.0.0.1')

async function standalone(store: string, further: readonly string[] = []) {
  const { broker, nameServer } = await ports()
  const skua = ServerProcess.skua(
    ['--store', store, '--port', String(broker), '--namesrv-port', String(nameServer), ...further],
    { cwd: home },
  )
  await skua.says(/Skua is ready after \d+ ms/)
  return { skua, namesrv: `127.0.0.1:${nameServer}`, broker }
}

describe('skua', () => {
  test('says where it listens, sends and tails, and ends cleanly within a second on Ctrl-C', async () => {
    const { skua, namesrv, broker } = await standalone('first')
    assert.match(skua.output, new RegExp(`name server +${namesrv}`))
    assert.match(skua.output, new RegExp(`broker +127\\.0\\.0\\.1:${broker}`))
    assert.match(skua.output, /store +.*first/)
    const sent = ServerProcess.skua([
      'send',
      'Greetings',
      'hello there',
      '--tag',
      'A',
      '--key',
      'k',
      '--property',
      'color=red',
      '--count',
      '3',
      '-n',
      namesrv,
    ])
    assert.equal(await sent.exit(), 0, sent.errors)
    assert.equal(sent.output.match(/^SEND_OK /gm)?.length, 3)
    const tail = ServerProcess.skua(['tail', 'Greetings', '--from-start', '--count', '3', '-n', namesrv])
    assert.equal(await tail.exit(), 0, tail.errors)
    assert.equal(tail.output.match(/\[A\] hello there$/gm)?.length, 3)
    const { code, ms } = await skua.signal('SIGINT')
    assert.equal(code, 0, skua.errors)
    assert.ok(ms < 3000, `${ms} ms`)
  })

  test('takes only TLS where tls.server.mode and a tls.properties say so, and send checks the certificate', async () => {
    const { key, cert } = selfSigned()
    const write = (name: string, text: string) => {
      writeFileSync(join(home, name), text)
      return join(home, name)
    }
    const [keyFile, certFile] = [write('tls.key', key as string), write('tls.pem', cert as string)]
    const lines = ['tls.test.mode.enable=false', `tls.server.keyPath=${keyFile}`, `tls.server.certPath=${certFile}`]
    const file = write('tls.properties', lines.join('\n'))
    const { skua, namesrv } = await standalone('secure', [
      ...['--config', 'tls.server.mode=enforcing'],
      ...['--config', `tls.config.file=${file}`],
    ])
    const send = (...flags: string[]) => ServerProcess.skua(['send', 'Secret', 'hush', '-n', namesrv, ...flags])
    const [plain, trusted] = [send(), send('--tls-ca', certFile)]
    assert.equal(await trusted.exit(), 0, trusted.errors)
    assert.equal(await plain.exit(), 1)
    assert.match(plain.errors, /may take only TLS/)
    assert.equal((await skua.signal('SIGTERM')).code, 0)
  })

  test('keeps its messages over a restart', async () => {
    const first = await standalone('kept')
    await ServerProcess.skua(['send', 'Kept', 'still here', '-n', first.namesrv]).exit()
    assert.equal((await first.skua.signal('SIGTERM')).code, 0)
    const second = await standalone('kept')
    const tail = ServerProcess.skua(['tail', 'Kept', '--from-start', '--count', '1', '-n', second.namesrv])
    assert.equal(await tail.exit(), 0)
    assert.match(tail.output, /still here/)
    await second.skua.signal('SIGTERM')
  })

  test('a port in use, a locked store, an unknown flag and a wrong value are one line and exit code 1', async () => {
    const { skua, broker } = await standalone('locked')
    const taken = ServerProcess.skua([
      '--memory',
      '--port',
      String(broker),
      '--namesrv-port',
      String((await ports()).nameServer),
    ])
    assert.equal(await taken.exit(), 1)
    assert.match(taken.errors, new RegExp(`${broker}.*in use|EADDRINUSE`))
    const { broker: other, nameServer } = await ports()
    const locked = ServerProcess.skua(
      ['--store', 'locked', '--port', String(other), '--namesrv-port', String(nameServer)],
      { cwd: home },
    )
    assert.equal(await locked.exit(), 1)
    assert.match(locked.errors, /locked|in use/)
    for (const process of [taken, locked]) assert.equal(process.errors.trim().split('\n').length, 1, process.errors)
    assert.equal(await ServerProcess.skua(['--bogus']).exit(), 1)
    assert.equal(await ServerProcess.skua(['--memory', '--port', '0', '--config', 'maxMessageSize=huge']).exit(), 1)
    await skua.signal('SIGTERM')
  })

  test('each command has its help', async () => {
    for (const command of [[], ['nameserver'], ['broker'], ['send'], ['tail']]) {
      const help = ServerProcess.skua([...command, '--help'])
      assert.equal(await help.exit(), 0)
      assert.match(help.output, /Usage: skua/)
    }
  })
})

describe('bin/', () => {
  test('mqnamesrv and mqbroker start with Apache’s lines, survive SIGHUP, and mqshutdown ends them', async () => {
    const { broker: port, nameServer } = await ports()
    const own = join(home, 'servers')
    mkdirSync(own)
    writeFileSync(join(own, 'namesrv.conf'), `listenPort=${nameServer}\nbindAddress=127.0.0.1\n`)
    writeFileSync(
      join(own, 'broker.conf'),
      `brokerClusterName=DefaultCluster\nbrokerName=broker-a\nbrokerId=0\ndeleteWhen=04\nfileReservedTime=48\nbrokerRole=ASYNC_MASTER\nflushDiskType=ASYNC_FLUSH\nenablePropertyFilter=true\nbrokerIP1=127.0.0.1\nlistenPort=${port}\nmapedFileSizeCommitLog=1048576\ntransientStorePoolEnable=false\nfileReservdTime=1\n`,
    )
    const env = { HOME: own, NAMESRV_ADDR: '' }
    const names = new ServerProcess('sh', [bin('mqnamesrv'), '-c', join(own, 'namesrv.conf')], { cwd: own, env })
    await names.says(/^The Name Server boot success\. serializeType=JSON$/m)
    const broker = new ServerProcess(
      'sh',
      [bin('mqbroker'), '-n', `127.0.0.1:${nameServer}`, '-c', join(own, 'broker.conf')],
      { cwd: own, env },
    )
    await broker.says(
      new RegExp(
        `^The broker\\[broker-a, 127\\.0\\.0\\.1:${port}\\] boot success\\. serializeType=JSON and name server is 127\\.0\\.0\\.1:${nameServer}$`,
        'm',
      ),
    )
    assert.match(broker.errors, /broker\.conf:13: unknown key fileReservdTime; did you mean fileReservedTime\?/)
    assert.match(broker.errors, /without effect here: .*transientStorePoolEnable/)
    for (const server of [names, broker]) server.child.kill('SIGHUP')
    await new Promise(resolve => setTimeout(resolve, 200))
    // On a busy machine the first registration may take longer than the second that a start waits for it.
    const until = Date.now() + 20_000
    const send = async (): Promise<void> => {
      const sent = ServerProcess.skua(['send', 'Hup', 'x', '-n', `127.0.0.1:${nameServer}`])
      const sentCode = await sent.exit()
      if (sentCode !== 0 && Date.now() < until) return send()
      assert.equal(sentCode, 0, `${sent.errors} ${broker.errors} ${names.errors} broker: ${broker.child.exitCode}`)
    }
    // Whoever read its lines may go; the line about the new topic then reaches nobody.
    broker.child.stdout?.destroy()
    broker.child.stderr?.destroy()
    await send()
    const logged = (name: string) => readFileSync(join(own, 'logs', 'rocketmqlogs', name), 'utf8')
    assert.match(logged('broker.log'), /^20\d\d-[\dT:.-]+Z INFO topic created: topic=Hup /m)
    assert.match(logged('namesrv.log'), /^20\d\d-[\dT:.-]+Z INFO /m)
    const client = new RemotingClient(nodeRuntime())
    const changed = await client.request(
      `127.0.0.1:${port}`,
      updateBrokerConfig,
      {},
      { body: Buffer.from('transactionCheckMax=9\n') },
    )
    assert.equal(changed.code, 0, changed.remark)
    await client.close()
    assert.match(readFileSync(join(own, 'broker.conf'), 'utf8'), /^transactionCheckMax=9$/m)
    const list = ServerProcess.skua(['tx', 'list', '-n', `127.0.0.1:${nameServer}`])
    assert.equal(await list.exit(), 0, list.errors)
    assert.match(list.output, /^no transaction is pending\n$/)
    const { code } = await broker.signal('SIGTERM')
    assert.equal(code, 0)
    assert.equal((await names.signal('SIGTERM')).code, 0)
  })

  test('-p prints the configuration in effect, and a slave with the id of a master is refused', async () => {
    const conf = join(home, 'slave.conf')
    writeFileSync(conf, 'fileReservedTime=12\n')
    const printed = new ServerProcess('sh', [bin('mqbroker'), '-c', conf, '-p'], { env: { HOME: home } })
    assert.equal(await printed.exit(), 0)
    assert.match(printed.output, /^fileReservedTime=12$/m)
    writeFileSync(conf, 'brokerRole=SLAVE\n')
    const slave = new ServerProcess('sh', [bin('mqbroker'), '-c', conf], { env: { HOME: home } })
    assert.equal(await slave.exit(), 1)
    assert.match(slave.errors, /brokerRole=SLAVE: brokerId=0 is that of a master/)
  })

  test('an unknown key is told with its line and the nearest one; a broken file is one line and exit code 1', async () => {
    const conf = join(home, 'odd.conf')
    writeFileSync(conf, 'brokerName=b\nfileReservedTme=12\n')
    const odd = new ServerProcess('sh', [bin('mqbroker'), '-c', conf, '-p'], { env: { HOME: home } })
    assert.equal(await odd.exit(), 0)
    assert.match(odd.errors, /odd\.conf:2.*fileReservedTme.*fileReservedTime/)
    writeFileSync(conf, 'listenPort=many\n')
    const broken = new ServerProcess('sh', [bin('mqbroker'), '-c', conf], { env: { HOME: home } })
    assert.equal(await broken.exit(), 1)
    assert.equal(broken.errors.trim().split('\n').length, 1, broken.errors)
  })

  test('mqshutdown says when nothing runs', async () => {
    const nothing = new ServerProcess('sh', [bin('mqshutdown'), 'elephant'])
    assert.equal(await nothing.exit(), 1)
    assert.match(nothing.errors, /Usage/)
  })
})

describe('startStandalone', () => {
  test('two of them live in one process', async () => {
    const [a, b] = await Promise.all([
      startStandalone({ port: 0, store: 'memory' }),
      startStandalone({ port: 0, store: join(home, 'two') }),
    ])
    assert.notEqual(a.namesrvAddr, b.namesrvAddr)
    assert.notEqual(a.brokers[0]?.address, b.brokers[0]?.address)
    await Promise.all([a.stop(), b.stop()])
  })
})
