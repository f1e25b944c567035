/** What an account may do with a topic or a group; bits of Java's Permission. `deny` wins over the others. */
export const AclPerm = { deny: 1, pub: 4, sub: 8 } as const

const words: Readonly<Record<string, number>> = {
  DENY: AclPerm.deny,
  PUB: AclPerm.pub,
  SUB: AclPerm.sub,
  'PUB|SUB': AclPerm.pub | AclPerm.sub,
  'SUB|PUB': AclPerm.pub | AclPerm.sub,
}

export const permissionWords = Object.keys(words)

/** Undefined for what is none of the words. */
export const permissionOf = (text: string): number | undefined => words[text.trim()]

export const permits = (owned: number, needed: number): boolean =>
  (owned & AclPerm.deny) === 0 && (owned & needed) !== 0
