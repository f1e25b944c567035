import { defineEvent, type Events } from '@skua-mq/runtime'

const openToAll = defineEvent<{ port: number; remark: string }>('no access control', 'warn')

const loopback = /^(127\.|::1$|localhost$)/

/** Said at the start of a broker that others than this machine reach, and that asks nobody who they are. */
export function tellOpenToAll(
  events: Events,
  { host, listenPort, aclEnable }: { host: string; listenPort: number; aclEnable: boolean },
): void {
  if (aclEnable || loopback.test(host)) return
  const remark = 'whoever reaches this port may do everything: aclEnable=true asks for accounts (docs/security.md)'
  events.emit(openToAll({ port: listenPort, remark }))
}
