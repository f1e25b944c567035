import { Failure } from '@skua-mq/runtime'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { AclFiles } from './acl-files.ts'
import { AclGate } from './acl-gate.ts'
import { aclRoutes } from './routes.ts'

/** The secret key of an account; undefined where nobody is asked who he is. */
export interface Secrets {
  readonly secretOf: ((accessKey: string) => string | undefined) | undefined
}

/** Who may do what: access control 1.0 of RocketMQ 4.9, by the files of `rocketmqHome`. */
export const accessControl: Feature<On<'config' | 'dialect' | 'runtime' | 'brokerAddr' | 'homeDisk'>, Secrets> = {
  name: 'access control',
  make: ({ config, dialect, runtime, brokerAddr, homeDisk }) => {
    if (!config.aclEnable) return { gives: { secretOf: undefined } }
    if (config.rocketmqHome === '') {
      const remark =
        'aclEnable=true takes rocketmqHome (or ROCKETMQ_HOME): accounts are read from conf/plain_acl.yml there'
      throw new Failure('ECONFIG', remark)
    }
    const files = new AclFiles(config.rocketmqHome, { ...runtime, disk: homeDisk })
    const gate = new AclGate(files, { events: runtime.events, now: () => runtime.clock.monotonic(), dialect })
    const secretOf = (accessKey: string) => files.rules.secretOf(accessKey)
    return { gives: { secretOf }, tables: [files], fullGates: [gate], routes: aclRoutes(files, { brokerAddr, config }) }
  },
}
