import { AdminError } from '@skua-mq/admin'

/** The group of a command that takes it as a word, and as `-g` as well. Errors: ARGUMENT without one, or with two. */
export function groupWord([word]: readonly string[], { group }: { readonly group?: string }): string {
  if (word !== undefined && group !== undefined && word !== group)
    throw new AdminError('ARGUMENT', `one group is wanted, not ${word} and ${group}`)
  const name = word ?? group
  if (name === undefined) throw new AdminError('ARGUMENT', 'name the group: -g GROUP')
  return name
}
