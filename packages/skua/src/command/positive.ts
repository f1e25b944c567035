import { InvalidArgumentError } from 'commander'

/** A number on the command line. */
export const positive = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number above 0 is wanted')
  return value
}
