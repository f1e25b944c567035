export type FamilyType = 'counter' | 'gauge' | 'histogram'

/** What stands in the table of metrics for one name. Each has one source, which writes all of its samples together. */
export interface Family {
  /** As samples carry it, unit included; of a histogram without `_bucket`, `_sum`, `_count`. */
  readonly name: string
  readonly type: FamilyType
  readonly help: string
  /** Sorted. Those that all have (cluster, node_id, node_type) come by themselves. */
  readonly labels: readonly string[]
}

type Facts = Pick<Family, 'help'> & { readonly labels?: readonly string[] }

const family =
  (type: FamilyType) =>
  (name: string, { help, labels = [] }: Facts): Family => ({ name, type, help, labels })

export const counter = family('counter')
export const gauge = family('gauge')
export const histogram = family('histogram')
