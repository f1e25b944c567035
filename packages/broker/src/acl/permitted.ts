import type { Account } from './account.ts'

/** How many decisions are kept before they are forgotten all together. */
export const maxPermitted = 8192

/**
 * What was found to be permitted: the same producers send to the same topics again and again. It belongs to one version of the
 * rules, and keeps no refusal. Not one text for all three names: whoever chooses the names would choose where one ends.
 */
export class Permitted {
  private readonly accounts = new Map<Account, Map<string, Map<string, Set<number>>>>()
  private count = 0

  has(account: Account, { topic, group, code }: Asked): boolean {
    return this.accounts.get(account)?.get(topic)?.get(group)?.has(code) === true
  }

  add(account: Account, { topic, group, code }: Asked): void {
    if (this.count >= maxPermitted) {
      this.accounts.clear()
      this.count = 0
    }
    const topics = made(this.accounts, account, () => new Map<string, Map<string, Set<number>>>())
    const groups = made(topics, topic, () => new Map<string, Set<number>>())
    made(groups, group, () => new Set<number>()).add(code)
    this.count++
  }
}

/** What is asked for; names that a request does not have are empty. */
export interface Asked {
  readonly code: number
  readonly topic: string
  readonly group: string
}

function made<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make()
  map.set(key, found)
  return found
}
