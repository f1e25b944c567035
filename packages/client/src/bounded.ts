import { ClientError } from './error.ts'

/** A number option within its bounds. */
export function bounded(name: string, value: number, { min, max }: { min: number; max: number }): number {
  if (!(value >= min && value <= max)) {
    throw new ClientError('ARGUMENT', `${name} must be from ${min} to ${max}, and is ${value}`)
  }
  return value
}
