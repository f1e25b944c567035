import { Problem } from '../problem.ts'
import { address } from '../rows.ts'
import { optional, text } from '../schema.ts'

/** Params of a change that brokers take: which of them. */
export const where = {
  clusterName: optional(text({ min: 1, max: 255, help: 'all masters of this cluster' })),
  brokerAddr: optional(address),
}

/** Errors: ARGUMENT where neither is given, since "everywhere" is to be meant. */
export function mustSayWhere({
  clusterName,
  brokerAddr,
}: {
  clusterName?: string | undefined
  brokerAddr?: string | undefined
}) {
  if (clusterName === undefined && brokerAddr === undefined)
    throw new Problem(400, 'ARGUMENT', 'say where: clusterName for all masters of a cluster, or brokerAddr for one')
  return { clusterName, brokerAddr }
}

/** Errors: CONFIRM where the name is not said again. */
export function mustConfirm(confirm: string, name: string): void {
  if (confirm !== name)
    throw new Problem(400, 'CONFIRM', `"${confirm}" is not ${name}: type the name of what is to be destroyed`)
}
