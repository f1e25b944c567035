import { AdminError } from '@skua-mq/admin'
import { Perm } from '@skua-mq/protocol'
import { nearest } from '@skua-mq/runtime'

/** `RW`, `R`, `W`, or `-` for a topic that is shut. */
export const permText = (perm: number): string =>
  `${(perm & Perm.read) === 0 ? '' : 'R'}${(perm & Perm.write) === 0 ? '' : 'W'}` || '-'

/** With a separator for thousands, so that figures can be read at a glance; undefined is not known. */
export const countText = (count: number | undefined): string =>
  count === undefined || Number.isNaN(count) ? '-' : count.toLocaleString('en-US', { maximumFractionDigits: 1 })

/** Nothing is there by this name: says what may be meant. */
export function notThere(what: string, name: string, names: readonly string[], list: string): AdminError {
  const close = nearest(name, names)
  const hint = close === undefined ? `${list} lists what there is` : `did you mean ${close}?`
  return new AdminError('NOT_FOUND', `${what} ${name} is not known: ${hint}`)
}
