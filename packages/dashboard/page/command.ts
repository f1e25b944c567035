/** A word for a shell: in quotes where it needs them. */
export const word = (text: string): string =>
  /^[\w.,:@%+=/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

/** Name servers of the cluster that is looked at. */
export const where = { namesrvAddr: '' }

/** A word; undefined and false are left out, a pair is a flag with its value. */
export type Part = string | undefined | false | readonly [flag: string, value: string | number | undefined]

/** A command line of `skua`, for the cluster that is looked at. */
export function skua(...parts: readonly Part[]): string {
  const words = parts.flatMap(part => {
    if (part === undefined || part === false) return []
    if (typeof part === 'string') return [word(part)]
    const [flag, value] = part
    return value === undefined || value === '' ? [] : [flag, word(String(value))]
  })
  return ['skua', ...words, '-n', word(where.namesrvAddr)].join(' ')
}

/** One of Apache's operator commands. */
export const mqadmin = (...parts: readonly Part[]): string => skua('mqadmin', ...parts)
