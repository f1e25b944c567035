import { nodeRuntime, OptionError } from '@skua-mq/runtime'
import type { FamilyConfig } from '../masters/family.ts'
import { leftBehind, leftBehindRemark } from '../masters/left-behind.ts'
import type { MasterKeys } from '../masters/options.ts'

/** Throws OptionError where several masters are wanted of a process that has one, or where a store has messages of further ones. */
export function refuseFamily(
  { store, memory = false }: { readonly store: string; readonly memory?: boolean },
  { config, placeOf }: { readonly config: FamilyConfig & MasterKeys; readonly placeOf: (key: string) => string },
): void {
  const { masters } = config
  if (masters > 1) {
    const remark = `masters=${masters}: name server and broker share one process here; skua nameserver, and skua broker --masters ${masters} beside it`
    throw new OptionError('masters', `${placeOf('masters')}${remark}`)
  }
  if (memory) return
  const behind = leftBehind(nodeRuntime().disk, { ...config, storePathRootDir: store, brokerName: 'broker-a' }, 1)
  if (behind.length > 0) throw new OptionError('masters', leftBehindRemark(behind, 1))
}
