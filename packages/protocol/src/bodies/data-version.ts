import { bean, integer, jsonBody, maybe, type ValueOfShape } from './shape.ts'

/** Says whether two tables are equal: by timestamp (ms), counter and stateVersion, which 4.9 leaves out and counts as 0. */
export const dataVersionShape = bean({ timestamp: integer(), counter: integer(), stateVersion: maybe(integer()) })
export type DataVersion = ValueOfShape<typeof dataVersionShape>
export const dataVersionBody = jsonBody(dataVersionShape)

export function sameDataVersion(a: DataVersion, b: DataVersion): boolean {
  return a.timestamp === b.timestamp && a.counter === b.counter && (a.stateVersion ?? 0) === (b.stateVersion ?? 0)
}
