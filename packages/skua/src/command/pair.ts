import { InvalidArgumentError } from 'commander'

/** `k=v` on the command line; what was given before stays. */
export const pair = (text: string, before: Record<string, string> = {}): Record<string, string> => {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('k=v is wanted')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
