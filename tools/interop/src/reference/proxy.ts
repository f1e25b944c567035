import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-ports.ts'
import { jvmArguments, makeHome } from './home.ts'
import { proxyJars } from './jars.ts'
import { ServerProcess } from './server-process.ts'

export interface ReferenceProxy {
  /** For gRPC clients. */
  readonly grpcAddr: string
  readonly pid: number
  stop(): Promise<void>
}

/** The real proxy of Apache RocketMQ 5.3.3 before the brokers of a name server; ready when it listens. */
export async function startReferenceProxy(namesrvAddr: string, { heapMb = 512 } = {}): Promise<ReferenceProxy> {
  const dir = mkdtempSync(join(tmpdir(), 'skua-proxy-'))
  const lib = await proxyJars()
  const [grpcServerPort, remotingListenPort] = [await freePort(), await freePort()]
  makeHome(dir)
  const config = join(dir, 'rmq-proxy.json')
  const settings = { rocketMQClusterName: 'DefaultCluster', namesrvAddr, grpcServerPort, remotingListenPort }
  writeFileSync(config, JSON.stringify(settings))
  const proxy = new ServerProcess(
    [
      ...jvmArguments(dir, heapMb),
      ...['-cp', `${dir}/conf:${lib}/*`, 'org.apache.rocketmq.proxy.ProxyStartup'],
      ...['-n', namesrvAddr, '-pc', config, '-pm', 'cluster'],
    ],
    { home: dir, log: join(dir, 'proxy.out') },
  )
  await proxy.until(() => listens(grpcServerPort), 'the proxy listens')
  return {
    grpcAddr: `127.0.0.1:${grpcServerPort}`,
    pid: proxy.pid,
    stop: async () => {
      await proxy.stop('SIGKILL')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const listens = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
